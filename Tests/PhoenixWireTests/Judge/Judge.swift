import Foundation
import SwiftProtobuf

/// What a request means, by swift-protobuf and by rules that share no line with the decoder's.
///
/// A request is malformed where swift-protobuf says so; CONFORMANCE item 26 rules the points.
enum Judge {
    typealias Request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest
    typealias Metric = Opentelemetry_Proto_Metrics_V1_Metric
    typealias AnyValue = Opentelemetry_Proto_Common_V1_AnyValue
    typealias KeyValue = Opentelemetry_Proto_Common_V1_KeyValue
    typealias NumberPoint = Opentelemetry_Proto_Metrics_V1_NumberDataPoint
    typealias HistogramPoint = Opentelemetry_Proto_Metrics_V1_HistogramDataPoint
    typealias ExponentialPoint = Opentelemetry_Proto_Metrics_V1_ExponentialHistogramDataPoint
    typealias SummaryPoint = Opentelemetry_Proto_Metrics_V1_SummaryDataPoint
    typealias LooseExemplar = Opentelemetry_Proto_Metrics_V1_Exemplar

    static func verdict(of body: [UInt8]) -> Verdict {
        guard let request = try? Request(serializedBytes: body) else { return .malformed }
        return verdict(of: request)
    }
    static func verdict(of request: Request) -> Verdict {
        var verdict = Verdict()
        for resource in request.resourceMetrics {
            for scope in resource.scopeMetrics {
                for metric in scope.metrics {
                    var prefix = PointText()
                    attributes(resource.resource.attributes, &prefix)
                    prefix.text(scope.scope.name)
                    prefix.text(scope.scope.version)
                    prefix.text(scope.schemaURL)
                    attributes(scope.scope.attributes, &prefix)
                    prefix.text(metric.name)
                    prefix.text(metric.unit)
                    judge(metric, prefix, &verdict)
                }
            }
        }
        return verdict
    }

    private static func judge(_ metric: Metric, _ prefix: PointText, _ verdict: inout Verdict) {
        switch metric.data {
        case .gauge(let data):
            for point in data.dataPoints { judge(point, Heading(prefix, 0, nil), &verdict) }
        case .sum(let data):
            let heading = Heading(prefix, 1, data.aggregationTemporality.rawValue, data.isMonotonic)
            for point in data.dataPoints { judge(point, heading, &verdict) }
        case .histogram(let data):
            let heading = Heading(prefix, 2, data.aggregationTemporality.rawValue)
            for point in data.dataPoints { judge(point, heading, &verdict) }
        case .exponentialHistogram(let data):
            let heading = Heading(prefix, 3, data.aggregationTemporality.rawValue)
            for point in data.dataPoints { judge(point, heading, &verdict) }
        case .summary(let data):
            for point in data.dataPoints { judge(point, Heading(prefix, 4, nil), &verdict) }
        case nil: break
        }
    }
    /// What stands before every point of a metric.
    private struct Heading {
        var text: PointText
        var isRuled: Bool
        init(_ prefix: PointText, _ kind: UInt64, _ temporality: Int?, _ isMonotonic: Bool = false) {
            text = prefix
            text.number(kind)
            isRuled = temporality == nil || temporality == 1 || temporality == 2
            text.number(UInt64(isRuled ? temporality ?? 0 : 0))
            if isMonotonic { text.mark(" up") }
        }
        func line(_ list: [KeyValue], _ time: UInt64, _ start: UInt64, isGone: Bool) -> (PointText, PointText)
        {
            var identity = text
            attributes(list, &identity)
            var line = identity
            line.number(time)
            line.number(start)
            if isGone { line.mark(" gone") }
            return (identity, line)
        }
    }

