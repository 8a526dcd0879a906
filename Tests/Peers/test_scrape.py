"""Phoenix scrapes what others expose: the Python client, in the text format and in OpenMetrics."""

import http.server
import json
import subprocess
import threading
import urllib.parse

import pytest
from dnslib import RCODE, RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families

from engine import fetch, free_ports, poll
from test_prometheus import program


class Target:
    """An HTTP server that exposes a registry in the format that is asked for, or in the one that is forced."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.accept = None
        self.broken = None
        self.leads = None
        self.asked = []
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                target.asked.append(dict(self.headers))
                if target.leads is not None and self.path == "/metrics":
                    self.send_response(302)
                    self.send_header("location", target.leads)
                    self.send_header("content-length", "0")
                    return self.end_headers()
                status, kind, body = 200, "text/plain; version=0.0.4", target.broken
                if body is None:
                    encoder, kind = choose_encoder(target.accept or self.headers.get("accept"))
                    body = encoder(target.registry)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def target():
    target = Target()
    requests = Counter("requests", "Requests.", ["code"], registry=target.registry)
    requests.labels("200").inc(7)
    requests.labels("500").inc(0.5, exemplar={"trace_id": "0123456789abcdef0123456789abcdef"})
    Gauge("temperature_celsius", 'A "gauge"\\.', registry=target.registry).set(-3.25)
    latency = Histogram("latency_seconds", "Latency.", ["path"], buckets=[0.1, 1, 10], registry=target.registry)
    for value in [0.05, 0.5, 0.7, 20]:
        latency.labels('/a"b\\c\nd').observe(value)
    Summary("size_bytes", "Size.", registry=target.registry).observe(3)
    Info("build", "Build.", registry=target.registry).info({"version": "1.2"})
    Enum("state", "State.", states=["up", "down"], registry=target.registry).state("up")
    yield target
    target.server.shutdown()


def labels_of(sample):
    """The labels but job and instance; bounds are numbers, however each side writes them."""
    labels = {k: v for k, v in sample.labels.items() if k not in ("job", "instance")}
    return tuple(sorted((k, str(float(v)) if k in ("le", "quantile") else v) for k, v in labels.items()))


def exposed(engine):
    """What the engine shows of what it scraped, without job and instance: by name and labels."""
    status, _, body = fetch(f"{engine.url('FULL_PORT')}/metrics", {"accept": "text/plain"})
    assert status == 200
    found = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            found[sample.name, labels_of(sample)] = sample.value
    return found


def expected(target):
    """What the client itself says, the samples that no point is made of left out."""
    found = {}
    for family in target.registry.collect():
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found[sample.name, labels_of(sample)] = sample.value
    return found


@pytest.mark.parametrize("accept", ["text/plain; version=0.0.4", None], ids=["text", "openmetrics"])
def test_every_type_comes_through(target, engines, accept):
    target.accept = accept
    engine = engines("scrape", env={"TARGET_PORT": str(target.port)})
    wanted = expected(target)
    # What the scrape held and `up` are two batches: either may be shown before the other.
    due = wanted.keys() | {("up", ())}
    seen = poll("scraped", lambda: (lambda found: found if due <= found.keys() else None)(exposed(engine)))
    assert {key: seen.get(key) for key in wanted} == wanted
    assert seen["up", ()] == 1
    asked = target.asked[-1]
    assert asked["accept"].startswith("application/openmetrics-text;version=1.0.0")
    assert asked["x-prometheus-scrape-timeout-seconds"] == "0.5"


class Judge:
    """Debian's Prometheus, scraping the same target by the same settings."""

    def __init__(self, port, directory):
        config = directory / "prometheus.yml"
        config.write_text(
            f"""
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: judged
    sample_limit: 40
    metric_relabel_configs: [{{source_labels: [__name__], regex: "dropped.*", action: drop}}]
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
        )
        self.port = free_ports(1)[0]
        self.process = subprocess.Popen(
            [
                program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        poll("prometheus", lambda: fetch(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200, deadline=60)

    def values(self):
        query = urllib.parse.quote('{job="judged"}')
        answer = json.loads(fetch(f"http://127.0.0.1:{self.port}/api/v1/query?query={query}")[2])
        found = {}
        for series in answer["data"]["result"]:
            labels = {k: v for k, v in series["metric"].items() if k not in ("__name__", "job", "instance")}
            found[series["metric"]["__name__"], tuple(sorted(labels.items()))] = float(series["value"][1])
        return found


@pytest.fixture(scope="module")
def judged(target, engines, tmp_path_factory):
    target.accept = "text/plain; version=0.0.4"
    judge = Judge(target.port, tmp_path_factory.mktemp("prometheus"))
    yield judge, engines("scrape", env={"TARGET_PORT": str(target.port)})
    judge.process.kill()
    judge.process.wait()
    target.broken = None


def told(values):
    """All that is comparable: not how long it took, nor how many series were new at that moment."""
    return {
        key: value
        for key, value in values.items()
        if key[0] not in ("scrape_duration_seconds", "scrape_series_added", "target_info", "ALERTS")
        and not key[0].startswith("phoenix_")
    }


STEPS = {
    "good": b"# TYPE a counter\na_total 1\nb{x=\"y\"} 2\ndropped_one 1\n",
    "fewer": b"b{x=\"y\"} 2\n",
    "broken": b"b{x=\"y\" 2\n",
    "good again": b"b{x=\"y\"} 3\nc 1\n",
    "too many": b"".join(b"n%d 1\n" % index for index in range(41)),
    "as many as may be": b"".join(b"n%d 1\n" % index for index in range(40)) + b"dropped_two 1\n",
    "duplicates": b"d 1\nd 1\n",
    "empty": b"",
}


def test_prometheus_says_the_same_of_the_same_target(target, judged):
    judge, engine = judged
    for step, body in STEPS.items():
        target.broken = body
        asked = len(target.asked)
        # Both have asked twice since.
        poll("asked", lambda: len(target.asked) >= asked + 6)

        def same():
            left, right = told(judge.values()), told(exposed(engine))
            assert left == right, f"{step}: Prometheus says {left}, Phoenix says {right}"
            return True

        poll(step, same, deadline=15, every=0.1)


class Names(BaseResolver):
    """A DNS server whose zone tests change; names of `broken` get SERVFAIL."""

    def __init__(self):
        self.zone, self.broken = {}, set()
        self.server = DNSServer(self, address="127.0.0.1", port=0, logger=DNSLogger("-request,-reply,-truncated,-error"))
        self.port = self.server.server.server_address[1]
        self.server.start_thread()

    def resolve(self, request, handler):
        reply = request.reply()
        name = str(request.q.qname)
        if name in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
        elif name not in self.zone:
            reply.header.rcode = RCODE.NXDOMAIN
        else:
            reply.add_answer(*RR.fromZone(self.zone[name]))
        return reply


def test_targets_that_dns_names_come_and_go(target, engines):
    target.accept, target.broken = None, b"answered 1\n"
    names = Names()
    service, host = "_web._tcp.phoenix.test.", "web.phoenix.test."
    names.zone = {service: f"{service} 1 IN SRV 1 1 {target.port} localhost.\n", host: f"{host} 1 IN A 127.0.0.1\n"}
    engine = engines("scrape_dns", env={"TARGET_PORT": str(target.port), "DNS_PORT": str(names.port)})

    def seen():
        found = exposed(engine)
        return {dict(labels)["named"]: dict(labels).get("server") for name, labels in found if name == "answered"}

    both = {"_web._tcp.phoenix.test": "localhost", "web.phoenix.test": None}
    poll("both kinds of records", lambda: seen() == both)
    # A server in trouble says nothing of who is gone; one that knows no such name does.
    names.broken = {service, host}
    failures = "phoenix_scrape_discovery_failures_total"
    poll("trouble is counted", lambda: b"%s" % failures.encode() in fetch(f"{engine.url('ENGINE_PORT')}/metrics")[2])
    assert seen() == both
    names.broken, names.zone = set(), {host: names.zone[host]}
    poll("the service is gone", lambda: seen() == {"web.phoenix.test": None})
    target.broken = None
    names.server.stop()


def test_a_redirection_to_nowhere_fails_the_scrape_and_nothing_else(target, engines):
    target.accept, target.broken, target.leads = None, b"answered 1\n", "http://127.0.0.1:99999/metrics?key=hidden"
    engine = engines("scrape", env={"TARGET_PORT": str(target.port)})
    poll("down", lambda: exposed(engine).get(("up", ())) == 0)
    poll("said", lambda: "it redirects to a URL that has a port that is no number from 1 to 65535" in engine.log)
    assert "hidden" not in engine.log
    # One that is relative leads somewhere.
    target.leads = "there"
    poll("up", lambda: exposed(engine).get(("up", ())) == 1)
    target.broken, target.leads = None, None
