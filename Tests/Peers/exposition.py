"""Reads Prometheus endpoints by prometheus-client's own parsers, and adds up increases."""

from collections import defaultdict

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from engine import fetch, poll

TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
# What endpoints say of themselves and of the engine.
STATE = ("phoenix_exposed_series", "phoenix_received_points", "phoenix_dropped_points", "phoenix_colliding_series")

Key = tuple[str, tuple[tuple[str, str], ...]]


def families(url: str, accept=TEXT):
    """What the endpoint exposes, as a parser of others reads it; the answer's type must be the one asked for."""
    status, headers, body = fetch(f"{url}/metrics", {"accept": accept})
    assert status == 200, (status, body[:500])
    is_open = accept == OPENMETRICS
    assert headers["content-type"].startswith("application/openmetrics-text" if is_open else "text/plain"), headers
    return list((parse_openmetrics if is_open else parse_text)(body.decode()))


def read(url: str, accept=TEXT) -> dict[Key, float]:
    """Every sample by its name and sorted labels; one that comes twice is an error."""
    out: dict[Key, float] = {}
    for family in families(url, accept):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in out, f"{key} is exposed twice"
            out[key] = sample.value
    return out


def refused_requests(engine) -> dict[tuple[str, str], float]:
    """OTLP requests that the engine refused whole so far, by protocol and reason."""
    return {
        (dict(labels)["protocol"], dict(labels)["reason"]): value
        for (name, labels), value in read(engine.url("ENGINE_PORT")).items()
        if name == "phoenix_receiver_refused_requests_total"
    }


class Endpoint:
    """One pipeline's end, watched from drained moment to drained moment."""

    def __init__(self, url: str, namespace: str):
        self.url, self.namespace = url, namespace
        self.last: dict[Key, float] = {}
        self.grown: defaultdict[str, float] = defaultdict(float)

    def now(self, accept=TEXT) -> dict[Key, float]:
        """Samples of the pipeline, without the namespace."""
        prefix = self.namespace + "_"
        return {
            (name.removeprefix(prefix), labels): value
            for (name, labels), value in read(self.url, accept).items()
            if name.startswith(prefix) and not name.removeprefix(prefix).startswith(STATE)
        }

    def total(self, name: str) -> float:
        """The sum of all series of a name, as exposed now."""
        return sum(value for (one, _), value in self.now().items() if one == name)

    def observe(self):
        """Adds what every series grew by since the last time: a new one counts from 0, a smaller value from 0 again.

        Both formats must tell the same.
        """
        now = self.now()
        assert same(now, self.now(OPENMETRICS)), "text and OpenMetrics tell different values"
        for (name, labels), value in now.items():
            before = self.last.get((name, labels), 0.0)
            le = dict(labels).get("le")
            self.grown[f"{name}{{le={float(le)}}}" if le else name] += value - before if value >= before else value
        self.last |= now


def same(left: dict, right: dict) -> bool:
    def comparable(samples):
        # `le="1"` of the text format is `le="1.0"` in OpenMetrics.
        return {
            (name, tuple((k, str(float(v)) if k in ("le", "quantile") else v) for k, v in labels)): repr(float(value))
            for (name, labels), value in samples.items()
        }

    return comparable(left) == comparable(right)


class Pipelines:
    """The three endpoints of `graphs/three.yaml`."""

    def __init__(self, engine):
        self.engine = engine
        self.full = Endpoint(engine.url("FULL_PORT"), "phoenix_full_final_output")
        self.optimized = Endpoint(engine.url("OPTIMIZED_PORT"), "phoenix_opt_final_output")
        self.topk = Endpoint(engine.url("TOPK_PORT"), "phoenix_exp_final_output")
        self.all = (self.full, self.optimized, self.topk)

    def settle(self, send_marker):
        """Waits until everything placed before now is exposed everywhere, then observes.

        Queues keep order: a marker that is sent last is seen last. `send_marker(n)` sends a counter of value n.
        """
        self.markers = getattr(self, "markers", 0) + 1
        send_marker(self.markers)
        for endpoint in self.all:
            poll(
                f"marker {self.markers} at {endpoint.namespace}",
                lambda: endpoint.total("peers_marker_total") == self.markers,
            )
            endpoint.observe()
