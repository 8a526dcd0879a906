"""Increases are exact on all three pipelines, whoever sends and whatever happens between: the reason to exist."""

import json
import random
import threading
import time
import urllib.request
from collections import defaultdict

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GRPCExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HTTPExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from engine import poll
from exposition import Endpoint, Pipelines
from otlp import DELTA, Request
from wire import call, export


@pytest.fixture
def pipelines(engines):
    engine = engines("three")
    yield Pipelines(engine)
    engine.drain()


def marker(engine):
    """Sends the counter that `Pipelines.settle` waits for."""
    start = time.time_ns()

    def send_(value: int):
        request = Request().resource(host_name="marker", process_pid=99_999).sum("peers.marker", value, start)
        answer = export(engine.otlp, request.bytes)
        assert (answer.status, answer.body) == (200, b""), answer

    return send_


def assert_grown(pipelines: Pipelines, expected: dict[str, float]):
    for endpoint in pipelines.all:
        wrong = {name: (endpoint.grown[name], value) for name, value in expected.items() if endpoint.grown[name] != value}
        assert not wrong, f"increases at {endpoint.namespace}, and what they should be: {wrong}"


# The OpenTelemetry SDK


class Process:
    """A process with the SDK in it: exports only when told."""

    def __init__(self, exporter, pid: int, host="a", executable="java_app"):
        resource = Resource.create(
            {"service.name": "peers", "host.name": host, "process.pid": pid, "process.executable.name": executable}
        )
        self.reader = PeriodicExportingMetricReader(exporter, export_interval_millis=86_400_000)
        self.provider = MeterProvider([self.reader], resource=resource, shutdown_on_exit=False)
        meter = self.provider.get_meter("peers")
        self.requests = meter.create_counter("sdk.requests")
        self.cpu = meter.create_counter("sdk.cpu.time", unit="s")
        self.queue = meter.create_up_down_counter("sdk.queue")
        self.latency = meter.create_histogram("sdk.latency", unit="s", explicit_bucket_boundaries_advisory=[0.25, 1.0, 4.0])

    def export(self):
        assert self.provider.force_flush(20_000)

    def end(self):
        self.provider.shutdown()


def exporters(engine):
    yield "grpc", lambda: GRPCExporter(engine.otlp, insecure=True)
    yield "grpc gzip", lambda: GRPCExporter(engine.otlp, insecure=True, compression=grpc.Compression.Gzip)
    yield "http", lambda: HTTPExporter(f"http://{engine.otlp}/v1/metrics", compression=Compression.NoCompression)
    yield "http gzip", lambda: HTTPExporter(f"http://{engine.otlp}/v1/metrics", compression=Compression.Gzip)


@pytest.mark.parametrize("kind", ["grpc", "grpc gzip", "http", "http gzip"])
def test_the_opentelemetry_sdk(pipelines, kind):
    make = dict(exporters(pipelines.engine))[kind]
    send_marker = marker(pipelines.engine)
    dice = random.Random(kind)
    expected: defaultdict[str, float] = defaultdict(float)
    queues: dict[int, int] = {}
    processes = {pid: Process(make(), pid) for pid in range(1, 5)}
    for step in range(4):
        if step == 2:  # One ends, another appears.
            processes.pop(1).end()
            queues.pop(1, None)
            processes[9] = Process(make(), 9)
        for pid, process in processes.items():
            for _ in range(dice.randrange(1, 5)):
                count, seconds, wait = dice.randrange(100), dice.randrange(40) / 4, dice.choice([0.125, 0.5, 2.0, 16.0])
                process.requests.add(count, {"code": str(dice.choice([200, 500]))})
                process.cpu.add(seconds)
                process.latency.record(wait)
                expected["sdk_requests_total"] += count
                expected["sdk_cpu_time_seconds_total"] += seconds
                expected["sdk_latency_seconds_count"] += 1
                expected["sdk_latency_seconds_sum"] += wait
                for bound in (0.25, 1.0, 4.0, float("inf")):
                    expected[f"sdk_latency_seconds_bucket{{le={bound}}}"] += wait <= bound
            change = dice.randrange(-5, 20)
            process.queue.add(change)
            queues[pid] = queues.get(pid, 0) + change
            process.export()
        pipelines.settle(send_marker)
        assert_grown(pipelines, expected)
        if step < 2:  # Up-down counters are values, not increases; an ended process is in them until it is stale.
            for endpoint in pipelines.all:
                assert endpoint.total("sdk_queue") == sum(queues.values()), endpoint.namespace
    for process in processes.values():
        process.end()


# Streams made by hand


