"""Load from processes of their own: OTLP over HTTP and gRPC as fast as it is answered, and scrapers beside it.

Each sender has bodies of its own and sends them round after round, the next request when the last is answered; in a round
every counter of a body is worth its number, so that what must come out is known. What is refused for want of room is sent
again; whatever else goes wrong is a failure.
"""

import http.client
import multiprocessing
import struct
import threading
import time
from dataclasses import dataclass, field

import grpc

from otlp import Request
from wire import EXPORT, PROTOBUF

METRICS = ("process.cpu.time", "process.disk.read", "process.disk.written", "process.faults", "process.waits", "process.calls")
PROCESSES = 250
POINTS = PROCESSES * len(METRICS)
# Fixed-width fields that are written anew for each request, and stand nowhere else.
TIME_MARK, VALUE_MARK = 0x7E57_1357_7E57_2468, 0x1357_7E57_2468_7E57

_spawn = multiprocessing.get_context("spawn")


def template(host: int, start: int) -> bytes:
    """One host: its processes by twos are of one program, so that without `process.pid` half as many series are left."""
    request = Request()
    for process in range(PROCESSES):
        request.resource_of(
            {"host.name": f"host-{host}", "process.pid": process, "process.executable.name": f"program-{process // 2}"}
        )
        for name in METRICS:
            request.sum(name, VALUE_MARK, start, TIME_MARK)
    return request.bytes


def filled(body: bytes, value: int) -> bytes:
    stamped = body.replace(struct.pack("<Q", TIME_MARK), struct.pack("<Q", time.time_ns()))
    return stamped.replace(struct.pack("<q", VALUE_MARK), struct.pack("<q", value))


@dataclass
class Sent:
    """What a sender saw: for each request when it began and how long it took, in seconds of the monotonic clock."""

    kind: str
    hosts: int
    rounds: int = 0
    requests: list[tuple[float, float]] = field(default_factory=list)
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """What each metric must have come to."""
        return self.hosts * PROCESSES * self.rounds


class _HTTP:
    def __init__(self, address: str):
        self.connection = http.client.HTTPConnection(address, timeout=30)
        self.connection.connect()
        self.socket = self.connection.sock

    def send(self, body: bytes) -> str:
        self.connection.request("POST", "/v1/metrics", body=body, headers={"content-type": PROTOBUF})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status == 503 and answer.headers["retry-after"]:
            return "full"
        if self.connection.sock is not self.socket:
            return "the connection was closed"
        return "" if answer.status == 200 and not text else f"{answer.status} {text[:200]!r}"


class _GRPC:
    def __init__(self, address: str):
        self.channel = grpc.insecure_channel(address)
        grpc.channel_ready_future(self.channel).result(30)
        same = lambda one: one  # noqa: E731
        self.call = self.channel.unary_unary(EXPORT, request_serializer=same, response_deserializer=same)

    def send(self, body: bytes) -> str:
        try:
            answer = self.call(body, timeout=30)
        except grpc.RpcError as error:
            told = {key for key, _ in error.trailing_metadata() or ()}
            if error.code() is grpc.StatusCode.UNAVAILABLE and "grpc-status-details-bin" in told:
                return "full"
            return f"{error.code()} {error.details()}"
        return "" if not answer else f"answered {answer[:200]!r}"


def _drive(kind: str, address: str, hosts: range, start: int, pause: float, begun, stop, result):
    sent = Sent(kind, len(hosts))
    try:
        bodies = [template(host, start) for host in hosts]
        peer = {"http": _HTTP, "grpc": _GRPC}[kind](address)
        while not (stop.is_set() and sent.rounds):
            sent.rounds += 1
            for body in bodies:
                _send(peer, filled(body, sent.rounds), sent)
                time.sleep(pause)
            if sent.rounds == 1:
                begun.release()
    except Exception as error:  # told to the test, which fails by it
        sent.failures.append(repr(error))
    begun.release()
    result.put(sent)


def _send(peer, body: bytes, sent: Sent):
    while True:
        began = time.monotonic()
        problem = peer.send(body)
        sent.requests.append((began, time.monotonic() - began))
        if problem != "full":
            break
        sent.refused += 1
        time.sleep(0.05)
    if problem:
        sent.failures.append(problem)


@dataclass
class Scraped:
    """What the scraper of one endpoint saw."""

    namespace: str
    port: int
    scrapes: int = 0
    series: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def _scrape(ports: dict[str, int], every: float, stop, result):
    scraped = [Scraped(namespace, port) for namespace, port in ports.items()]
    threads = [threading.Thread(target=_scrape_one, args=(one, every, stop)) for one in scraped]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.put(scraped)


def _scrape_one(one: Scraped, every: float, stop):
    """A connection for each scrape; there must never be fewer series than before."""
    begin = f"\n{one.namespace}_process_".encode()
    while not stop.wait(every):
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=30)
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            series = answer.read().count(begin)
            connection.close()
            if answer.status != 200 or series < one.series:
                one.failures.append(f"{answer.status} with {series} series, after {one.series}")
            one.series = max(one.series, series)
            one.slowest = max(one.slowest, time.monotonic() - began)
            one.scrapes += 1
        except (OSError, http.client.HTTPException) as error:
            one.failures.append(repr(error))


class Load:
    """Two senders by HTTP, two by gRPC, and a scraper for each endpoint; begins with the first round of all.

    `every` is the time between scrapes, `pause` that between a sender's requests, in seconds.
    """

    def __init__(self, engine, endpoints: dict[str, str], hosts: int, every=1.0, pause=0.0):
        self.hosts, self.stop_senders, self.stop_scrapers = hosts, _spawn.Event(), _spawn.Event()
        self.sent, self.scraped, begun = _spawn.Queue(), _spawn.Queue(), _spawn.Semaphore(0)
        start = time.time_ns()
        self.processes = []
        for index, kind in enumerate(("http", "grpc", "http", "grpc")):
            mine = range(hosts * index // 4, hosts * (index + 1) // 4)
            arguments = (kind, engine.otlp, mine, start, pause, begun, self.stop_senders, self.sent)
            self.processes.append(_spawn.Process(target=_drive, args=arguments, daemon=True))
        ports = {namespace: engine.port(name) for name, namespace in endpoints.items()}
        self.processes.append(
            _spawn.Process(target=_scrape, args=(ports, every, self.stop_scrapers, self.scraped), daemon=True)
        )
        for process in self.processes[:-1]:
            process.start()
        for _ in self.processes[:-1]:
            assert begun.acquire(timeout=120), "a sender did not come to its second round"
        self.processes[-1].start()

    def finish(self, settled) -> tuple[list[Sent], list[Scraped]]:
        """Ends the senders, waits until `settled` says that all has arrived, and ends the scrapers."""
        self.stop_senders.set()
        sent = [self.sent.get(timeout=120) for _ in self.processes[:-1]]
        try:
            settled(sent)
        finally:
            self.stop_scrapers.set()
            scraped = self.scraped.get(timeout=120)
            for process in self.processes:
                process.join(10)
        return sent, scraped


def p99(latencies: list[float]) -> float:
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
