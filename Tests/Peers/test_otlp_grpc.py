"""OTLP/gRPC: every answer that a client can cause, by grpcio and, where grpcio is too polite, by h2."""

import base64
import socket
import struct

import grpc
import h2.config
import h2.connection
import h2.events
import pytest
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from otlp import Request, one_point
from wire import EXPORT, call, retry_info

LIMIT = 1 << 20
SERVICE = "opentelemetry.proto.collector.metrics.v1.MetricsService"


@pytest.fixture(scope="module")
def channel(intake):
    with grpc.insecure_channel(intake.otlp) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return MetricsServiceStub(channel)


def large(size: int) -> bytes:
    def request(length):
        return Request().resource(service_name="x" * length).gauge("peers.large", 1).bytes

    return request(size - (len(request(size)) - size))


def code_of(call_):
    with pytest.raises(grpc.RpcError) as caught:
        call_()
    return caught.value


def test_success_leaves_partial_success_unset(stub):
    response = stub.Export(one_point().message, timeout=10)
    assert not response.HasField("partial_success")


def test_every_address_takes_grpc(intake):
    for port in ("OTLP_PORT", "OTLP_PORT_2"):
        with grpc.insecure_channel(f"127.0.0.1:{intake.port(port)}") as channel:
            MetricsServiceStub(channel).Export(one_point().message, timeout=10)


def test_an_empty_message_succeeds(stub):
    assert stub.Export(ExportMetricsServiceRequest(), timeout=10).ByteSize() == 0


def test_gzip_is_taken(stub):
    for _ in range(3):
        stub.Export(one_point().message, timeout=10, compression=grpc.Compression.Gzip)


def test_deflate_is_taken(stub):
    stub.Export(one_point().message, timeout=10, compression=grpc.Compression.Deflate)


def test_partial_success_counts_and_says_why(stub):
    request = Request().gauge("a", 1, now=0).gauge("b", None).gauge("c", 1)
    partial = stub.Export(request.message, timeout=10).partial_success
    assert partial.rejected_data_points == 2
    assert "time_unix_nano" in partial.error_message and "as_double" in partial.error_message


@pytest.mark.parametrize("body", [b"\xff" * 9, one_point().bytes[:-2]], ids=["noise", "cut"])
def test_a_malformed_message_is_an_invalid_argument(channel, body):
    error = code_of(lambda: call(channel, body))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details()
    assert retry_info(error) is None


def test_a_message_up_to_the_limit_is_taken(channel):
    assert len(large(LIMIT)) == LIMIT
    call(channel, large(LIMIT))
    call(channel, large(LIMIT), compression=grpc.Compression.Gzip)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_larger_message_is_resource_exhausted_without_retry(channel, compression):
    error = code_of(lambda: call(channel, large(LIMIT + 1), compression=compression))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_info(error) is None


def test_a_bomb_is_resource_exhausted(channel):
    error = code_of(lambda: call(channel, bytes(64 << 20), compression=grpc.Compression.Gzip))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "path", [f"/{SERVICE}/Import", f"/{SERVICE.lower()}/Export", "/nobody.Knows/It", EXPORT + "/", "/"]
)
def test_unknown_methods_are_unimplemented(channel, path):
    assert code_of(lambda: call(channel, b"", path)).code() == grpc.StatusCode.UNIMPLEMENTED


def test_other_signals_are_unimplemented(channel):
    for one in (
        lambda: TraceServiceStub(channel).Export(ExportTraceServiceRequest(), timeout=10),
        lambda: LogsServiceStub(channel).Export(ExportLogsServiceRequest(), timeout=10),
    ):
        assert code_of(one).code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_deadline_of_a_fast_call_is_met(channel):
    call(channel, one_point().bytes, timeout=5)


def test_many_calls_at_once_on_one_channel(stub):
    calls = [stub.Export.future(one_point(f"peers.many.{n % 7}", n).message, timeout=30) for n in range(300)]
    assert all(one.result().ByteSize() == 0 for one in calls)


def test_many_large_calls_at_once_on_one_channel(channel):
    """More than the connection's window at once: flow control must let all of them through."""
    export = channel.unary_unary(EXPORT, request_serializer=lambda one: one, response_deserializer=lambda one: one)
    calls = [export.future(large(LIMIT), timeout=40) for _ in range(40)]
    assert all(one.result() == b"" for one in calls)


# Health


def test_health_check_knows_the_server_and_the_service(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", SERVICE):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_health_check_of_a_stranger_is_not_found(channel):
    request = health_pb2.HealthCheckRequest(service="nobody")
    assert code_of(lambda: health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)).code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service,status", [("", "SERVING"), (SERVICE, "SERVING"), ("nobody", "SERVICE_UNKNOWN")])
def test_health_watch_tells_the_status_at_once(channel, service, status):
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert next(watch).status == health_pb2.HealthCheckResponse.ServingStatus.Value(status)
    watch.cancel()


def test_health_watch_tells_the_end_and_does_not_hold_it_up(engines):
    engine = engines("intake")
    with grpc.insecure_channel(engine.otlp) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=30)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        engine.terminate()
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        engine.drain(within=15)


# By h2: what grpcio does not let a client do


