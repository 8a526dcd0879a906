"""What senders are told while the graph cannot take more, and that nothing is booked twice or lost by it."""

import threading
import time

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2

from engine import fetch, poll
from exposition import refused_requests
from lease import Lease
from otlp import Request, one_point
from wire import JSON, PROTOBUF, call, export, find, retry_info


@pytest.fixture(scope="module")
def refusing(engines):
    engine = engines("refusing")
    # The resident size is read only after a while.
    poll("the memory limit is passed", lambda: export(engine.otlp, b"").status == 503)
    return engine


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_over_the_memory_limit_http_gets_503_with_retry_after(refusing, media):
    answer = export(refusing.otlp, b"{}", media)
    assert (answer.status, answer.type) == (503, media)
    assert answer.headers["retry-after"] == "3"  # 2.5 s, rounded up
    assert answer.rpc_status.code == code_pb2.UNAVAILABLE
    assert find(answer.rpc_status, error_details_pb2.RetryInfo()).retry_delay.ToMilliseconds() == 2500


def test_over_the_memory_limit_grpc_gets_unavailable_with_retry_info(refusing):
    with grpc.insecure_channel(refusing.otlp) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, one_point().bytes)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert retry_info(caught.value).retry_delay.ToMilliseconds() == 2500


def test_over_the_memory_limit_requests_are_counted_and_the_log_says_what_to_do(refusing):
    before = refused_requests(refusing)
    assert export(refusing.otlp, b"").status == 503
    with grpc.insecure_channel(refusing.otlp) as channel, pytest.raises(grpc.RpcError):
        call(channel, one_point().bytes)
    after = refused_requests(refusing)
    assert {key: after[key] - before[key] for key in after if after[key] != before[key]} == {
        ("http", "memory"): 1,
        ("grpc", "memory"): 1,
    }
    poll("a line in the log", lambda: "raise `memory_limiter`" in refusing.log)


def test_over_the_memory_limit_the_engine_still_answers_questions(refusing):
    assert fetch(f"{refusing.url('ENGINE_PORT')}/health")[0] == 200
    assert fetch(f"{refusing.url('FULL_PORT')}/metrics")[0] == 200


class Stuck:
    """An engine with a node that stands still until `release`."""

    def __init__(self, engines, directory, **options):
        flag = directory / "flag"
        flag.write_text("off\n")
        self.lease = Lease(flag)
        self.engine = engines("stuck", env={"FLAG_FILE": str(flag)}, **options)

    def release(self):
        self.lease.release()

    def fill(self) -> list[int]:
        """Sends until a request is refused: the answers."""
        statuses = []
        end = time.monotonic() + 30
        while not statuses or statuses[-1] == 200:
            assert time.monotonic() < end, f"never full: {statuses}"
            statuses.append(export(self.engine.otlp, many(len(statuses))).status)
        return statuses


def many(number: int) -> bytes:
    request = Request().resource(service_name=f"peers-{number}")
    for point in range(200):
        request.gauge(f"stuck.{number}.{point}", point, filler="x" * 100)
    return request.bytes


@pytest.fixture
def stuck(engines, tmp_path):
    stuck = Stuck(engines, tmp_path)
    yield stuck
    stuck.release()
    stuck.engine.drain()


def test_a_full_graph_refuses_after_max_wait_and_takes_again_when_it_moves(stuck):
    statuses = stuck.fill()
    assert statuses[-1] == 503
    refused = len(statuses) - 1
    again = export(stuck.engine.otlp, many(refused), JSON)
    assert again.status in (400, 503)
    stuck.release()
    poll("the graph takes requests again", lambda: export(stuck.engine.otlp, many(10_000)).status == 200)
    for number in [n for n, status in enumerate(statuses) if status == 200] + [10_000]:
        poll(f"request {number} in the log", lambda: f"stuck.{number}.199" in stuck.engine.log)
    assert f"stuck.{refused}." not in stuck.engine.log, "a refused request was booked all the same"


def test_a_full_graph_says_when_to_try_again(stuck):
    stuck.fill()
    start = time.monotonic()
    answer = export(stuck.engine.otlp, one_point().bytes)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "3"
    assert find(answer.rpc_status, error_details_pb2.RetryInfo()).retry_delay.ToSeconds() == 3
    with grpc.insecure_channel(stuck.engine.otlp) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, one_point().bytes, timeout=15)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert retry_info(caught.value).retry_delay.ToSeconds() == 3
    assert time.monotonic() - start < 10


def test_requests_that_a_full_graph_refuses_are_counted(stuck):
    refused = sum(status == 503 for status in stuck.fill())
    assert refused_requests(stuck.engine)["http", "busy"] == refused
    with grpc.insecure_channel(stuck.engine.otlp) as channel, pytest.raises(grpc.RpcError):
        call(channel, one_point().bytes, timeout=15)
    assert refused_requests(stuck.engine)["grpc", "busy"] == 1


def test_a_deadline_passes_while_the_graph_is_full(stuck):
    stuck.fill()
    with grpc.insecure_channel(stuck.engine.otlp) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, one_point().bytes, timeout=0.2)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_several_senders_of_a_full_graph_are_all_answered(stuck):
    stuck.fill()
    statuses = []
    senders = [threading.Thread(target=lambda: statuses.append(export(stuck.engine.otlp, one_point().bytes).status)) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(20)
    assert statuses == [503] * 8


def test_a_full_graph_still_tells_that_it_lives(stuck):
    stuck.fill()
    assert fetch(f"{stuck.engine.url('ENGINE_PORT')}/health")[0] == 200
