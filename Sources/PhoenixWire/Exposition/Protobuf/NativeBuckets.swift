/// The buckets of an exponential histogram as Prometheus' native histograms have them: spans of buckets that are in use, and
/// the difference of each count to the one before.
///
/// Index i of OpenTelemetry is i + 1 here: indices count upper bounds, not lower ones.
struct NativeBuckets: Equatable {
    struct Span: Equatable {
        /// From the end of the span before; of the first one, from index 0.
        var offset: Int32
        var length: UInt32
    }
    struct Side: Equatable {
        var spans: [Span] = []
        var deltas: [Int64] = []
    }
    var schema: Int
    var zeroThreshold: Double
    var zeroCount: UInt64
    var positive: Side
    var negative: Side
    /// The finest and the coarsest resolution that there is.
    static let schemas = -4...8
    /// What stands for a threshold of 0, which would make a histogram without observations look like a classic one.
    static let leastThreshold = 1e-128

    /// Nil for a histogram that is coarser than any native one, or whose indices are beyond what spans can say.
    init?(_ buckets: ExponentialBuckets) {
        let fitting = buckets.downscaled(to: Self.schemas.upperBound)
        guard Self.schemas.contains(fitting.scale), let positive = Side(fitting.positive),
            let negative = Side(fitting.negative)
        else { return nil }
        (schema, self.positive, self.negative) = (fitting.scale, positive, negative)
        zeroThreshold = max(fitting.zeroThreshold, Self.leastThreshold)
        zeroCount = fitting.zeroCount
    }
}

extension NativeBuckets.Side {
    init?(_ side: ExponentialBuckets.Side) {
        var (end, last) = (0, UInt64(0))
        for (place, count) in side.counts.enumerated() where count > 0 {
            let index = side.offset + place + 1
            if spans.isEmpty || index > end {
                guard let offset = Int32(exactly: index - end) else { return nil }
                spans.append(NativeBuckets.Span(offset: offset, length: 0))
            }
            spans[spans.count - 1].length += 1
            deltas.append(Int64(bitPattern: count &- last))
            (end, last) = (index + 1, count)
        }
    }
}
