"""Unix sockets: nobody's live one is taken, a dead one is replaced, and one that was taken away comes back."""

import http.client
import pathlib
import re
import signal
import socket

import pytest

from engine import poll
from otlp import one_point
from wire import PROTOBUF

GRAPH = """\
graph: peers-unix
version: 1
engine:
  listen: ["127.0.0.1:${env:ENGINE_PORT}"]
  admin: {listen: ["127.0.0.1:${env:ADMIN_PORT}"]}
receivers:
  otlp: {listen: ["unix:%s"]}
exporters:
  endpoint: {type: prometheus, from: otlp, listen: "127.0.0.1:${env:FULL_PORT}"}
"""


@pytest.fixture
def path(tmp_path) -> pathlib.Path:
    return tmp_path / "otlp.sock"


@pytest.fixture
def graph(tmp_path, path) -> pathlib.Path:
    file = tmp_path / "graph.yaml"
    file.write_text(GRAPH % path)
    return file


class Connection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def takes(path: pathlib.Path) -> bool:
    """Whether a request by the socket is answered 200."""
    connection = Connection(path)
    try:
        connection.request("POST", "/v1/metrics", body=one_point().bytes, headers={"content-type": PROTOBUF})
        return connection.getresponse().status == 200
    finally:
        connection.close()


def test_another_process_keeps_its_socket(engines, graph, path):
    first = engines(graph)
    inode = path.stat().st_ino
    with pytest.raises(RuntimeError, match=f"(?s)ended with 2.*{re.escape(str(path))}.*another process listens there already"):
        engines(graph)
    assert path.stat().st_ino == inode
    assert takes(path)
    first.drain()
    assert not path.exists()


def test_a_socket_without_room_is_in_use_too(engines, graph, path):
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as one:
        other.bind(str(path))
        other.listen(0)
        one.connect(str(path))
        with pytest.raises(RuntimeError, match="(?s)ended with 2.*another process listens there already"):
            engines(graph)
        assert path.exists()


def test_what_a_killed_process_left_is_replaced(engines, graph, path):
    first = engines(graph)
    first.kill()
    assert path.exists()
    second = engines(graph)
    assert takes(path)
    second.drain()
    assert not path.exists()


def test_a_reload_puts_back_a_socket_that_was_removed(engines, graph, path):
    engine = engines(graph)
    path.unlink()
    engine.process.send_signal(signal.SIGHUP)
    poll("the socket is there", path.exists)
    poll("requests are taken", lambda: takes(path))


def test_a_reload_takes_back_a_socket_once_the_other_has_gone(engines, graph, path):
    engine = engines(graph)
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        engine.process.send_signal(signal.SIGHUP)
        poll("it is told", lambda: f"an address cannot be had again: unix:{path}: another process listens there already" in engine.log)
    engine.process.send_signal(signal.SIGHUP)
    poll("requests are taken", lambda: takes(path))
