"""More connections than there may be, and than there are file descriptors for: what must answer then does, and it is told."""

import contextlib
import http.client
import os
import resource
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

import engine as processes
from engine import fetch, poll
from otlp import one_point
from wire import export

REFUSED = "phoenix_http_refused_connections_total"


@contextlib.contextmanager
def idle_connections(engine, count: int):
    """Connections to a receiver on which nothing is said."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", engine.port("OTLP_PORT")), timeout=10))
        yield


class Question:
    """Asks for the engine's metrics, again and again over one connection: where no new one is accepted, too."""

    def __init__(self, engine):
        self.connection = http.client.HTTPConnection("127.0.0.1", engine.port("ENGINE_PORT"), timeout=10)

    def samples(self) -> dict[tuple[str, str], float]:
        """By name and `reason`."""
        self.connection.request("GET", "/metrics")
        text = self.connection.getresponse().read().decode()
        return {(one.name, one.labels.get("reason", "")): one.value for family in parse_text(text) for one in family.samples}

    def refused(self, reason: str) -> float:
        return self.samples()[REFUSED, reason]


@pytest.fixture
def few_descriptors(monkeypatch):
    """Engines may have 1024 file descriptors, and begin with 64."""
    rights = processes.without_privileges
    monkeypatch.setattr(processes, "without_privileges", lambda: ["prlimit", "--nofile=64:1024", *rights()])


def test_connections_leave_descriptors_for_what_must_answer(engines, few_descriptors):
    engine = engines("intake", log_level="debug")
    question = Question(engine)
    assert question.samples()["process_max_fds", ""] == 1024
    assert "the limit of open files" in engine.log
    with idle_connections(engine, 800):
        poll("connections are refused", lambda: question.refused("limit") > 0)
        for _ in range(10):
            assert fetch(f"{engine.url('ENGINE_PORT')}/health")[0] == 200
            assert fetch(f"{engine.url('FULL_PORT')}/metrics")[0] == 200
        assert question.refused("descriptors") == 0
        poll("it is told", lambda: "warning phoenix: connections are refused" in engine.log)
        assert "LimitNOFILE=" in engine.log
    poll("senders are served again", lambda: export(engine.otlp, one_point().bytes).status == 200)


def test_without_descriptors_it_waits_and_goes_on(engines):
    engine = engines("intake")
    pid = engine.process.pid
    question = Question(engine)
    assert question.refused("descriptors") == 0
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    begun = time.monotonic()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 4, before[1]))
    with idle_connections(engine, 20):
        poll("nothing is accepted", lambda: question.refused("descriptors") >= 3)
        # One address cannot accept, and tries again once a second.
        assert question.refused("descriptors") <= time.monotonic() - begun + 1
        poll("it is told", lambda: "no file descriptors are left" in engine.log)
        assert engine.log.count("no file descriptors are left") == 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        poll("connections are accepted again", lambda: fetch(f"{engine.url('ENGINE_PORT')}/health")[0] == 200)
        assert export(engine.otlp, one_point().bytes).status == 200