class Counter:
    """One process's counters, as its own SDK would keep them."""

    def __init__(self, host: str, pid: int, executable: str):
        self.resource = {"host.name": host, "process.pid": pid, "process.executable.name": executable}
        self.start = time.time_ns()
        self.calls = 0
        self.seconds = 0.0
        self.buckets = [0, 0, 0]
        self.total = 0.0

    def work(self, dice: random.Random, expected):
        calls, seconds = dice.randrange(1000), dice.randrange(100) / 8
        self.calls += calls
        self.seconds += seconds
        bucket = dice.randrange(3)
        self.buckets[bucket] += 1
        self.total += bucket * 2.0
        expected["hand_calls_total"] += calls
        expected["process_cpu_time_seconds_total"] += seconds
        expected["hand_size_count"] += 1
        expected["hand_size_sum"] += bucket * 2.0
        expected["hand_size_bucket{le=1.0}"] += bucket == 0
        expected["hand_size_bucket{le=3.0}"] += bucket <= 1

    def restart(self):
        """The same process id anew: counters begin at 0, at a new start.

        A reader of values alone sees that only where a value falls: send the zeros, or more than it takes.
        """
        self.start = time.time_ns()
        self.calls, self.seconds, self.buckets, self.total = 0, 0.0, [0, 0, 0], 0.0

    def write(self, request: Request):
        now = time.time_ns()
        request.resource_of(self.resource)
        request.sum("hand.calls", self.calls, self.start, now)
        request.sum("process.cpu.time", self.seconds, self.start, now, unit="s")
        request.histogram("hand.size", [1.0, 3.0], self.buckets, self.total, self.start, now)


def send_all(engine, counters: list[Counter], requests: int):
    """One host's processes spread over several requests."""
    for part in range(requests):
        request = Request()
        for counter in counters[part::requests]:
            counter.write(request)
        answer = export(engine.otlp, request.bytes, encoding=None)
        assert (answer.status, answer.body) == (200, b""), answer


EXECUTABLES = ["java_app", "nginx", "critical_db", "cron"]


@pytest.mark.parametrize("seed", range(3))
def test_processes_appear_end_and_restart_over_several_requests(pipelines, seed):
    dice = random.Random(seed)
    expected: defaultdict[str, float] = defaultdict(float)
    send_marker = marker(pipelines.engine)
    pids = iter(range(1, 10_000))

    def appear():
        return Counter(dice.choice("abc"), next(pids), dice.choice(EXECUTABLES))

    counters = [appear() for _ in range(20)]
    for step in range(8):
        for counter in counters:
            counter.work(dice, expected)
        send_all(pipelines.engine, counters, dice.randrange(1, 6))
        pipelines.settle(send_marker)
        assert_grown(pipelines, expected)
        dice.shuffle(counters)
        del counters[: dice.randrange(4)]
        counters += [appear() for _ in range(dice.randrange(5))]
        for counter in counters[:3]:
            counter.restart()
        send_all(pipelines.engine, counters[:3], 1)
        pipelines.settle(send_marker)
        assert_grown(pipelines, expected)