    private static func judge(_ point: NumberPoint, _ heading: Heading, _ verdict: inout Verdict) {
        let isGone = point.flags % 2 == 1
        guard heading.isRuled else { return verdict.refuse("unspecified_temporality") }
        if !isGone && point.timeUnixNano == 0 { return verdict.refuse("no_time") }
        if !isGone && point.value == nil { return verdict.refuse("no_value") }
        let (identity, start) = heading.line(
            point.attributes,
            point.timeUnixNano,
            point.startTimeUnixNano,
            isGone: isGone
        )
        var line = start
        switch point.value {
        case .asDouble(let value): line.number(value)
        case .asInt(let value): line.number(value); line.mark("i")
        case nil: line.number(UInt64(0))
        }
        verdict.numbers.append(line.line)
        add(point.exemplars, identity, &verdict)
    }
    private static func judge(_ point: HistogramPoint, _ heading: Heading, _ verdict: inout Verdict) {
        let isGone = point.flags % 2 == 1
        let (bounds, counts) = (point.explicitBounds, point.bucketCounts)
        guard heading.isRuled else { return verdict.refuse("unspecified_temporality") }
        let increases = bounds.indices.allSatisfy { index in
            index == 0 ? bounds[0] == bounds[0] : bounds[index - 1] < bounds[index]
        }
        let fits = counts.isEmpty ? bounds.isEmpty : counts.count == bounds.count + 1
        if isGone {
            guard counts.isEmpty || (fits && increases) else { return verdict.refuse("bucket_count") }
        } else {
            if point.timeUnixNano == 0 { return verdict.refuse("no_time") }
            if !fits { return verdict.refuse("bucket_count") }
            if !increases { return verdict.refuse("bucket_bounds") }
            if !counts.isEmpty, !sums(counts, to: point.count) { return verdict.refuse("count_mismatch") }
        }
        let (identity, start) = heading.line(
            point.attributes,
            point.timeUnixNano,
            point.startTimeUnixNano,
            isGone: isGone
        )
        var line = start
        line.number(point.count)
        if point.hasSum { line.mark(" sum"); line.number(point.sum) }
        if point.hasMin { line.mark(" min"); line.number(point.min) }
        if point.hasMax { line.mark(" max"); line.number(point.max) }
        line.mark(" bounds")
        if !counts.isEmpty { for bound in bounds { line.number(bound) } }
        line.mark(" buckets")
        for count in counts { line.number(count) }
        verdict.histograms.append(line.line)
        add(point.exemplars, identity, &verdict)
    }
    /// Without overflow, however large the counts.
    private static func sums(_ counts: [UInt64], to total: UInt64) -> Bool {
        var left = total
        for count in counts {
            if count > left { return false }
            left -= count
        }
        return left == 0
    }
    private static func judge(_ point: ExponentialPoint, _ heading: Heading, _ verdict: inout Verdict) {
        let isGone = point.flags % 2 == 1
        guard heading.isRuled else { return verdict.refuse("unspecified_temporality") }
        if !isGone {
            if point.timeUnixNano == 0 { return verdict.refuse("no_time") }
            let counts = [point.zeroCount] + point.positive.bucketCounts + point.negative.bucketCounts
            if !sums(counts, to: point.count) { return verdict.refuse("count_mismatch") }
            for side in [point.positive, point.negative] where !side.bucketCounts.isEmpty {
                let first = Int64(side.offset)
                let last = first + Int64(side.bucketCounts.count)
                if !exponent(first, point.scale, atLeast: -1075) || !exponent(last, point.scale, atMost: 1024)
                {
                    return verdict.refuse("out_of_range")
                }
            }
        }
        let (identity, start) = heading.line(
            point.attributes,
            point.timeUnixNano,
            point.startTimeUnixNano,
            isGone: isGone
        )
        var line = start
        line.number(point.count)
        if point.hasSum { line.mark(" sum"); line.number(point.sum) }
        if point.hasMin { line.mark(" min"); line.number(point.min) }
        if point.hasMax { line.mark(" max"); line.number(point.max) }
        line.number(Int64(point.scale))
        line.number(point.zeroCount)
        line.number(point.zeroThreshold)
        for side in [point.positive, point.negative] {
            line.mark(" side")
            line.number(Int64(side.offset))
            for count in side.bucketCounts { line.number(count) }
        }
        verdict.exponentials.append(line.line)
        add(point.exemplars, identity, &verdict)
    }
    /// Whether index * 2^-scale >= bound, in whole numbers: index >= bound * 2^scale.
    private static func exponent(_ index: Int64, _ scale: Int32, atLeast bound: Int64) -> Bool {
        if scale >= 0 { return scale >= 24 || index >= bound << Int64(scale) }
        if scale <= -24 { return index >= 0 }
        return index << Int64(-scale) >= bound
    }
    private static func exponent(_ index: Int64, _ scale: Int32, atMost bound: Int64) -> Bool {
        if scale >= 0 { return scale >= 24 || index <= bound << Int64(scale) }
        if scale <= -24 { return index <= 0 }
        return index << Int64(-scale) <= bound
    }
    private static func judge(_ point: SummaryPoint, _ heading: Heading, _ verdict: inout Verdict) {
        let isGone = point.flags % 2 == 1
        if !isGone && point.timeUnixNano == 0 { return verdict.refuse("no_time") }
        var (_, line) = heading.line(
            point.attributes,
            point.timeUnixNano,
            point.startTimeUnixNano,
            isGone: isGone
        )
        line.number(point.count)
        line.number(point.sum)
        for pair in point.quantileValues {
            line.mark(" at")
            line.number(pair.quantile)
            line.number(pair.value)
        }
        verdict.summaries.append(line.line)
    }
    /// The decoder keeps the last sixteen of a point.
    private static func add(_ exemplars: [LooseExemplar], _ identity: PointText, _ verdict: inout Verdict) {
        func id(_ bytes: Data, _ count: Int) -> [UInt8] {
            bytes.count == count && bytes != Data(count: count) ? Array(bytes) : []
        }
        for exemplar in exemplars.filter({ $0.value != nil }).suffix(16) {
            var line = identity
            line.number(exemplar.timeUnixNano)
            switch exemplar.value {
            case .asDouble(let value): line.number(value)
            case .asInt(let value): line.number(value); line.mark("i")
            case nil: line.number(UInt64(0))
            }
            line.bytes(id(exemplar.traceID, 16))
            line.bytes(id(exemplar.spanID, 8))
            attributes(exemplar.filteredAttributes, &line)
            verdict.exemplars.append(line.line)
        }
    }
    private static func attributes(_ list: [KeyValue], _ text: inout PointText) {
        text.attributes(list.map { ($0.key, $0.hasValue ? $0.value : AnyValue()) }, value)
    }
    private static func value(_ text: inout PointText, _ value: AnyValue) {
        switch value.value {
        // An index into a table that this signal does not have: as if absent.
        case nil, .stringValueStrindex: text.mark("-")
        case .stringValue(let string): text.text(string)
        case .boolValue(let flag): text.mark(flag ? "true" : "false")
        case .intValue(let number): text.mark("i"); text.number(number)
        case .doubleValue(let number): text.mark("d"); text.number(number)
        case .bytesValue(let content): text.bytes(content)
        case .arrayValue(let array):
            text.mark("[")
            for element in array.values { self.value(&text, element) }
            text.mark("]")
        case .kvlistValue(let list): attributes(list.values, &text)
        }
    }
}
extension Verdict {
    fileprivate mutating func refuse(_ label: String) { refused[label, default: 0] += 1 }
}
