"""OTLP/HTTP: every answer that a client can cause."""

import gzip
import json
import os
import re
import socket
import time
import zlib

import h2.config
import h2.connection
import h2.events
import pytest
from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2

from engine import without_privileges
from otlp import Request, one_point
from wire import JSON, PROTOBUF, curl, export, export_json, find, raw, send

LIMIT = 1 << 20


def text_gauge(value: str) -> bytes:
    """A request about as large as `value`."""
    return Request().resource(service_name=value).gauge("peers.large", 1).bytes


def test_success_is_an_empty_protobuf_message(intake):
    answer = export(intake.otlp, one_point().bytes)
    assert (answer.status, answer.type, answer.body) == (200, PROTOBUF, b"")


def test_every_address_takes_http(intake):
    for port in ("OTLP_PORT", "OTLP_PORT_2"):
        assert export(f"127.0.0.1:{intake.port(port)}", one_point().bytes).status == 200


@pytest.mark.skipif(os.geteuid() == 0 and not without_privileges(), reason="root may not give its privileges away here")
def test_no_privilege_is_needed(intake):
    with open(f"/proc/{intake.process.pid}/status") as status:
        held = next(line for line in status if line.startswith("CapEff:"))
    assert int(held.split()[1], 16) == 0
    assert export(intake.otlp, one_point().bytes).status == 200


def test_success_in_json_is_an_empty_object(intake):
    answer = export_json(intake.otlp, {"resourceMetrics": []})
    assert (answer.status, answer.type, json.loads(answer.body)) == (200, JSON, {})


@pytest.mark.parametrize("body", [b"", Request().resource().bytes, b"\x0a\x00"], ids=["nothing", "resource", "envelope"])
def test_empty_requests_succeed(intake, body):
    assert export(intake.otlp, body).status == 200


def test_chunked_bodies_are_taken(intake):
    body = one_point().bytes
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    answer = raw(
        intake.otlp,
        b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_get_405_and_the_method_that_is_allowed(intake, method):
    answer = send(intake.otlp, method, body=None)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        assert answer.rpc_status.message


@pytest.fixture(scope="module")
def shared(engines):
    """A receiver that takes from pages of other origins."""
    return engines("cors")


PAGE = "https://app.example.com"


def preflight(engine, origin, **more):
    asked = {"origin": origin, "access-control-request-method": "POST"} | more
    return send(engine.otlp, "OPTIONS", body=None, headers=asked)


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
def test_a_browser_that_asks_beforehand_is_told_what_it_may_send(shared, origin):
    answer = preflight(shared, origin)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "Accept, Accept-Language, Content-Type, Content-Language, X-Key"
    assert answer.headers["access-control-max-age"] == "7200"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example.com", "https://app.example.com.evil", "null"])
def test_a_page_of_another_origin_is_allowed_nothing(shared, origin):
    for answer in (preflight(shared, origin), export(shared.otlp, one_point().bytes, origin=origin)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_reads_what_it_is_answered_good_or_bad(shared):
    page = {"origin": PAGE}
    for answer, status in [
        (export(shared.otlp, one_point().bytes, origin=PAGE), 200),
        (export(shared.otlp, b"\xff", origin=PAGE), 400),
        (export(shared.otlp, b"", type="text/plain", origin=PAGE), 415),
        (send(shared.otlp, "GET", body=None, headers=page), 405),
        (export(shared.otlp, os.urandom(2 << 20), origin=PAGE), 413),
    ]:
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "origin" in answer.headers["vary"]


def test_without_cors_no_answer_speaks_of_it(intake):
    assert preflight(intake, PAGE).status == 405
    answer = export(intake.otlp, one_point().bytes, origin=PAGE)
    assert answer.status == 200 and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/v1/metric", "/v1/metrics/", "/V1/METRICS", "/v2/metrics"])
def test_unknown_paths_get_404(intake, path):
    answer = send(intake.otlp, path=path, headers={"content-type": PROTOBUF})
    assert answer.status == 404
    assert answer.rpc_status.code == code_pb2.UNIMPLEMENTED


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1development/profiles"])
@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_other_signals_get_404_with_a_status_in_the_requests_encoding(intake, path, media):
    answer = send(intake.otlp, path=path, headers={"content-type": media})
    assert (answer.status, answer.type) == (404, media)
    assert answer.rpc_status.code == code_pb2.UNIMPLEMENTED
    assert answer.rpc_status.message


@pytest.mark.parametrize("media", ["application/X-PROTOBUF", "application/x-protobuf; charset=utf-8", "Application/Json;a=b"])
def test_media_types_are_compared_without_case_and_parameters(intake, media):
    body = b"{}" if "json" in media.lower() else one_point().bytes
    answer = export(intake.otlp, body, media)
    assert answer.status == 200
    assert answer.type in (PROTOBUF, JSON)


@pytest.mark.parametrize("media", [None, "text/plain", "application/protobuf", "application/grpc"])
def test_other_media_types_get_415(intake, media):
    answer = send(intake.otlp, body=one_point().bytes, headers={"content-type": media} if media else {})
    assert (answer.status, answer.type) == (415, JSON)
    assert "application/x-protobuf" in answer.rpc_status.message


@pytest.mark.parametrize("encoding", ["zstd", "br", "snappy", "gzip, gzip"])
def test_unknown_encodings_get_415_and_those_that_are_taken(intake, encoding):
    answer = export(intake.otlp, one_point().bytes, encoding=encoding)
    assert answer.status == 415
    assert "gzip" in answer.headers["accept-encoding"]
    assert answer.rpc_status.code == code_pb2.INVALID_ARGUMENT


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "identity", "", "deflate"])
def test_known_encodings_are_taken(intake, encoding):
    body = one_point().bytes
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(encoding.lower(), bytes)(body)
    assert export(intake.otlp, packed, encoding=encoding).status == 200


