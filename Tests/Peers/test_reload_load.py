"""The graph is changed again and again under full load: no request fails, no connection is refused, no count is wrong.

`PHOENIX_RELOAD_LOAD=full` is the form that the figures are from: 1,000 changes in 60 s with 60,000 input series; it wants a
release binary and a quiet machine, and also holds the latency of requests.
"""

import http.client
import json
import os
import threading
import time
from collections import Counter

import pytest

from engine import HERE, poll
from load import METRICS, POINTS, PROCESSES, Load, p99
from test_reload import Instance
from wire import PROTOBUF

IS_FULL = os.environ.get("PHOENIX_RELOAD_LOAD") == "full"
HOSTS, CHANGES, SECONDS, QUIET = (40, 1000, 60.0, 20.0) if IS_FULL else (4, 40, 8.0, 2.0)
ENDPOINTS = {"FULL_PORT": "full", "OPTIMIZED_PORT": "opt", "TOPK_PORT": "top"}
TEXT = (HERE / "graphs" / "reload_load.yaml").read_text()


class Variants:
    """The graph as it is after each change; one cycle touches every node around the merging ones, and ends as it began."""

    GATE = '  gate: {type: filter, from: otlp, include: [{metric: "."}]}\n'
    SPARE = "  spare: {type: prometheus, from: %s, listen: \"127.0.0.1:${env:FULL_PORT}\", path: /spare, resource_to_telemetry_conversion: true}\n"

    def __init__(self):
        self.text = TEXT
        self.turn = 0

    def replace(self, old: str, new: str):
        assert self.text.count(old) == 1, (old, self.text)
        self.text = self.text.replace(old, new)

    def next(self) -> str:
        turn, self.turn = self.turn, self.turn + 1
        steps = [
            # Replaced with their state.
            lambda: self.replace("drop: [process.pid]}", "drop: [process.pid], pipeline: two}"),
            lambda: self.replace("k: 125,", "k: 125, pipeline: three,"),
            lambda: self.replace("namespace: full,", "namespace: full, max_scrapes: 11,"),
            lambda: self.replace("namespace: opt,", "namespace: opt, max_scrapes: 11,"),
            lambda: self.replace("namespace: top,", "namespace: top, max_scrapes: 11,"),
            # Added, and what is behind them rewired; replaced and rewired at once.
            lambda: self.replace("processors:\n", "processors:\n" + self.GATE),
            lambda: self.replace("aggregate, from: otlp", "aggregate, from: gate"),
            lambda: self.replace("exporters:\n", "exporters:\n" + self.SPARE % "optimized"),
            lambda: self.replace("spare: {type: prometheus, from: optimized", "spare: {type: prometheus, from: ranked"),
            lambda: self.replace("topk, from: otlp, k: 125, pipeline: three", "topk, from: gate, k: 125"),
            # Removed.
            lambda: self.replace("aggregate, from: gate, drop: [process.pid], pipeline: two}", "aggregate, from: otlp, drop: [process.pid]}"),
            lambda: self.replace("topk, from: gate", "topk, from: otlp"),
            lambda: self.replace(self.GATE, ""),
            lambda: self.replace(self.SPARE % "ranked", ""),
            lambda: setattr(self, "text", self.text.replace(" max_scrapes: 11,", "")),
        ]
        steps[turn % len(steps)]()
        if turn % len(steps) == len(steps) - 1:
            assert self.text == TEXT
        return self.text


class Prober(threading.Thread):
    """Connects anew again and again, sends a request with nothing in it, and notes what is refused."""

    def __init__(self, engine):
        super().__init__(daemon=True)
        self.engine, self.connections, self.failures = engine, 0, []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            try:
                connection = http.client.HTTPConnection(self.engine.otlp, timeout=30)
                connection.request("POST", "/v1/metrics", headers={"content-type": PROTOBUF})
                status = connection.getresponse().status
                connection.close()
                # Room is not asked for a request without points.
                if status != 200:
                    self.failures.append(f"status {status}")
            except OSError as error:
                self.failures.append(repr(error))
            self.connections += 1


