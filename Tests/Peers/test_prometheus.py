"""A real Prometheus scrapes all three endpoints, and promtool and prometheus-client find nothing to complain of."""

import gzip
import json
import os
import random
import shutil
import subprocess
import time
import urllib.parse
from collections import defaultdict

import pytest

from engine import fetch, free_ports, poll
from exposition import OPENMETRICS, TEXT, Pipelines, families, read
from otlp import Request
from test_exact import Counter, marker, send_all
from wire import export, send

PORTS = ("FULL_PORT", "OPTIMIZED_PORT", "TOPK_PORT", "ENGINE_PORT")


def program(name: str) -> str:
    found = os.environ.get(name.upper()) or shutil.which(name)
    assert found, f"{name} is not installed; set {name.upper()} to where it is"
    return found


@pytest.fixture(scope="module")
def engine(engines):
    """Every kind of point and every letter that names and values may be made of."""
    engine = engines("three")
    start, now = time.time_ns() - 5_000_000_000, time.time_ns()
    request = Request()
    for pid in (1, 2, 3):
        request.resource(service_name="peers", host_name="a", process_pid=pid, process_executable_name="nginx")
        request.sum("http.server.requests", pid, start, now, unit="{request}", url_path='/a"b\\c\nd', odd="ü 漢 🙂")
        request.sum("process.cpu.time", pid / 4, start, now, unit="s")
        request.sum("process.disk.io", pid, start, now, unit="By", direction="read")
        request.sum("queue.length", pid, start, now, monotonic=False)
        request.gauge("system.memory.utilization", 0.5, now, unit="1")
        request.gauge("9starts-with.digit/and-slash", -1.5, now, unit="m/s")
        request.gauge("limits", float("inf"), now, which="inf")
        request.gauge("limits", float("nan"), now, which="nan")
        request.histogram("http.server.duration", [0.1, 1.0], [1, 2, 3], 4.5, start, now, unit="s")
        exponential = request.metric("exponential", unit="By").exponential_histogram
        exponential.aggregation_temporality = 2
        point = exponential.data_points.add(start_time_unix_nano=start, time_unix_nano=now, count=4, scale=1, zero_count=1)
        point.sum = 9.0
        point.positive.offset = 2
        point.positive.bucket_counts.extend([1, 0, 2])
        summary = request.metric("quantiles").summary.data_points.add(start_time_unix_nano=start, time_unix_nano=now, count=3, sum=6.0)
        summary.quantile_values.add(quantile=0.5, value=2.0)
        request.message.resource_metrics[-1].scope_metrics[-1].metrics[0].description = 'a "description" \\ with\nletters'
    answer = export(engine.otlp, request.bytes)
    assert (answer.status, answer.body) == (200, b""), answer
    Pipelines(engine).settle(marker(engine))
    return engine


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
def test_prometheus_clients_parsers_take_every_endpoint(engine, port, accept):
    found = families(engine.url(port), accept)
    assert len(found) > 5
    assert len({family.name for family in found}) == len(found), "a family comes twice"
    assert read(engine.url(port), accept)


def complaints(engine, port) -> list[str]:
    """What promtool has to say of an endpoint."""
    status, _, text = fetch(f"{engine.url(port)}/metrics", {"accept": TEXT})
    assert status == 200
    done = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True)
    lines = [line for line in (done.stdout + done.stderr).decode().splitlines() if line]
    # A help text is the sender's to give.
    return [line for line in lines if not line.endswith("no help text")]


@pytest.mark.parametrize("port", PORTS)
def test_promtool_has_no_complaint(engine, port):
    assert not complaints(engine, port)


@pytest.mark.parametrize("port", PORTS)
def test_text_and_openmetrics_end_as_they_must(engine, port):
    text = fetch(f"{engine.url(port)}/metrics", {"accept": TEXT})[2]
    assert text.endswith(b"\n") and b"\r" not in text
    open_ = fetch(f"{engine.url(port)}/metrics", {"accept": OPENMETRICS})[2]
    assert open_.endswith(b"\n# EOF\n") and open_.count(b"# EOF") == 1


@pytest.mark.parametrize("port", PORTS)
def test_head_is_answered_like_get(engine, port):
    address = engine.url(port).removeprefix("http://")
    answer = send(address, "HEAD", "/metrics", None)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.type.startswith("text/plain")
    assert send(address, "POST", "/metrics", b"x").status == 405