def test_gzip_of_several_members_is_one_body(intake):
    body = one_point().bytes
    answer = export(intake.otlp, gzip.compress(body[:10]) + gzip.compress(body[10:]), encoding="gzip")
    assert answer.status == 200


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: b"this is no gzip",
        lambda packed: packed[:-9],
        lambda packed: packed[:-8] + bytes(8),
        lambda packed: packed[:12] + bytes(len(packed) - 12),
        lambda packed: packed + b"trailing",
        lambda packed: b"",
    ],
    ids=["not gzip", "cut", "wrong checksum", "zeros", "trailing bytes", "nothing"],
)
def test_corrupt_gzip_gets_400(intake, damage):
    answer = export(intake.otlp, damage(gzip.compress(one_point().bytes)), encoding="gzip")
    assert answer.status == 400, answer
    assert answer.rpc_status.code == code_pb2.INVALID_ARGUMENT
    assert find(answer.rpc_status, error_details_pb2.BadRequest()) is not None


def test_a_body_up_to_the_limit_is_taken(intake):
    padding = LIMIT - len(text_gauge("x" * (LIMIT - 1000))) + LIMIT - 1000
    body = text_gauge("x" * padding)
    assert len(body) == LIMIT
    assert export(intake.otlp, body).status == 200
    assert export(intake.otlp, gzip.compress(body), encoding="gzip").status == 200


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_a_larger_body_gets_413(intake, media):
    answer = export(intake.otlp, bytes(LIMIT + 1), media)
    assert (answer.status, answer.type) == (413, media)
    assert answer.rpc_status.code == code_pb2.RESOURCE_EXHAUSTED
    assert find(answer.rpc_status, error_details_pb2.RetryInfo()) is None