class Changes:
    """Pushes one graph after the other, each at its time."""

    def __init__(self, instance: Instance):
        self.address, self.took, self.failures, self.steps = instance.address, [], [], Counter()
        self.variants, self.seconds = Variants(), 0.0

    def push(self, count: int, seconds: float):
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + seconds * number / count - time.monotonic()))
            sent = time.monotonic()
            connection = http.client.HTTPConnection(self.address, timeout=60)
            connection.request("PUT", "/api/v1/graph", body=self.variants.next())
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            self.took.append(time.monotonic() - sent)
            if answer.status != 200:
                self.failures.append(f"change {number}: {answer.status} {text[:300]!r}")
                continue
            for step in json.loads(text)["plan"]["nodes"]:
                self.steps[step["action"]] += 1
                if step["action"] == "replace without state" or (step["action"] == "replace with state" and step["forgets"]):
                    self.failures.append(f"change {number}: {step}")
        self.seconds += time.monotonic() - began


def resident(engine) -> int:
    """MiB."""
    status = open(f"/proc/{engine.process.pid}/status").read()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def sums(engine, port: str, namespace: str) -> dict[str, float]:
    """The sums of the counters of an endpoint, by metric; read line by line, since a parser takes minutes for so many."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.port(port), timeout=60)
    connection.request("GET", "/metrics")
    out = dict.fromkeys(METRICS, 0.0)
    names = {f"{namespace}_{name.replace('.', '_')}_total": name for name in METRICS}
    for line in connection.getresponse().read().decode().splitlines():
        name, _, rest = line.partition("{")
        if name in names:
            out[names[name]] += float(rest.rpartition(" ")[2])
    connection.close()
    return out


def arrived(engine):
    def wait(sent):
        due = dict.fromkeys(METRICS, float(sum(one.total for one in sent)))
        for port, namespace in ENDPOINTS.items():
            poll(f"{due} at {namespace}", lambda: shows(engine, port, namespace, due), deadline=60, every=1)

    return wait


def shows(engine, port: str, namespace: str, due: dict[str, float]) -> bool:
    seen = sums(engine, port, namespace)
    assert seen == due, seen
    return True


@pytest.mark.timeout(400)
def test_changes_under_full_load_are_noticed_by_nobody(engines):
    engine = engines("reload_load", log_level="warning")
    changes, prober = Changes(Instance(engine, None)), Prober(engine)
    load = Load(engine, ENDPOINTS, HOSTS)
    prober.start()
    time.sleep(QUIET / 4)
    quiet_from = time.monotonic()
    time.sleep(QUIET)
    quiet_to = time.monotonic()
    changes.push(CHANGES // 4, SECONDS / 4)
    early = resident(engine)
    changes.push(CHANGES - CHANGES // 4, SECONDS * 3 / 4)
    changed_to, late = time.monotonic(), resident(engine)
    sent, scraped = load.finish(arrived(engine))
    prober.over.set()
    prober.join(30)

    report = [
        f"{len(changes.took)} changes in {changes.seconds:.0f} s, {dict(changes.steps)}, the slowest {max(changes.took) * 1e3:.0f} ms, half below {sorted(changes.took)[len(changes.took) // 2] * 1e3:.0f} ms",
        f"{prober.connections} connections, {len(prober.failures)} failed; resident {early} MiB after a quarter, {late} MiB at the end",
    ]
    ratios = []
    for kind in ("http", "grpc"):
        requests = [one for sender in sent if sender.kind == kind for one in sender.requests]
        quiet = [took for began, took in requests if quiet_from <= began < quiet_to]
        busy = [took for began, took in requests if quiet_to <= began < changed_to]
        ratios.append(p99(busy) / p99(quiet))
        report.append(
            f"{kind}: {len(quiet)} requests of {POINTS} points without changes, p99 {p99(quiet) * 1e3:.1f} ms; {len(busy)} with, "
            f"p99 {p99(busy) * 1e3:.1f} ms: {ratios[-1]:.2f} x; {sum(one.refused for one in sent if one.kind == kind)} told to come again"
        )
    report += [f"{one.namespace}: {one.scrapes} scrapes of {one.series} series, the slowest {one.slowest * 1e3:.0f} ms" for one in scraped]
    print("\n" + "\n".join(report))

    assert changes.failures == []
    assert [one.failures for one in sent] == [[]] * 4
    assert prober.failures == [] and prober.connections > 0
    assert [one.failures for one in scraped] == [[]] * 3 and all(one.scrapes > 0 for one in scraped)
    assert all(one.series >= HOSTS * PROCESSES // 2 * len(METRICS) for one in scraped)
    # A tenth and 20 MB are what an allocator may keep.
    assert late < early * 1.1 + 20, report
    if IS_FULL:
        assert changes.seconds < SECONDS * 1.1, report
        assert all(ratio <= 3 for ratio in ratios), report