@pytest.mark.parametrize("port", PORTS[:3])
def test_gzip_is_sent_to_those_who_ask(engine, port):
    plain = fetch(f"{engine.url(port)}/metrics", {"accept": TEXT})
    packed = fetch(f"{engine.url(port)}/metrics", {"accept": TEXT, "accept-encoding": "gzip"})
    assert "content-encoding" not in plain[1]
    assert packed[1]["content-encoding"] == "gzip"
    names = {line.split(b"{")[0].split(b" ")[0] for line in plain[2].splitlines() if not line.startswith(b"#")}
    assert names == {line.split(b"{")[0].split(b" ")[0] for line in gzip.decompress(packed[2]).splitlines() if not line.startswith(b"#")}


class Server:
    """A real Prometheus that scrapes an engine's endpoints every second; `features` are switched on."""

    def __init__(self, engine, directory, features=(), ports=PORTS):
        self.port = free_ports(1)[0]
        self.log = open(directory / "prometheus.log", "wb")
        jobs = [
            {"job_name": name, "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{engine.port(name)}"]}]}
            for name in ports
        ]
        config = directory / "prometheus.yml"
        # JSON is YAML.
        config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}))
        self.process = subprocess.Popen(
            [
                program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
                *[f"--enable-feature={feature}" for feature in features],
            ],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip
        poll("Prometheus is ready", lambda: fetch(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200, deadline=30)

    def api(self, path: str, **query):
        status, _, body = fetch(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}")
        answer = json.loads(body)
        assert (status, answer["status"]) == (200, "success"), answer
        return answer["data"]

    def query(self, expression: str) -> dict[str, float]:
        """The values of an instant query by job."""
        return {one["metric"].get("job", ""): float(one["value"][1]) for one in self.api("query", query=expression)["result"]}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture(scope="module")
def prometheus(engine, tmp_path_factory):
    server = Server(engine, tmp_path_factory.mktemp("prometheus"))
    yield server
    server.stop()


def test_prometheus_scrapes_every_endpoint_without_error(engine, prometheus):
    def targets():
        found = prometheus.api("targets")["activeTargets"]
        errors = {one["labels"]["job"]: one["lastError"] for one in found if one["lastError"]}
        assert not errors, errors
        return len(found) == len(PORTS) and all(one["health"] == "up" for one in found)

    poll("all targets are up", targets)
    assert poll("`up` of all", lambda: up if len(up := prometheus.query("up")) == len(PORTS) else None) == dict.fromkeys(PORTS, 1.0)
    samples = prometheus.query("scrape_samples_scraped")
    assert all(samples[port] > 5 for port in PORTS)


def test_prometheus_reads_what_we_expose(engine, prometheus):
    def seen(name):
        return [(one["metric"], one["value"][1]) for one in prometheus.api("query", query=name)["result"]]

    def is_there():
        return seen("phoenix_full_final_output_http_server_requests_total")

    found = poll("the series with odd labels", is_there)
    assert {labels["url_path"] for labels, _ in found} == {'/a"b\\c\nd'}
    assert {labels["odd"] for labels, _ in found} == {"ü 漢 🙂"}
    metadata = prometheus.api("metadata", metric="phoenix_full_final_output_http_server_requests_total")
    kinds = {one["type"] for entries in metadata.values() for one in entries}
    # OpenMetrics names a counter's family without `_total`.
    assert kinds <= {"counter"}
    targets = prometheus.api("targets/metadata", match_target='{job="FULL_PORT"}')
    kinds = {one["metric"]: one["type"] for one in targets}
    assert kinds["phoenix_full_final_output_http_server_requests"] == "counter"
    assert kinds["phoenix_full_final_output_http_server_duration_seconds"] == "histogram"


def test_increases_agree_over_the_three_pipelines(engine, prometheus):
    """The same rate from every pipeline, by a judge of others; and no decrease anywhere."""
    names = {
        "FULL_PORT": "phoenix_full_final_output_hand_calls_total",
        "OPTIMIZED_PORT": "phoenix_opt_final_output_hand_calls_total",
        "TOPK_PORT": "phoenix_exp_final_output_hand_calls_total",
    }
    dice = random.Random(7)
    expected: defaultdict[str, float] = defaultdict(float)
    counters = [Counter("ab"[pid % 2], 5000 + pid, "nginx") for pid in range(12)]

    def scraped():
        sums = {port: prometheus.query(f"sum by (job) ({name})").get(port) for port, name in names.items()}
        return all(value == expected["hand_calls_total"] for value in sums.values())

    def work():
        for counter in counters:
            counter.work(dice, expected)
        # The first two of each host do most, so that the top K of each host is settled before we look.
        for counter in counters[:4]:
            counter.seconds += 1000
        send_all(engine, counters, 3)

    def are_admitted():
        work()
        wanted = {str(counter.resource["process.pid"]) for counter in counters[:4]}
        return {dict(labels).get("process_pid") for _, labels in read(engine.url("TOPK_PORT"))} >= wanted

    poll("the heavy ones are in the top K", are_admitted, every=0.5)
    poll("what was sent is scraped", scraped)
    begin = time.time()
    before = expected["hand_calls_total"]
    for _ in range(8):
        work()
        poll("what was sent is scraped", scraped)
    window = f"{int(time.time() - begin) + 1}s"
    for port, name in names.items():
        assert prometheus.query(f"sum by (job) (resets({name}[1m]))")[port] == 0
        # As sums of values agree at every moment looked at, so do their differences.
        grown = prometheus.query(f"sum by (job) ({name}) - sum by (job) ({name} @ {begin:.3f})")
        assert grown[port] == expected["hand_calls_total"] - before
    increases = [prometheus.query(f"sum by (job) (increase({name}[{window}]))")[port] for port, name in names.items()]
    # Endpoints are scraped at different moments of a second, and `increase` extrapolates to the window's ends.
    assert max(increases) / min(increases) == pytest.approx(1, rel=0.25), (window, increases)


# What endpoints with odd namespaces call their series, and what they tell of themselves.
SPELT = {
    "FULL_PORT": {"my_app_peers_level", "my_app_phoenix_exposed_series", "my_series", "my_app_my_series"},
    "OPTIMIZED_PORT": {"my_app_peers_level", "my_app_phoenix_exposed_series", "act_ive", "my_app_act_ive"},
    "TOPK_PORT": {"_9_gr__e_peers_level", "_9_gr__e_phoenix_exposed_series", "_9", "_9_gr__e_9"},
}


@pytest.fixture(scope="module")
def spelt(engines):
    engine = engines("namespaces")
    request = Request()
    request.resource(service_name="peers")
    request.gauge("peers.level", 1.5)
    assert export(engine.otlp, request.bytes).status == 200
    for port, names in SPELT.items():
        poll(f"the gauge at {port}", lambda: names <= {name for name, _ in read(engine.url(port))})
    return engine


@pytest.mark.parametrize("port", SPELT)
def test_an_odd_namespace_leaves_an_endpoint_readable(spelt, port):
    assert SPELT[port] <= {name for name, _ in read(spelt.url(port), OPENMETRICS)}
    assert not complaints(spelt, port)


def test_prometheus_scrapes_odd_namespaces(spelt, tmp_path):
    server = Server(spelt, tmp_path, ports=tuple(SPELT))
    try:
        poll("all are up", lambda: server.query("up") == dict.fromkeys(SPELT, 1.0), deadline=30)
        name = "my_app_phoenix_exposed_series"
        poll("what they tell of themselves", lambda: set(server.query(name)) == {"FULL_PORT", "OPTIMIZED_PORT"})
    finally:
        server.stop()


def test_text_1_0_0_has_the_escaping_that_is_asked_for(spelt):
    """As Prometheus 3 asks where `scrape_protocols` names `PrometheusText1.0.0` first."""
    for escaping, shown in (("allow-utf-8", b'{"my.app_peers.level"'), ("underscores", b"my_app_peers_level")):
        accept = f"text/plain;version=1.0.0;escaping={escaping};q=0.2,*/*;q=0.1"
        status, headers, body = fetch(f"{spelt.url('OPTIMIZED_PORT')}/metrics", {"accept": accept})
        assert (status, headers["content-type"]) == (200, f"text/plain; version=1.0.0; charset=utf-8; escaping={escaping}")
        assert b"\n" + shown in body, body
