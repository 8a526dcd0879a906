"""OTLP over HTTP and gRPC as seen on the wire: requests of any shape, answers read by the generated messages."""

import http.client
import json
import shutil
import socket
import subprocess

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def type(self) -> str:
        return self.headers.get("content-type", "")

    def read(self, message):
        """The body as the message, by the encoding that the answer names."""
        if self.type == JSON:
            # google.rpc.Status holds Any: parse by hand what needs no descriptor pool beyond ours.
            return json_format.Parse(self.body, message)
        assert self.type == PROTOBUF, self
        message.ParseFromString(self.body)
        return message

    @property
    def export(self) -> ExportMetricsServiceResponse:
        assert self.status == 200, self
        return self.read(ExportMetricsServiceResponse())

    @property
    def rpc_status(self) -> status_pb2.Status:
        assert self.status >= 400, self
        return self.read(status_pb2.Status())

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


def send(address: str, method="POST", path="/v1/metrics", body: bytes | None = b"", headers=None, timeout=20) -> Answer:
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def export(address: str, body: bytes, type=PROTOBUF, encoding: str | None = None, **headers) -> Answer:
    fields = {"content-type": type} | {k.replace("_", "-"): v for k, v in headers.items()}
    if encoding is not None:
        fields["content-encoding"] = encoding
    return send(address, body=body, headers=fields)


def export_json(address: str, value) -> Answer:
    return export(address, value if isinstance(value, bytes) else json.dumps(value).encode(), JSON)


def raw(address: str, data: bytes, timeout=20) -> bytes:
    """Everything that comes back until the peer closes."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=timeout) as peer:
        peer.sendall(data)
        out = b""
        while chunk := peer.recv(65536):
            out += chunk
        return out


def curl(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess:
    program = shutil.which("curl")
    assert program, "curl is not installed"
    return subprocess.run([program, "-sS", "--max-time", "20", *arguments], input=data, capture_output=True)


def call(channel: grpc.Channel, message: bytes, path=EXPORT, timeout=20, **options):
    """One gRPC call with bytes as they are: `(response bytes, call)`; raises RpcError."""
    method = channel.unary_unary(path, request_serializer=lambda one: one, response_deserializer=lambda one: one)
    return method.with_call(message, timeout=timeout, **options)


def retry_info(error: grpc.RpcError) -> error_details_pb2.RetryInfo | None:
    """The RetryInfo in `grpc-status-details-bin`, whose own code must be that of the call."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert status.code == error.code().value[0]
            return find(status, error_details_pb2.RetryInfo())
    return None


def find(status: status_pb2.Status, message):
    """The detail of this type, or none."""
    for detail in status.details:
        if detail.Unpack(message):
            return message
    return None
