"""Requests that are refused whole: each is counted on the engine's own metrics by protocol and reason, and the log tells."""

import gzip
import json

import grpc
import pytest

from engine import poll
from exposition import refused_requests
from otlp import Request, one_point
from test_otlp_grpc import Stream, framed
from wire import EXPORT, JSON, call, export, raw, send

LIMIT = 1 << 20


def failing(address: str, message: bytes, **options):
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError):
        call(channel, message, **options)


def cases():
    yield "http", "malformed", "protobuf", lambda at: export(at, b"\xff" * 20)
    yield "http", "malformed", "json", lambda at: export(at, b'{"resourceMetrics": [', JSON)
    yield "http", "malformed", "gzip", lambda at: export(at, b"this is no gzip", encoding="gzip")
    yield "http", "malformed", "packed", lambda at: export(at, gzip.compress(b"\xff" * 20), encoding="gzip")
    yield "http", "too_large", "as sent", lambda at: export(at, bytes(LIMIT + 1))
    yield "http", "too_large", "unpacked", lambda at: export(at, gzip.compress(bytes(LIMIT + 1)), encoding="gzip")
    yield "http", "content_type", "other", lambda at: export(at, one_point().bytes, "text/plain")
    yield "http", "content_type", "none", lambda at: send(at, body=one_point().bytes)
    yield "http", "encoding", "zstd", lambda at: export(at, one_point().bytes, encoding="zstd")
    yield "grpc", "malformed", "protobuf", lambda at: failing(at, b"\xff" * 9)
    yield "grpc", "malformed", "gzip", lambda at: Stream(at, framed(b"no gzip", flag=1), grpc_encoding="gzip")
    yield "grpc", "malformed", "cut", lambda at: Stream(at, framed(b"abc", length=9))
    yield "grpc", "malformed", "timeout", lambda at: Stream(at, framed(b""), grpc_timeout="1x")
    yield "grpc", "too_large", "as sent", lambda at: failing(at, bytes(LIMIT + 1))
    yield "grpc", "too_large", "unpacked", lambda at: failing(at, bytes(LIMIT + 1), compression=grpc.Compression.Gzip)
    yield "grpc", "encoding", "snappy", lambda at: Stream(at, framed(b"x", flag=1), grpc_encoding="snappy")
    yield "grpc", "content_type", "json", lambda at: Stream(at, b"{}", content_type="application/json")


@pytest.mark.parametrize("protocol,reason,act", [pytest.param(p, r, a, id=f"{p} {r} {n}") for p, r, n, a in cases()])
def test_a_refused_request_is_counted_once_by_its_reason(intake, protocol, reason, act):
    before = refused_requests(intake)
    act(intake.otlp)
    assert grown(before, refused_requests(intake)) == {(protocol, reason): 1}


def grown(before: dict, after: dict) -> dict:
    return {key: value - before[key] for key, value in after.items() if value != before[key]}


def test_what_is_taken_or_served_nowhere_is_not_counted(intake):
    before = refused_requests(intake)
    assert export(intake.otlp, one_point().bytes).status == 200
    # Points may be refused without the request.
    assert export(intake.otlp, Request().gauge("a", 1, now=0).bytes).status == 200
    assert send(intake.otlp, "GET", body=None).status == 405
    assert send(intake.otlp, path="/v1/traces").status == 404
    with grpc.insecure_channel(intake.otlp) as channel:
        call(channel, one_point().bytes)
    failing(intake.otlp, b"", path=EXPORT + "/")
    assert refused_requests(intake) == before


HEADS = {
    "two lengths": (b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, 3),
    "nonsense": (b"nonsense\r\n\r\n", 400, 3),
    "chunk": (b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, 3),
    "expectation": (b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nExpect: much\r\n\r\n", 417, 3),
    "large head": (b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nX-Large: " + b"x" * (1 << 16) + b"\r\n\r\n", 431, 8),
    "coding": (b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, 12),
    "version": (b"POST /v1/metrics HTTP/3.0\r\nHost: a\r\n\r\n", 505, 12),
}


@pytest.mark.parametrize("head,status,code", HEADS.values(), ids=HEADS)
def test_what_is_no_request_is_answered_by_a_status_and_counted(intake, head, status, code):
    before = refused_requests(intake)
    fields, body = raw(intake.otlp, head).split(b"\r\n\r\n", 1)
    assert fields.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/json" in fields.lower()
    answer = json.loads(body)
    assert answer["code"] == code and answer["message"]
    assert grown(before, refused_requests(intake)) == {("http", "http"): 1}


def test_metadata_that_is_too_large_is_resource_exhausted(intake):
    before = refused_requests(intake)
    assert Stream(intake.otlp, framed(b""), x_large="x" * 17_000).code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert grown(before, refused_requests(intake)) == {("grpc", "http"): 1}


def test_the_log_says_who_and_why_once_a_minute(engines):
    engine = engines("intake")

    def lines() -> list[str]:
        return [line for line in engine.log.splitlines() if "requests are refused" in line and "reason=malformed" in line]

    for _ in range(20):
        assert export(engine.otlp, b"\xff" * 20, user_agent="peers/1").status == 400
    poll("a line in the log", lines)
    for _ in range(20):
        assert export(engine.otlp, b"\xff" * 20).status == 400
    assert refused_requests(engine)["http", "malformed"] == 40
    (line,) = lines()
    assert " warning otlp: " in line and "points are lost" in line
    for part in ("peer=127.0.0.1:", "user_agent=peers/1", "protocol=http", "what=", "left_out="):
        assert part in line, line
