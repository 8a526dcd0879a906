"""OTLP metrics made by hand: what an SDK would never send can be sent, and every value is known."""

import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb

CUMULATIVE = pb.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = pb.AGGREGATION_TEMPORALITY_DELTA


def attributes(values: dict) -> list[KeyValue]:
    out = []
    for key, value in values.items():
        if isinstance(value, bool):
            out.append(KeyValue(key=key, value=AnyValue(bool_value=value)))
        elif isinstance(value, int):
            out.append(KeyValue(key=key, value=AnyValue(int_value=value)))
        elif isinstance(value, float):
            out.append(KeyValue(key=key, value=AnyValue(double_value=value)))
        else:
            out.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    return out


class Request:
    """An export request that grows resource by resource."""

    def __init__(self):
        self.message = ExportMetricsServiceRequest()

    def resource(self, **values) -> "Request":
        """Begins a resource; underscores in the names stand for dots."""
        return self.resource_of({key.replace("_", "."): value for key, value in values.items()})

    def resource_of(self, values: dict) -> "Request":
        block = self.message.resource_metrics.add()
        block.resource.attributes.extend(attributes(values))
        block.scope_metrics.add().scope.name = "peers"
        return self

    def metric(self, name: str, **fields) -> pb.Metric:
        if not self.message.resource_metrics:
            self.resource(service_name="peers")
        return self.message.resource_metrics[-1].scope_metrics[-1].metrics.add(name=name, **fields)

    def sum(self, name, value, start, now=None, *, monotonic=True, temporality=CUMULATIVE, unit="", **point):
        metric = self.metric(name, unit=unit)
        metric.sum.aggregation_temporality = temporality
        metric.sum.is_monotonic = monotonic
        number(metric.sum.data_points, value, start, now, point)
        return self

    def gauge(self, name, value, now=None, unit="", **point):
        number(self.metric(name, unit=unit).gauge.data_points, value, 0, now, point)
        return self

    def histogram(self, name, bounds, counts, total, start, now=None, *, unit="", count=None, temporality=CUMULATIVE):
        metric = self.metric(name, unit=unit)
        metric.histogram.aggregation_temporality = temporality
        point = metric.histogram.data_points.add(
            start_time_unix_nano=start, time_unix_nano=now or time.time_ns(), explicit_bounds=bounds, bucket_counts=counts
        )
        point.count = sum(counts) if count is None else count
        point.sum = total
        return self

    @property
    def bytes(self) -> bytes:
        return self.message.SerializeToString()


def number(points, value, start, now, values):
    point = points.add(start_time_unix_nano=start, time_unix_nano=now if now is not None else time.time_ns())
    if isinstance(value, int):
        point.as_int = value
    elif value is not None:
        point.as_double = value
    point.attributes.extend(attributes({key.replace("_", "."): one for key, one in values.items()}))


def one_point(name="peers.requests", value=1, **point) -> Request:
    """The smallest request with something in it."""
    return Request().resource(service_name="peers").sum(name, value, time.time_ns() - 1_000_000, **point)
