"""SIGTERM under load: what was answered as taken flows to its end, and nobody is left hanging."""

import http.client
import threading

import grpc
import pytest

from engine import poll
from otlp import Request
from wire import call, export


def numbered(number: int) -> bytes:
    return Request().resource(service_name="peers").gauge(f"drain.{number:06d}.end", number).bytes


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_all_that_was_taken_is_handled(engines, kind):
    engine = engines("logging")
    lock = threading.Lock()
    taken, refused, strange = [], [], []
    numbers = iter(range(1_000_000))

    def send():
        with grpc.insecure_channel(engine.otlp) as channel:
            while True:
                with lock:
                    number = next(numbers)
                try:
                    if kind == "grpc":
                        call(channel, numbered(number), timeout=10)
                        status = 200
                    else:
                        status = export(engine.otlp, numbered(number)).status
                except grpc.RpcError as error:
                    status = 503 if error.code() == grpc.StatusCode.UNAVAILABLE else error
                except (OSError, http.client.HTTPException):
                    status = 503  # Nobody listens any more.
                with lock:
                    (taken if status == 200 else refused if status == 503 else strange).append((number, status))
                if status != 200:
                    return

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    poll("it runs", lambda: len(taken) > 200)
    engine.drain(within=15)
    for sender in senders:
        sender.join(15)
        assert not sender.is_alive()
    assert not strange
    lost = [number for number, _ in taken if f"drain.{number:06d}.end" not in engine.log]
    assert not lost, f"{len(lost)} of {len(taken)} requests that were answered 200 are lost"


def test_an_idle_connection_does_not_hold_up_the_end(engines):
    engine = engines("logging")
    connection = http.client.HTTPConnection(engine.otlp, timeout=10)
    connection.request("POST", "/v1/metrics", body=numbered(1), headers={"content-type": "application/x-protobuf"})
    assert connection.getresponse().read() == b""
    with grpc.insecure_channel(engine.otlp) as channel:
        call(channel, numbered(2))
        engine.drain(within=10)
    connection.close()


def test_a_request_that_never_ends_does_not_hold_up_the_end(engines):
    engine = engines("logging", sets=["engine.drain_timeout=3s"])
    connection = http.client.HTTPConnection(engine.otlp, timeout=10)
    connection.putrequest("POST", "/v1/metrics")
    connection.putheader("content-type", "application/x-protobuf")
    connection.putheader("content-length", "1000")
    connection.endheaders(b"only this")
    engine.drain(within=15)
    connection.close()
