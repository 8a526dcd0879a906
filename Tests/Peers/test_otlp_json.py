"""OTLP/JSON: the mapping, seen from outside by the values that arrive."""

import time

import pytest
from google.rpc import code_pb2, error_details_pb2

from engine import poll
from exposition import read
from wire import JSON, export, export_json, find


def gauge(name: str, **point) -> dict:
    point = {"timeUnixNano": str(time.time_ns())} | point
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, "gauge": {"dataPoints": [point]}}]}]}]}


def exposed(engine, name: str) -> float:
    def value():
        return {k: v for k, v in read(engine.url("FULL_PORT")).items() if k[0] == name}

    found = poll(f"{name} on the endpoint", value)
    assert len(found) == 1
    return next(iter(found.values()))


@pytest.mark.parametrize(
    "name,point,value",
    [
        ("json_int_string", {"asInt": "7"}, 7),
        ("json_int_number", {"asInt": 7}, 7),
        ("json_int_beyond_doubles", {"asInt": "-9007199254740993"}, -9007199254740993),
        ("json_double", {"asDouble": 1.5}, 1.5),
        ("json_double_string", {"asDouble": "2.5e2"}, 250),
        ("json_infinity", {"asDouble": "Infinity"}, float("inf")),
        ("json_minus_infinity", {"asDouble": "-Infinity"}, float("-inf")),
        ("json_time_number", {"asDouble": 3.0, "timeUnixNano": time.time_ns()}, 3),
        ("json_null_is_absent", {"asDouble": 4, "asInt": None, "attributes": None}, 4),
        ("json_unknown_key", {"asDouble": 5, "as_int": 6, "nobody": {"knows": [1, {"it": None}]}}, 5),
    ],
)
def test_values_arrive(intake, name, point, value):
    assert export_json(intake.otlp, gauge(name, **point)).export.ByteSize() == 0
    assert exposed(intake, name) == value


def test_nan_arrives(intake):
    assert export_json(intake.otlp, gauge("json_nan", asDouble="NaN")).status == 200
    value = exposed(intake, "json_nan")
    assert value != value


def test_snake_case_is_an_unknown_field(intake):
    answer = export_json(intake.otlp, {"resource_metrics": gauge("json_snake", asInt=1)["resourceMetrics"]})
    assert answer.export.ByteSize() == 0
    partial = export_json(intake.otlp, gauge("json_snake_value", as_int=1)).export.partial_success
    assert partial.rejected_data_points == 1


def test_partial_success_is_written_with_counts_as_strings(intake):
    answer = export_json(intake.otlp, gauge("json_refused", asInt=1, timeUnixNano="0"))
    assert answer.export.partial_success.rejected_data_points == 1
    assert b'"rejectedDataPoints":"1"' in answer.body.replace(b" ", b"")


@pytest.mark.parametrize(
    "body",
    [b"", b"[", b"{", b"nope", b"[]", b'"text"', b'{"resourceMetrics":7}', b"{}{}", b'{"a":1,}', b"\xff{}", b'{"a":"\\ud800"'],
    ids=["nothing", "bracket", "brace", "word", "array", "text", "type", "two", "comma", "not utf-8", "cut"],
)
def test_malformed_json_gets_400(intake, body):
    answer = export(intake.otlp, body, JSON)
    assert (answer.status, answer.type) == (400, JSON), answer
    assert answer.rpc_status.code == code_pb2.INVALID_ARGUMENT
    assert find(answer.rpc_status, error_details_pb2.BadRequest()) is not None


@pytest.mark.parametrize("point", [{"asInt": "x"}, {"asInt": 1.5}, {"asDouble": "one"}, {"asDouble": True}])
def test_values_of_the_wrong_type_get_400(intake, point):
    assert export_json(intake.otlp, gauge("json_wrong", **point)).status == 400


def test_deep_nesting_gets_400_and_the_engine_lives(intake):
    assert export(intake.otlp, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON).status == 400
    assert export_json(intake.otlp, {}).status == 200
