"""The control API over gRPC, by grpcio, with messages made here from the contract."""

import importlib
import pathlib
import sys

import grpc
import grpc_tools
import pytest
from grpc_tools import protoc

from control_api import CONTRACTS, ask

TOKEN = "s3cret-of-the-tests"


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    """The modules of control.proto: messages and stubs."""
    directory = tmp_path_factory.mktemp("proto")
    protos = CONTRACTS / "proto"
    include = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["", f"-I{protos}", f"-I{include}", f"--python_out={directory}", f"--grpc_python_out={directory}"]
    for name in ("control", "metrics", "benchmark"):
        assert protoc.main([*arguments, str(protos / f"{name}.proto")]) == 0
    sys.path.insert(0, str(directory))
    yield importlib.import_module("control_pb2"), importlib.import_module("control_pb2_grpc")
    sys.path.remove(str(directory))


@pytest.fixture(scope="module")
def engine(engines):
    return engines("control_api")


@pytest.fixture(scope="module")
def stub(engine, control):
    with grpc.insecure_channel(f"127.0.0.1:{engine.port('CONTROL_PORT')}") as channel:
        yield control[1].ControlServiceStub(channel)


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_orders_status_and_history(stub, engine, control):
    pb = control[0]
    order = pb.ControlRequest(mode=pb.OPTIMIZATION_MODE_AGGRESSIVE, duration_seconds=600, reason="by grpcio")
    answer = stub.Control(order, timeout=10)
    assert answer.success and answer.current_mode == pb.OPTIMIZATION_MODE_AGGRESSIVE
    status = stub.GetStatus(pb.StatusRequest(), timeout=10)
    assert status.current_mode == pb.OPTIMIZATION_MODE_AGGRESSIVE
    assert status.override.reason == "by grpcio" and 590 < status.override.remaining_seconds <= 600
    assert status.recent_signals[0].version == "v1.0.0"
    over_http = ask(engine, "GET", "/api/v1/status").json
    assert over_http["correlation_id"] == status.correlation_id
    assert over_http["config_version"] == status.config_version
    history = stub.GetHistory(pb.HistoryRequest(limit=1), timeout=10)
    assert len(history.decisions) == 1 and history.decisions[0].correlation_id == status.correlation_id
    cleared = stub.ClearControl(pb.ClearControlRequest(), timeout=10)
    assert cleared.success and cleared.previous_mode == pb.OPTIMIZATION_MODE_AGGRESSIVE
    assert not stub.GetStatus(pb.StatusRequest(), timeout=10).HasField("override")


def test_bad_requests_are_invalid_arguments(stub, control):
    pb = control[0]
    cases = [
        (stub.Control, pb.ControlRequest(), "`mode`"),
        (stub.Control, pb.ControlRequest(mode=9), "`mode`"),
        (stub.Control, pb.ControlRequest(mode=1, duration_seconds=0), "`duration_seconds`"),
        (stub.Control, pb.ControlRequest(mode=1, duration_seconds=2**62), "`duration_seconds`"),
        (stub.Control, pb.ControlRequest(mode=1, reason="x" * 513), "`reason`"),
        (stub.GetHistory, pb.HistoryRequest(limit=0), "`limit`"),
        (stub.GetHistory, pb.HistoryRequest(limit=-1), "`limit`"),
    ]
    for call, request, words in cases:
        code, details = code_of(lambda: call(request, timeout=10))
        assert code == grpc.StatusCode.INVALID_ARGUMENT and words in details
    assert not stub.GetStatus(pb.StatusRequest(), timeout=10).HasField("override")


def test_bytes_that_are_no_message_are_refused(engine):
    with grpc.insecure_channel(f"127.0.0.1:{engine.port('CONTROL_PORT')}") as channel:
        call = channel.unary_unary("/phoenix.control.v1.ControlService/Control")
        code, details = code_of(lambda: call(b"\x0a\xff\xff", timeout=10))
        assert code == grpc.StatusCode.INVALID_ARGUMENT and "ControlRequest" in details
        assert code_of(lambda: call(b"\x12" * (65 << 10), timeout=10))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
        other = channel.unary_unary("/phoenix.control.v1.ControlService/Other")
        assert code_of(lambda: other(b"", timeout=10))[0] == grpc.StatusCode.UNIMPLEMENTED


def test_a_token_is_asked_for(engines, control):
    pb, pb_grpc = control
    guarded = engines("control_api", env={"CONTROL_TOKEN": TOKEN})
    with grpc.insecure_channel(f"127.0.0.1:{guarded.port('CONTROL_PORT')}") as channel:
        stub = pb_grpc.ControlServiceStub(channel)
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            call = lambda: stub.GetStatus(pb.StatusRequest(), timeout=10, metadata=metadata)
            assert code_of(call)[0] == grpc.StatusCode.UNAUTHENTICATED
        stub.GetStatus(pb.StatusRequest(), timeout=10, metadata=(("authorization", f"Bearer {TOKEN}"),))


def test_json_has_the_field_names_of_the_protos(engine, control):
    pb = control[0]
    ask(engine, "POST", "/api/v1/control", {"mode": "balanced", "duration_seconds": 60})

    def check(value, descriptor, where):
        fields = descriptor.fields_by_name
        for name, inner in value.items():
            assert name in fields, f"{where}.{name} is no field of {descriptor.full_name}"
            message = fields[name].message_type
            if message is None or message.GetOptions().map_entry or message.full_name.startswith("google."):
                continue
            for one in inner if isinstance(inner, list) else [inner]:
                check(one, message, f"{where}.{name}")

    check(ask(engine, "GET", "/api/v1/status").json, pb.StatusResponse.DESCRIPTOR, "status")
    check(ask(engine, "GET", "/api/v1/history").json, pb.HistoryResponse.DESCRIPTOR, "history")
    check(ask(engine, "DELETE", "/api/v1/control").json, pb.ControlResponse.DESCRIPTOR, "control")