def ask(engine, mode: str):
    body = json.dumps({"mode": mode, "reason": "a test asks"}).encode()
    request = urllib.request.Request(engine.url("CONTROL_PORT") + "/api/v1/mode", data=body, method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["mode"] == mode


@pytest.mark.parametrize("seed", range(3))
def test_modes_change_in_between(pipelines, seed):
    """The series under a counter change with the mode, at any moment; what it grew by does not."""
    dice = random.Random(seed)
    expected: defaultdict[str, float] = defaultdict(float)
    send_marker = marker(pipelines.engine)
    counters = [Counter("abc"[pid % 3], pid, EXECUTABLES[pid % 4]) for pid in range(1, 25)]
    for step in range(10):
        for counter in counters:
            counter.work(dice, expected)
        half = len(counters) // 2
        send_all(pipelines.engine, counters[:half], 2)
        ask(pipelines.engine, dice.choice(["conservative", "balanced", "aggressive"]))
        send_all(pipelines.engine, counters[half:], 2)
        pipelines.settle(send_marker)
        assert_grown(pipelines, expected)


def test_a_restart_that_values_alone_do_not_show(pipelines):
    """Where the new value passes the old one, only the start tells: merged pipelines go by it."""
    send_marker = marker(pipelines.engine)
    counters = [Counter("a", pid, "nginx") for pid in (1, 2, 3)]
    expected = 0
    for step in range(1, 5):
        for counter in counters:
            counter.start = time.time_ns()
            counter.calls = 100 * step
            expected += counter.calls
        send_all(pipelines.engine, counters, 2)
        pipelines.settle(send_marker)
        for endpoint in (pipelines.optimized, pipelines.topk):
            assert endpoint.grown["hand_calls_total"] == expected, endpoint.namespace


def test_several_senders_at_once(pipelines):
    send_marker = marker(pipelines.engine)
    totals: list[dict[str, float]] = []
    errors = []

    def sender(number: int):
        try:
            dice = random.Random(number)
            expected: defaultdict[str, float] = defaultdict(float)
            counters = [Counter(f"host-{number % 2}", number * 100 + n, EXECUTABLES[n % 4]) for n in range(10)]
            with grpc.insecure_channel(pipelines.engine.otlp) as channel:
                for round_ in range(25):
                    for counter in counters:
                        counter.work(dice, expected)
                    if number % 2:
                        send_all(pipelines.engine, counters, 3)
                        continue
                    request = Request()
                    for counter in counters:
                        counter.write(request)
                    call(channel, request.bytes, compression=grpc.Compression.Gzip if round_ % 2 else None)
            totals.append(expected)
        except Exception as error:  # Told by the test's own thread.
            errors.append(error)

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert not errors and len(totals) == 6, errors
    pipelines.settle(send_marker)
    assert_grown(pipelines, {name: sum(one[name] for one in totals) for name in totals[0]})


def test_a_process_older_than_the_watch_counts_from_its_first_value_on(pipelines):
    """Its life before we watched is no increase of ours; the full endpoint shows it, a merged one does not."""
    send_marker = marker(pipelines.engine)
    old = Counter("a", 1, "nginx")
    old.start = time.time_ns() - 3_600_000_000_000
    old.calls, old.seconds = 1_000_000, 5000.0
    send_all(pipelines.engine, [old], 1)
    pipelines.settle(send_marker)
    assert pipelines.full.grown["hand_calls_total"] == 1_000_000
    before = [dict(endpoint.grown) for endpoint in pipelines.all]
    assert before[1].get("hand_calls_total", 0.0) == 0
    assert before[2].get("hand_calls_total", 0.0) == 0
    old.calls, old.seconds = 1_000_017, 5002.5
    send_all(pipelines.engine, [old], 1)
    pipelines.settle(send_marker)
    for endpoint, was in zip(pipelines.all, before):
        assert endpoint.grown["hand_calls_total"] - was.get("hand_calls_total", 0.0) == 17
        assert endpoint.grown["process_cpu_time_seconds_total"] - was.get("process_cpu_time_seconds_total", 0.0) == 2.5


def test_delta_sums_and_histograms_accumulate(pipelines):
    send_marker = marker(pipelines.engine)
    last = time.time_ns()
    for step in range(1, 6):
        for pid in range(3):
            request = Request().resource(host_name="a", process_pid=pid, process_executable_name="nginx")
            now = time.time_ns()
            request.sum("hand.delta", step, last, now, temporality=DELTA)
            request.histogram("hand.delta.size", [1.0], [step, 1], 2.5, last, now, temporality=DELTA)
            assert export(pipelines.engine.otlp, request.bytes).body == b""
        last = now
        pipelines.settle(send_marker)
    assert_grown(
        pipelines,
        {"hand_delta_total": 45.0, "hand_delta_size_count": 60.0, "hand_delta_size_sum": 37.5, "hand_delta_size_bucket{le=1.0}": 45.0},
    )


def test_integers_beyond_doubles_add_up_before_they_are_shown(pipelines):
    """Two counters whose sum would be wrong, were each first made a double."""
    send_marker = marker(pipelines.engine)
    start = time.time_ns()
    values = {1: (1 << 53) + 1, 2: (1 << 53) + 1}
    for pid, value in values.items():
        request = Request().resource(host_name="a", process_pid=pid, process_executable_name="nginx")
        assert export(pipelines.engine.otlp, request.sum("hand.large", value, start).bytes).body == b""
    pipelines.settle(send_marker)
    samples = [value for (name, _), value in pipelines.optimized.now().items() if name == "hand_large_total"]
    assert samples == [sum(values.values())]


def test_a_process_that_says_it_ends_leaves_the_counters_right(pipelines):
    send_marker = marker(pipelines.engine)
    dice = random.Random(1)
    expected: defaultdict[str, float] = defaultdict(float)
    counters = [Counter("a", pid, "nginx") for pid in (1, 2)]
    for counter in counters:
        counter.work(dice, expected)
    send_all(pipelines.engine, counters, 1)
    pipelines.settle(send_marker)
    last = Request()
    counters[0].write(last)
    for metric in last.message.resource_metrics[0].scope_metrics[0].metrics:
        points = (metric.sum if metric.HasField("sum") else metric.histogram).data_points
        points[0].flags = 1  # NO_RECORDED_VALUE
    assert export(pipelines.engine.otlp, last.bytes).body == b""
    counters[1].work(dice, expected)
    send_all(pipelines.engine, counters[1:], 1)
    pipelines.settle(send_marker)
    assert_grown(pipelines, expected)
    pid = ("process_pid", "1")
    poll("the ended process leaves the full endpoint", lambda: not [1 for _, labels in pipelines.full.now() if pid in labels])


def test_series_that_share_their_exposed_labels_are_added_up(engines):
    """Without resource attributes as labels many processes are one series: their sum, not the last one's value."""
    engine = engines("colliding")
    endpoint = Endpoint(engine.url("FULL_PORT"), "phoenix_full_final_output")
    dice = random.Random(11)
    expected: defaultdict[str, float] = defaultdict(float)
    counters = [Counter("a", pid, "nginx") for pid in range(10)]
    for step in range(6):
        for counter in counters:
            counter.work(dice, expected)
        send_all(engine, counters, 1 + step % 3)
        poll("all is exposed", lambda: endpoint.total("hand_size_count") == expected["hand_size_count"])
        endpoint.observe()
        wrong = {name: (endpoint.grown[name], value) for name, value in expected.items() if endpoint.grown[name] != value}
        assert not wrong
        counters = counters[2:] + [Counter("a", 100 + 2 * step + n, "nginx") for n in range(2)]
    assert len([1 for name, _ in endpoint.now() if name == "hand_calls_total"]) == 1