def test_a_larger_chunked_body_gets_413(intake):
    chunk = b"%x\r\n%s\r\n" % (1 << 18, bytes(1 << 18))
    answer = raw(
        intake.otlp,
        b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4 + b"1\r\nx\r\n0\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_gzip_bomb_gets_413_quickly(intake):
    bomb = gzip.compress(bytes(64 << 20))
    assert len(bomb) < LIMIT
    start = time.monotonic()
    answer = export(intake.otlp, bomb, encoding="gzip")
    assert answer.status == 413
    assert time.monotonic() - start < 10


def test_gzip_that_grows_one_byte_past_the_limit_gets_413(intake):
    assert export(intake.otlp, gzip.compress(bytes(LIMIT + 1)), encoding="gzip").status == 413


@pytest.mark.parametrize("body", [b"\xff" * 20, one_point().bytes[:-3], b"\x0a\x7f", b"{}"], ids=["noise", "cut", "length", "json"])
def test_malformed_protobuf_gets_400_with_a_bad_request_detail(intake, body):
    answer = export(intake.otlp, body)
    assert (answer.status, answer.type) == (400, PROTOBUF)
    assert answer.rpc_status.code == code_pb2.INVALID_ARGUMENT
    assert find(answer.rpc_status, error_details_pb2.BadRequest()).field_violations


def test_text_that_is_not_utf8_gets_400(intake):
    body = one_point("peers.utf").bytes.replace(b"peers.utf", b"peers.\xff\xfef")
    assert export(intake.otlp, body).status == 400


def test_unknown_fields_are_skipped(intake):
    unknown = b"\xf2\x3f\x03abc" + b"\xf8\x3f\x01" + b"\xfb\x3f\xfc\x3f"  # bytes, varint, a group, all of field 1023
    assert export(intake.otlp, one_point().bytes + unknown).export.ByteSize() == 0


def refusals():
    start = time.time_ns() - 10_000_000_000
    yield "no time", Request().gauge("a", 1, now=0), "time_unix_nano"
    yield "no value", Request().gauge("a", None), "as_double"
    yield "temporality", Request().sum("a", 1, start, temporality=0), "temporality"
    yield "bucket count", Request().histogram("a", [1.0, 2.0], [1, 2], 3.0, start), "bucket_counts"
    yield "bounds", Request().histogram("a", [2.0, 1.0], [1, 2, 3], 3.0, start), "explicit_bounds"
    yield "equal bounds", Request().histogram("a", [1.0, 1.0], [1, 2, 3], 3.0, start), "explicit_bounds"
    yield "count", Request().histogram("a", [1.0], [1, 2], 3.0, start, count=4), "count"


@pytest.mark.parametrize("request_,word", [pytest.param(r, w, id=n) for n, r, w in refusals()])
@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_invalid_points_are_refused_and_the_others_taken(intake, request_, word, media):
    message = type(request_.message)()
    message.CopyFrom(request_.message)
    mixed = Request()
    mixed.message = message
    mixed.gauge("peers.good", 1)
    body = mixed.bytes
    if media == JSON:
        body = json_format.MessageToJson(message, use_integers_for_enums=True).encode()
    partial = export(intake.otlp, body, media).export.partial_success
    assert partial.rejected_data_points == 1
    assert word in partial.error_message


def test_refusals_are_counted_by_reason_in_one_message(intake):
    many = Request().gauge("a", 1, now=0).gauge("b", 1, now=0).sum("c", 1, 1, temporality=0).gauge("d", 1)
    partial = export(intake.otlp, many.bytes).export.partial_success
    assert partial.rejected_data_points == 3
    assert "2 refused" in partial.error_message and "1 refused" in partial.error_message


def test_no_recorded_value_needs_no_value(intake):
    request = Request().gauge("peers.gone", None)
    request.message.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0].flags = 1
    assert export(intake.otlp, request.bytes).export.ByteSize() == 0


