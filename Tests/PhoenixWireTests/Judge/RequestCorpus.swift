import Foundation
import SwiftProtobuf

/// Requests of every shape: all five kinds, exemplars, nested attributes, and some points that break a rule.
///
/// Few different names and times, so that requests share series, metrics and bytes, as those of real senders do.
struct RequestCorpus {
    var random: Seeded
    /// Leaves out what OTLP/JSON writes otherwise than proto3 JSON: ids in hex.
    var hasIDs = true
    /// Number points alone, none of them broken, as most senders send: what templates are made of.
    private var isPlain = false

    init(random: Seeded, hasIDs: Bool = true) { (self.random, self.hasIDs) = (random, hasIDs) }

    mutating func request() -> Judge.Request {
        isPlain = random.once(in: 3)
        return Judge.Request.with { request in
            for _ in 0..<1 + random.below(2) { request.resourceMetrics.append(resourceMetrics()) }
        }
    }
    private mutating func resourceMetrics() -> Opentelemetry_Proto_Metrics_V1_ResourceMetrics {
        .with { part in
            if !random.once(in: 8) {
                part.resource.attributes = attributes(upTo: 3)
                if random.once(in: 6) { part.resource.droppedAttributesCount = 3 }
                if random.once(in: 8) {
                    part.resource.entityRefs = [
                        .with {
                            $0.type = "host"; $0.idKeys = ["host.name", "é"]
                        }
                    ]
                }
            }
            if random.once(in: 5) { part.schemaURL = "https://opentelemetry.io/schemas/1.30.0" }
            for _ in 0..<1 + random.below(2) { part.scopeMetrics.append(scopeMetrics()) }
        }
    }
    private mutating func scopeMetrics() -> Opentelemetry_Proto_Metrics_V1_ScopeMetrics {
        .with { part in
            if !random.once(in: 5) {
                part.scope.name = random.pick(["scope", "other", "größe"])
                if random.once(in: 2) { part.scope.version = "1.0" }
                if random.once(in: 4) { part.scope.attributes = attributes(upTo: 2) }
            }
            if random.once(in: 4) { part.schemaURL = random.pick(["u1", "u2"]) }
            for _ in 0..<1 + random.below(3) { part.metrics.append(metric()) }
        }
    }
    private mutating func metric() -> Judge.Metric {
        .with { metric in
            metric.name = random.pick(["cpu", "memory", "disk.io", ""])
            if random.once(in: 2) { metric.unit = random.pick(["By", "s", "1"]) }
            if random.once(in: 3) { metric.description_p = "how much" }
            if random.once(in: 6) { metric.metadata = attributes(upTo: 2) }
            let count = random.below(4)
            switch random.below(isPlain ? 6 : 11) {
            case 0...2: metric.gauge.dataPoints = (0..<count).map { _ in number() }
            case 3...5:
                metric.sum.dataPoints = (0..<count).map { _ in number() }
                metric.sum.aggregationTemporality = temporality()
                metric.sum.isMonotonic = random.once(in: 2)
            case 6, 7:
                metric.histogram.dataPoints = (0..<count).map { _ in histogram() }
                metric.histogram.aggregationTemporality = temporality()
            case 8:
                metric.exponentialHistogram.dataPoints = (0..<count).map { _ in exponential() }
                metric.exponentialHistogram.aggregationTemporality = temporality()
            case 9: metric.summary.dataPoints = (0..<count).map { _ in summary() }
            default: break
            }
        }
    }
    private mutating func temporality() -> Opentelemetry_Proto_Metrics_V1_AggregationTemporality {
        !isPlain && random.once(in: 12)
            ? random.pick([.unspecified, .UNRECOGNIZED(7)]) : random.pick([.delta, .cumulative])
    }
    private mutating func time() -> UInt64 {
        !isPlain && random.once(in: 20) ? 0 : 1_700_000_000_000_000_000 + random.next() % 4
    }
    private mutating func flags() -> UInt32 {
        !isPlain && random.once(in: 8) ? random.pick([1, 2, 3, 0xFFFF_FFFF]) : 0
    }
    private mutating func double() -> Double {
        random.pick([0, -0.0, 1, 0.1, -2.5e-7, 1e300, .infinity, -.infinity, .nan, 4503599627370497.5, 12345])
    }
    private mutating func number() -> Judge.NumberPoint {
        .with { point in
            point.attributes = attributes(upTo: 3)
            (point.timeUnixNano, point.flags) = (time(), flags())
            if random.once(in: 2) { point.startTimeUnixNano = 1_600_000_000_000_000_000 }
            switch random.below(10) {
            case 0 where !isPlain: break
            case 0...5: point.asDouble = double()
            default: point.asInt = random.pick([0, 1, -1, .max, .min, 1 << 53 + 1])
            }
            point.exemplars = exemplars()
        }
    }
    private mutating func histogram() -> Judge.HistogramPoint {
        .with { point in
            point.attributes = attributes(upTo: 2)
            (point.timeUnixNano, point.flags) = (time(), flags())
            let bounds =
                random.once(in: 12) ? [2, 1] : random.pick([[], [1], [0.5, 1, 2], [-1, 0, .infinity]])
            point.explicitBounds = bounds
            if !random.once(in: 4) { point.bucketCounts = (0...bounds.count).map { _ in random.next() % 5 } }
            if random.once(in: 15) { point.bucketCounts.append(.max) }
            point.count = point.bucketCounts.reduce(0, &+) &+ (random.once(in: 12) ? 1 : 0)
            if random.once(in: 2) { point.sum = double() }
            if random.once(in: 3) { point.min = double() }
            if random.once(in: 3) { point.max = double() }
            point.exemplars = exemplars()
        }
    }
    private mutating func exponential() -> Judge.ExponentialPoint {
        .with { point in
            point.attributes = attributes(upTo: 2)
            (point.timeUnixNano, point.flags) = (time(), flags())
            point.scale = random.pick([0, 1, 3, 20, -10, -11, .min, .max])
            point.zeroCount = random.next() % 3
            if random.once(in: 2) { point.zeroThreshold = double() }
            if !random.once(in: 4) { point.positive = side() }
            if random.once(in: 2) { point.negative = side() }
            point.count = ([point.zeroCount] + point.positive.bucketCounts + point.negative.bucketCounts)
                .reduce(0, &+)
            if random.once(in: 12) { point.count &+= 1 }
            if random.once(in: 2) { point.sum = double() }
            if random.once(in: 3) { point.min = double() }
            if random.once(in: 3) { point.max = double() }
            point.exemplars = exemplars()
        }
    }
    private mutating func side() -> Judge.ExponentialPoint.Buckets {
        .with { side in
            side.offset = random.pick([0, 0, 1, -1, 100, -1075, 1020, .min, .max])
            side.bucketCounts = (0..<random.below(6)).map { _ in random.pick([0, 1, 300, 1 << 40]) }
        }
    }
    private mutating func summary() -> Judge.SummaryPoint {
        .with { point in
            point.attributes = attributes(upTo: 2)
            (point.timeUnixNano, point.flags) = (time(), flags())
            (point.count, point.sum) = (random.next() % 9, double())
            point.quantileValues = (0..<random.below(3)).map { index in
                .with {
                    $0.quantile = Double(index) / 2; $0.value = double()
                }
            }
        }
    }
    private mutating func exemplars() -> [Judge.LooseExemplar] {
        guard !isPlain, random.once(in: 4) else { return [] }
        return (0..<random.pick([1, 1, 2, 18])).map { _ in
            .with { exemplar in
                exemplar.timeUnixNano = time()
                switch random.pick([0, 0, 0, 1, 1, 1, 2]) {
                case 0: exemplar.asDouble = double()
                case 1: exemplar.asInt = 5
                default: break
                }
                if hasIDs {
                    exemplar.traceID = Data(
                        repeating: random.pick([7, 7, 0]),
                        count: random.pick([0, 16, 16, 15])
                    )
                    exemplar.spanID = Data(
                        repeating: random.pick([9, 9, 0]),
                        count: random.pick([0, 8, 8, 7])
                    )
                }
                exemplar.filteredAttributes = attributes(upTo: 2)
            }
        }
    }
    private mutating func attributes(upTo count: Int) -> [Judge.KeyValue] {
        (0..<random.below(count + 1)).map { _ in
            .with { pair in
                pair.key = random.pick(["a", "b", "c", "process.pid", "ключ", "\u{E9}", "e\u{301}", ""])
                if !random.once(in: 10) { pair.value = value(depth: 0) }
            }
        }
    }
    private mutating func value(depth: Int) -> Judge.AnyValue {
        .with { value in
            switch random.below(depth < 3 ? 9 : 6) {
            case 0, 1:
                value.stringValue = random.pick(["", "x", "a long value with spaces", "\u{0}\"\\\n", "🙂é"])
            case 2: value.boolValue = random.once(in: 2)
            case 3: value.intValue = random.pick([0, -1, .max, .min, 443])
            case 4: value.doubleValue = double()
            case 5: value.bytesValue = Data([0, 255, 62].prefix(random.below(4)))
            case 6: value.arrayValue.values = (0..<random.below(3)).map { _ in self.value(depth: depth + 1) }
            case 7:
                value.kvlistValue.values = (0..<random.below(3)).map { _ in
                    .with {
                        $0.key = random.pick(["k", "l"]); $0.value = self.value(depth: depth + 1)
                    }
                }
            default: break
            }
        }
    }
}
