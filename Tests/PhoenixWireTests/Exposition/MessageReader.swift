import SwiftProtobuf

@testable import PhoenixWire

/// Reads protobuf expositions by swift-protobuf, and says them in the words of the text format.
struct MessageReader {
    typealias Family = Io_Prometheus_Client_MetricFamily
    struct Problem: Error, CustomStringConvertible { var description: String }
    /// Message by message: a large family comes in several, one after another.
    private(set) var messages: [Family] = []

    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            var (length, shift) = (0, 0)
            while true {
                guard let byte = rest.popFirst() else { throw Problem(description: "the length is cut off") }
                length |= Int(byte & 0x7f) << shift
                shift += 7
                guard byte & 0x80 != 0 else { break }
            }
            guard length <= rest.count else { throw Problem(description: "the message is cut off") }
            let message = try Family(serializedBytes: Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
            try Self.check(message, after: messages)
            messages.append(message)
        }
    }
    private static func check(_ message: Family, after before: [Family]) throws {
        func require(_ isFine: Bool, _ problem: String) throws {
            guard isFine else { throw Problem(description: "\(message.name): \(problem)") }
        }
        try require(!message.metric.isEmpty, "a family without metrics")
        try require(message.unknownFields.data.isEmpty, "a field that is none")
        let isLater = before.dropLast().contains { $0.name == message.name }
        try require(!isLater || before.last?.name == message.name, "the family is not in one piece")
        for metric in message.metric {
            let kinds = [
                metric.hasCounter, metric.hasGauge, metric.hasUntyped, metric.hasSummary, metric.hasHistogram,
            ]
            try require(kinds.count { $0 } == 1, "a metric is one thing")
            try require(metric.unknownFields.data.isEmpty, "a field that is none")
            if metric.hasHistogram { try check(metric.histogram, require) }
        }
    }
    private static func check(
        _ histogram: Io_Prometheus_Client_Histogram,
        _ require: (Bool, String) throws -> Void
    ) throws {
        try require(histogram.unknownFields.data.isEmpty, "a field that is none")
        try require(histogram.bucket.last?.upperBound == .infinity, "no infinite bucket")
        try require(histogram.bucket.last?.cumulativeCount == histogram.sampleCount, "the last is not the count")
        guard histogram.hasSchema else { return }
        try require((-4...8).contains(histogram.schema), "the schema")
        var total = histogram.zeroCount
        for (spans, deltas) in [
            (histogram.positiveSpan, histogram.positiveDelta), (histogram.negativeSpan, histogram.negativeDelta),
        ] {
            try require(spans.reduce(0) { $0 + Int($1.length) } == deltas.count, "spans and deltas")
            try require(spans.dropFirst().allSatisfy { $0.offset > 0 }, "spans touch")
            var count: Int64 = 0
            for delta in deltas {
                count += delta
                try require(count > 0, "an empty bucket, or less than that")
                total += UInt64(count)
            }
        }
        try require(total == histogram.sampleCount, "native buckets are not the count")
    }
    subscript(name: String) -> Family? { messages.first { $0.name == name } }

    var types: [String: String] {
        let words: [Io_Prometheus_Client_MetricType: String] = [
            .counter: "counter", .gauge: "gauge", .summary: "summary", .untyped: "untyped", .histogram: "histogram",
        ]
        return Dictionary(messages.map { ($0.name, words[$0.type] ?? "?") }, uniquingKeysWith: { $1 })
    }
    /// Every number under the name and labels that the text format has for it.
    var samples: [String: UInt64] {
        var samples: [String: UInt64] = [:]
        for message in messages {
            for metric in message.metric {
                let labels = Dictionary(
                    metric.label.map { ($0.name, $0.value) },
                    uniquingKeysWith: { first, _ in first }
                )
                func put(_ suffix: String, _ value: Double, _ more: [String: Double] = [:]) {
                    let all = labels.merging(more.mapValues { NumberText.string($0, needsPoint: false) }) { $1 }
                    samples[ExpositionReader.key(message.name + suffix, all)] = value.comparable
                }
                if metric.hasCounter { put("", metric.counter.value) }
                if metric.hasGauge { put("", metric.gauge.value) }
                if metric.hasUntyped { put("", metric.untyped.value) }
                if metric.hasSummary {
                    for one in metric.summary.quantile { put("", one.value, ["quantile": one.quantile]) }
                    put("_sum", metric.summary.sampleSum)
                    put("_count", Double(metric.summary.sampleCount))
                }
                guard metric.hasHistogram else { continue }
                for bucket in metric.histogram.bucket {
                    put("_bucket", Double(bucket.cumulativeCount), ["le": bucket.upperBound])
                }
                if metric.histogram.hasSampleSum { put("_sum", metric.histogram.sampleSum) }
                put("_count", Double(metric.histogram.sampleCount))
            }
        }
        return samples
    }
}

extension ExpositionReader {
    static func key(_ name: String, _ labels: [String: String]) -> String {
        let shown = labels.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        return "\(name){\(shown.map { "\($0.key)=\($0.value)" }.joined(separator: "\u{1}"))}"
    }
    /// Every sample's value by its name and labels.
    var valuesByName: [String: UInt64] {
        let samples = families.flatMap(\.samples).map { (Self.key($0.name, $0.labels), $0.value.comparable) }
        return Dictionary(samples, uniquingKeysWith: { $1 })
    }
    var types: [String: String] { Dictionary(families.map { ($0.name, $0.type) }, uniquingKeysWith: { $1 }) }
}

extension Double {
    /// Its bits, all NaN being one.
    fileprivate var comparable: UInt64 { isNaN ? Double.nan.bitPattern : bitPattern }
}