def test_expect_continue_is_answered_before_the_body(intake):
    body = one_point().bytes
    host, port = intake.otlp.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        peer.sendall(
            b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert peer.recv(1000).startswith(b"HTTP/1.1 100 ")
        peer.sendall(body)
        assert peer.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_expect_continue_is_refused_at_once_where_the_body_is_too_large(intake):
    host, port = intake.otlp.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        peer.sendall(
            b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/x-protobuf\r\nContent-Length: 99999999\r\n\r\n"
        )
        assert peer.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_curl_sends_a_large_body(intake, tmp_path):
    body = text_gauge("x" * 900_000)
    done = curl(
        "-w", "%{http_code}", "-H", "Expect: 100-continue", "-H", f"content-type: {PROTOBUF}", "--data-binary", "@-",
        f"http://{intake.otlp}/v1/metrics", data=body,
    )
    assert (done.returncode, done.stdout) == (0, b"200"), done.stderr


def test_curl_sends_by_http2_prior_knowledge(intake):
    done = curl(
        "--http2-prior-knowledge", "-w", "%{http_code} %{http_version}", "-H", f"content-type: {PROTOBUF}",
        "--data-binary", "@-", f"http://{intake.otlp}/v1/metrics", data=one_point().bytes,
    )
    assert (done.returncode, done.stdout) == (0, b"200 2"), done.stderr


def test_curl_sends_large_bodies_through_flow_control(intake):
    """More than the initial windows of HTTP/2 on one connection, several times."""
    url = f"http://{intake.otlp}/v1/metrics"
    one = ["--http2-prior-knowledge", "-w", "%{http_code} ", "-H", f"content-type: {PROTOBUF}", "--data-binary", "@-", url]
    for _ in range(3):
        done = curl(*one, data=text_gauge("x" * 1_000_000))
        assert (done.returncode, done.stdout) == (0, b"200 "), done.stderr


def test_h2_gets_413_and_then_a_reset_without_error(intake):
    """RFC 9113, 8.1: a complete answer before the request's end, then NO_ERROR. (curl 7.88 cannot read that.)"""
    host, port = intake.otlp.split(":")
    status, reset = None, None
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        connection.initiate_connection()
        fields = [(":method", "POST"), (":scheme", "http"), (":authority", host), (":path", "/v1/metrics")]
        connection.send_headers(1, fields + [("content-type", PROTOBUF), ("content-length", str(LIMIT + 1))])
        connection.send_data(1, bytes(10_000))
        peer.sendall(connection.data_to_send())
        while reset is None:
            data = peer.recv(65536)
            assert data, "the connection ended early"
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = dict(event.headers)[":status"]
                if isinstance(event, h2.events.StreamReset):
                    reset = event.error_code
            peer.sendall(connection.data_to_send())
    assert (status, reset) == ("413", 0)


def test_an_upgrade_to_h2c_is_ignored(intake):
    done = curl(
        "--http2", "-w", "%{http_code} %{http_version}", "-H", f"content-type: {PROTOBUF}", "--data-binary", "@-",
        f"http://{intake.otlp}/v1/metrics", data=one_point().bytes,
    )
    assert (done.returncode, done.stdout) == (0, b"200 1.1"), done.stderr


def test_h2_gets_the_same_answers(intake):
    """Several requests on one connection by another HTTP/2 implementation."""
    host, port = intake.otlp.split(":")
    wanted = {
        1: ("/v1/metrics", PROTOBUF, one_point().bytes, "200"),
        3: ("/v1/metrics", PROTOBUF, b"\xff\xff", "400"),
        5: ("/v1/traces", PROTOBUF, b"", "404"),
        7: ("/v1/metrics", "text/plain", b"x", "415"),
    }
    seen: dict[int, str] = {}
    ended = set()
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        connection.initiate_connection()
        for stream, (path, media, body, _) in wanted.items():
            fields = [(":method", "POST"), (":scheme", "http"), (":authority", host), (":path", path), ("content-type", media)]
            connection.send_headers(stream, fields)
            connection.send_data(stream, body, end_stream=True)
        peer.sendall(connection.data_to_send())
        while len(ended) < len(wanted):
            data = peer.recv(65536)
            assert data, f"the connection ended early: {seen}"
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    seen[event.stream_id] = dict(event.headers)[":status"]
                if isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
            peer.sendall(connection.data_to_send())
    assert seen == {stream: status for stream, (_, _, _, status) in wanted.items()}


def test_a_connection_is_kept_and_serves_pipelined_requests_in_order(intake):
    body = one_point().bytes
    good = (
        b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n" % len(body)
    )
    bad = b"GET /v1/metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    answers = raw(intake.otlp, good + b"\r\n" + body + bad + good + b"Connection: close\r\n\r\n" + body)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", answers) == [b"200", b"405", b"200"]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/metrics HTTP/1.1\r\nHost : a\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
    ids=["two lengths", "length and chunks", "negative length", "space before colon", "nonsense"],
)
def test_ambiguous_requests_are_refused_and_the_connection_closed(intake, head):
    assert raw(intake.otlp, head).startswith(b"HTTP/1.1 400 ")


def test_a_head_that_is_too_large_gets_431(intake):
    head = b"POST /v1/metrics HTTP/1.1\r\nHost: a\r\nX-Large: " + b"x" * (1 << 16) + b"\r\n\r\n"
    assert raw(intake.otlp, head).startswith(b"HTTP/1.1 431 ")
