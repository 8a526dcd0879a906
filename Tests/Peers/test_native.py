"""Protobuf expositions, native histograms and exemplars: read by protobuf's own Python, scraped by a real Prometheus."""

import importlib.resources
import sys
import time

import pytest
from google.protobuf.internal.decoder import _DecodeVarint32
from grpc_tools import protoc

from engine import HERE, fetch, poll
from exposition import OPENMETRICS, TEXT, Pipelines, families, read
from otlp import CUMULATIVE, Request, attributes
from test_exact import marker
from test_prometheus import Server
from wire import export

PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
NAME = "phoenix_full_final_output_"
TRACE = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The messages of `client_model.proto`, compiled now."""
    out = tmp_path_factory.mktemp("model")
    known = importlib.resources.files("grpc_tools") / "_proto"
    assert protoc.main(["protoc", f"-I{HERE}", f"-I{known}", f"--python_out={out}", str(HERE / "client_model.proto")]) == 0
    sys.path.insert(0, str(out))
    try:
        import client_model_pb2
    finally:
        sys.path.remove(str(out))
    return client_model_pb2


def exemplar(point, value, now, **filtered):
    one = point.exemplars.add(time_unix_nano=now, as_double=value, trace_id=bytes.fromhex(TRACE))
    one.filtered_attributes.extend(attributes(filtered))


@pytest.fixture(scope="module")
def engine(engines):
    engine = engines("three")
    start, now = time.time_ns() - 5_000_000_000, time.time_ns()
    request = Request().resource(service_name="peers", host_name="a", process_pid=1)
    request.sum("calls", 7, start, now, path='/a"b\\c\nd')
    exemplar(request.message.resource_metrics[-1].scope_metrics[-1].metrics[-1].sum.data_points[-1], 1.0, now, odd="ü")
    request.histogram("duration", [0.1, 1.0], [1, 2, 3], 4.5, start, now, unit="s")
    classic = request.message.resource_metrics[-1].scope_metrics[-1].metrics[-1].histogram.data_points[-1]
    exemplar(classic, 0.5, now)
    native = request.metric("size", unit="By").exponential_histogram
    native.aggregation_temporality = CUMULATIVE
    point = native.data_points.add(start_time_unix_nano=start, time_unix_nano=now, count=20, scale=1, zero_count=2)
    point.sum = 99.5
    point.positive.offset = 3
    point.positive.bucket_counts.extend([10, 0, 0, 5, 2])
    point.negative.offset = -2
    point.negative.bucket_counts.extend([1])
    exemplar(point, 3.0, now)
    fine = request.metric("fine").exponential_histogram
    fine.aggregation_temporality = CUMULATIVE
    point = fine.data_points.add(start_time_unix_nano=start, time_unix_nano=now, count=8, scale=12, zero_count=0)
    point.sum = 8.0
    point.positive.bucket_counts.extend([1] * 8)
    summary = request.metric("quantiles").summary.data_points.add(start_time_unix_nano=start, time_unix_nano=now, count=3, sum=6.0)
    summary.quantile_values.add(quantile=0.5, value=2.0)
    request.gauge("limits", float("nan"), now)
    answer = export(engine.otlp, request.bytes)
    assert (answer.status, answer.body) == (200, b""), answer
    # What `settle` compares differs here by rule: OpenMetrics has no sum where values are negative.
    marker(engine)(1)
    for endpoint in Pipelines(engine).all:
        poll(f"the marker at {endpoint.namespace}", lambda: endpoint.total("peers_marker_total") == 1)
    return engine


def messages(model, url):
    status, headers, body = fetch(f"{url}/metrics", {"accept": PROTOBUF})
    assert status == 200 and headers["content-type"].startswith("application/vnd.google.protobuf"), headers
    found, place = [], 0
    while place < len(body):
        length, place = _DecodeVarint32(body, place)
        family = model.MetricFamily.FromString(body[place : place + length])
        found.append(family)
        place += length
    assert place == len(body)
    return found


@pytest.mark.parametrize("port", ["FULL_PORT", "OPTIMIZED_PORT", "TOPK_PORT", "ENGINE_PORT"])
def test_protobuf_says_what_the_text_says(engine, model, port):
    found = {}
    for family in messages(model, engine.url(port)):
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}

            def put(suffix, value, **more):
                key = family.name + suffix, tuple(sorted((labels | more).items()))
                assert key not in found, f"{key} is exposed twice"
                found[key] = value

            for kind in ("counter", "gauge", "untyped"):
                if metric.HasField(kind):
                    put("", getattr(metric, kind).value)
            for bucket in metric.histogram.bucket:
                put("_bucket", bucket.cumulative_count, le=str(float(bucket.upper_bound)))
            for kind in ("histogram", "summary"):
                if metric.HasField(kind):
                    put("_count", getattr(metric, kind).sample_count)
                    put("_sum", getattr(metric, kind).sample_sum)
            for quantile in metric.summary.quantile:
                put("", quantile.value, quantile=str(float(quantile.quantile)))
    text = {
        (name, tuple((k, str(float(v)) if k in ("le", "quantile") else v) for k, v in labels)): value
        for (name, labels), value in read(engine.url(port), TEXT).items()
    }
    # What moves between two scrapes is not compared by value: the engine's own figures.
    assert found.keys() == text.keys()
    still = [] if port == "ENGINE_PORT" else [key for key in text if "_phoenix_" not in key[0]]
    assert still or port == "ENGINE_PORT"
    assert {key: repr(float(found[key])) for key in still} == {key: repr(float(text[key])) for key in still}


def test_scraped_by_phoenix_native_histograms_stay_what_they_are(engine, engines, model):
    """Scale, buckets, zero bucket and exemplars of an exponential histogram survive a scrape by another instance."""
    other = engines("scrape_native", env={"TARGET_PORT": str(engine.port("FULL_PORT"))})

    def natives(one):
        found = {}
        for family in messages(model, one.url("FULL_PORT")):
            if family.name in (f"{NAME}size_bytes", f"{NAME}fine"):
                (metric,) = family.metric
                histogram = metric.histogram
                # Of the scraper's own: who was scraped, since when it saw it.
                found[family.name] = (
                    histogram.sample_count, histogram.sample_sum, histogram.schema, histogram.zero_threshold, histogram.zero_count,
                    [(span.offset, span.length) for span in histogram.positive_span], list(histogram.positive_delta),
                    [(span.offset, span.length) for span in histogram.negative_span], list(histogram.negative_delta),
                    [(one.value, sorted((pair.name, pair.value) for pair in one.label)) for one in histogram.exemplars],
                    {pair.name: pair.value for pair in metric.label}.get("host_name"),
                )
        return found

    due = natives(engine)
    assert due.keys() == {f"{NAME}size_bytes", f"{NAME}fine"} and due[f"{NAME}size_bytes"][9], due
    poll("the same natives", lambda: natives(other) == due or pytest.fail(f"{natives(other)} is not {due}") if natives(other).keys() == due.keys() else False)


def test_openmetrics_shows_exemplars(engine):
    found = {}
    for family in families(engine.url("FULL_PORT"), OPENMETRICS):
        for sample in family.samples:
            if sample.exemplar:
                found[sample.name, sample.labels.get("le")] = (sample.exemplar.value, sample.exemplar.labels)
    assert found[f"{NAME}calls_total", None] == (1.0, {"trace_id": TRACE, "odd": "ü"})
    assert found[f"{NAME}duration_seconds_bucket", "1.0"] == (0.5, {"trace_id": TRACE})
    assert any(name == f"{NAME}size_bytes_bucket" for name, _ in found)


@pytest.fixture(scope="module", params=[("exemplar-storage",), ("exemplar-storage", "native-histograms")], ids=["openmetrics", "protobuf"])
def prometheus(engine, tmp_path_factory, request):
    server = Server(engine, tmp_path_factory.mktemp("prometheus"), request.param)
    server.is_native = "native-histograms" in request.param
    yield server
    server.stop()


def test_prometheus_takes_everything(engine, prometheus):
    def all_up():
        targets = prometheus.api("targets")["activeTargets"]
        errors = {one["labels"]["job"]: one["lastError"] for one in targets if one["lastError"]}
        assert not errors, errors
        return targets and all(one["health"] == "up" for one in targets)

    poll("all targets are up", all_up)

    def value(expression):
        found = prometheus.api("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    poll("scraped", lambda: value(f"{NAME}calls_total") == 7)
    # Classic histograms are what they were.
    assert value(f'{NAME}duration_seconds_bucket{{le="1.0"}} or {NAME}duration_seconds_bucket{{le="1"}}') == 3
    assert value(f"{NAME}duration_seconds_count") == 6
    assert value(f"{NAME}duration_seconds_sum") == 4.5
    assert value(f'{NAME}quantiles{{quantile="0.5"}}') == 2
    if not prometheus.is_native:
        assert value(f"{NAME}size_bytes_count") is None, "OpenMetrics has no sum, so no count, where values are negative"
        assert value(f'{NAME}size_bytes_bucket{{le="+Inf"}}') == 20
        assert value(f"{NAME}fine_count") == 8
        return
    assert value(f"histogram_count({NAME}size_bytes)") == 20
    assert value(f"histogram_sum({NAME}size_bytes)") == 99.5
    assert value(f"{NAME}size_bytes_count") is None, "the classic one beside it is not taken"
    # A quarter of all lies in the third bucket from below: (2^1.5, 2^2] at scale 1.
    assert 2**1.5 < value(f"histogram_quantile(0.5, {NAME}size_bytes)") <= 2**2
    assert value(f"histogram_fraction(0, +Inf, {NAME}size_bytes)") >= 17 / 20
    found = prometheus.api("query", query=f"{NAME}size_bytes")["result"][0]["histogram"][1]
    counts = [float(bucket[3]) for bucket in found["buckets"]]
    bounds = [(float(bucket[1]), float(bucket[2])) for bucket in found["buckets"]]
    assert counts == [1, 2, 10, 5, 2]
    expected = [(-(2**-0.5), -(2**-1)), None, (2**1.5, 2**2), (2**3, 2**3.5), (2**3.5, 2**4)]
    for (low, high), wanted in zip(bounds, expected):
        if wanted:
            assert (low, high) == pytest.approx(wanted)
    # Scale 12 is finer than any native histogram: eight buckets of it lie in one of scale 8.
    fine = prometheus.api("query", query=f"{NAME}fine")["result"][0]["histogram"][1]
    assert [float(bucket[3]) for bucket in fine["buckets"]] == [8]


def test_prometheus_stores_exemplars(engine, prometheus):
    def stored(name):
        query = {"query": name, "start": time.time() - 300, "end": time.time() + 60}
        return [one["labels"] for series in prometheus.api("query_exemplars", **query) for one in series["exemplars"]]

    calls = poll("the counter's exemplar", lambda: stored(f"{NAME}calls_total"))
    assert calls == [{"trace_id": TRACE, "odd": "ü"}]
    assert poll("the histogram's", lambda: stored(f"{NAME}duration_seconds_bucket")) == [{"trace_id": TRACE}]
    name = f"{NAME}size_bytes" if prometheus.is_native else f"{NAME}size_bytes_bucket"
    assert poll("the exponential histogram's", lambda: stored(name)) == [{"trace_id": TRACE}]