class Stream:
    """One request on a connection of its own; fields and trailers are one dictionary, as clients see them."""

    def __init__(self, address: str, data: bytes, **fields):
        host, port = address.split(":")
        head = {
            ":method": "POST", ":scheme": "http", ":authority": "peers", ":path": EXPORT,
            "content-type": "application/grpc", "te": "trailers",
        } | {key.replace("_", "-"): value for key, value in fields.items()}  # fmt: skip
        head |= {":" + key[1:]: head.pop(key) for key in [k for k in head if k.startswith("-")]}
        head = dict(sorted(head.items(), key=lambda one: not one[0].startswith(":")))
        self.fields: dict[str, str] = {}
        self.body = b""
        self.reset = None
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
            connection.initiate_connection()
            connection.send_headers(1, list(head.items()))
            connection.send_data(1, data, end_stream=True)
            peer.sendall(connection.data_to_send())
            while not self._ended(connection, peer.recv(65536)):
                peer.sendall(connection.data_to_send())

    def _ended(self, connection, data: bytes) -> bool:
        if not data:
            return True
        is_over = False
        for event in connection.receive_data(data):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                self.fields |= dict(event.headers)
            if isinstance(event, h2.events.DataReceived):
                self.body += event.data
            if isinstance(event, h2.events.StreamReset):
                self.reset = event.error_code
            is_over |= isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated))
        return is_over

    @property
    def code(self) -> int:
        assert self.fields[":status"] == "200", self.fields
        assert self.fields["content-type"].startswith("application/grpc")
        return int(self.fields["grpc-status"])


def framed(message: bytes, flag=0, length=None) -> bytes:
    return struct.pack(">BI", flag, len(message) if length is None else length) + message


def code(name: str) -> int:
    return grpc.StatusCode[name].value[0]


def test_a_raw_call_succeeds(intake):
    stream = Stream(intake.otlp, framed(one_point().bytes))
    assert (stream.code, stream.body) == (0, framed(b""))
    assert "gzip" in stream.fields["grpc-accept-encoding"]


def test_the_content_type_of_the_call_comes_back(intake):
    stream = Stream(intake.otlp, framed(b""), content_type="application/grpc+proto")
    assert (stream.code, stream.fields["content-type"]) == (0, "application/grpc+proto")


@pytest.mark.parametrize("encoding", ["snappy", "zstd", "br"])
def test_an_unknown_compression_is_unimplemented_and_those_known_are_told(intake, encoding):
    stream = Stream(intake.otlp, framed(b"x", flag=1), grpc_encoding=encoding)
    assert stream.code == code("UNIMPLEMENTED")
    assert stream.fields["grpc-accept-encoding"].replace(" ", "").split(",") == ["identity", "gzip"]


@pytest.mark.parametrize("fields", [{}, {"grpc_encoding": "identity"}], ids=["none", "identity"])
def test_a_compressed_message_without_an_encoding_is_internal(intake, fields):
    assert Stream(intake.otlp, framed(b"x", flag=1), **fields).code == code("INTERNAL")


def test_a_plain_message_of_a_compressed_call_is_taken(intake):
    assert Stream(intake.otlp, framed(one_point().bytes), grpc_encoding="gzip").code == 0


def test_corrupt_compression_is_internal(intake):
    assert Stream(intake.otlp, framed(b"no gzip", flag=1), grpc_encoding="gzip").code == code("INTERNAL")


def test_an_unknown_flag_is_internal(intake):
    assert Stream(intake.otlp, framed(b"", flag=2)).code == code("INTERNAL")


@pytest.mark.parametrize("data", [b"", framed(b"") * 2], ids=["none", "two"])
def test_none_or_two_messages_are_refused(intake, data):
    assert Stream(intake.otlp, data).code in (code("UNIMPLEMENTED"), code("INTERNAL"))


@pytest.mark.parametrize("data", [b"\0\0", framed(b"abc", length=9)], ids=["prefix", "message"])
def test_a_message_cut_short_is_internal(intake, data):
    assert Stream(intake.otlp, data).code == code("INTERNAL")


def test_a_prefix_that_claims_too_much_is_resource_exhausted_or_internal(intake):
    assert Stream(intake.otlp, framed(b"abc", length=0xFFFF_FFFF)).code in (code("RESOURCE_EXHAUSTED"), code("INTERNAL"))


@pytest.mark.parametrize("timeout", ["1", "S", "123456789S", "1x", "-1S"])
def test_a_malformed_timeout_is_refused(intake, timeout):
    stream = Stream(intake.otlp, framed(b""), grpc_timeout=timeout)
    assert (stream.fields[":status"], stream.fields["grpc-status"]) == ("400", str(code("INTERNAL")))


@pytest.mark.parametrize("timeout", ["1H", "1M", "99999999S", "10000m", "9000000u"])
def test_every_unit_of_a_timeout_is_read(intake, timeout):
    assert Stream(intake.otlp, framed(b""), grpc_timeout=timeout).code == 0


def test_other_methods_get_405(intake):
    stream = Stream(intake.otlp, b"", **{"-method": "PUT"})
    assert stream.fields[":status"] == "405"


def test_a_grpc_path_by_plain_http_gets_415(intake):
    assert Stream(intake.otlp, b"", content_type="application/json").fields[":status"] == "415"


def test_the_message_of_a_status_is_percent_encoded(intake):
    stream = Stream(intake.otlp, framed(b""), **{"-path": "/nöbody.Knows/%41".encode().decode("utf-8")})
    assert stream.code == code("UNIMPLEMENTED")
    assert stream.fields["grpc-message"].isascii()


def test_status_details_are_a_status(intake):
    stream = Stream(intake.otlp, framed(b"\xff\xff"))
    assert stream.code == code("INVALID_ARGUMENT")
    text = stream.fields["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(text + "=" * (-len(text) % 4)))
    assert status.code == code("INVALID_ARGUMENT")
    assert [detail.TypeName() for detail in status.details] == ["google.rpc.BadRequest"]
