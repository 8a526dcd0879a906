/// Buckets of an exponential histogram, both sides and the zero bucket.
///
/// Source: OpenTelemetry data model, ExponentialHistogram: bucket `i` covers (base^i, base^(i+1)], base = 2^(2^-scale);
/// "Merging", "Zero count and zero threshold".
struct ExponentialBuckets: Sendable, Equatable {
    /// A run of counts, the first at `offset`.
    struct Side: Sendable, Equatable {
        var offset: Int = 0
        var counts: [UInt64] = []
        var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }

        /// Merges pairs of buckets `times` times: the index is halved, rounding down, also below zero.
        mutating func downscale(_ times: Int) {
            guard times > 0, !counts.isEmpty else { return }
            let shift = min(times, 62)
            let first = offset >> shift
            let last = (offset + counts.count - 1) >> shift
            var merged = Array(repeating: UInt64(0), count: last - first + 1)
            for (index, count) in counts.enumerated() {
                merged[((offset + index) >> shift) - first] &+= count
            }
            (offset, counts) = (first, merged)
        }
        /// Makes room for the indexes from `low` to `high`.
        mutating func cover(_ low: Int, _ high: Int) {
            guard !counts.isEmpty else {
                (offset, counts) = (low, Array(repeating: 0, count: high - low + 1))
                return
            }
            if low < offset {
                counts.insert(contentsOf: Array(repeating: 0, count: offset - low), at: 0)
                offset = low
            }
            let end = offset + counts.count
            if high >= end { counts += Array(repeating: 0, count: high - end + 1) }
        }
        /// The first and last index with a count.
        var bounds: (low: Int, high: Int)? {
            guard let first = counts.firstIndex(where: { $0 > 0 }),
                let last = counts.lastIndex(where: { $0 > 0 })
            else { return nil }
            return (offset + first, offset + last)
        }
        subscript(index: Int) -> UInt64 {
            counts.indices.contains(index - offset) ? counts[index - offset] : 0
        }
        mutating func add(_ other: Side) {
            guard let (low, high) = other.bounds else { return }
            cover(low, high)
            for index in low...high { counts[index - offset] &+= other[index] }
        }
        /// Takes another's counts away; false where one is greater.
        mutating func subtract(_ other: Side) -> Bool {
            guard let (low, high) = other.bounds else { return true }
            for index in low...high where self[index] < other[index] { return false }
            for index in low...high where other[index] > 0 { counts[index - offset] -= other[index] }
            return true
        }
    }
    /// The most buckets that a side may have after a merge.
    static let maximumBuckets = 160

    var scale: Int32 = 20
    var zeroCount: UInt64 = 0
    var zeroThreshold: Double = 0
    var positive = Side()
    var negative = Side()

    mutating func downscale(to scale: Int32) {
        guard scale < self.scale else { return }
        let times = Int(self.scale) - Int(scale)
        positive.downscale(times)
        negative.downscale(times)
        self.scale = scale
    }
    /// Brings both to one scale and zero threshold, without losing a count.
    static func align(_ left: inout Self, _ right: inout Self) {
        let scale = min(left.scale, right.scale)
        left.downscale(to: scale)
        right.downscale(to: scale)
        var threshold = max(left.zeroThreshold, right.zeroThreshold)
        // Folding may raise the threshold to the end of a bucket that it lies in: until neither does any more.
        while left.zeroThreshold != threshold || right.zeroThreshold != threshold {
            left.raiseZero(to: threshold)
            right.raiseZero(to: threshold)
            threshold = max(left.zeroThreshold, right.zeroThreshold)
        }
    }
    /// Moves what lies below a threshold into the zero bucket; a threshold inside a populated bucket moves to its end.
    private mutating func raiseZero(to threshold: Double) {
        guard threshold > zeroThreshold else { return }
        var reached = threshold
        for path in [\Self.positive, \Self.negative] {
            var side = self[keyPath: path]
            while let (low, _) = side.bounds, Self.lowerBound(low, scale) < reached {
                zeroCount &+= side[low]
                side.counts[low - side.offset] = 0
                reached = max(reached, Self.lowerBound(low + 1, scale))
            }
            self[keyPath: path] = side
        }
        zeroThreshold = reached
    }
    /// base^index.
    static func lowerBound(_ index: Int, _ scale: Int32) -> Double {
        // 2^(index * 2^-scale), by the exponent and the rest so that neither overflows early.
        let exponent = Double(index) * Self.power(-Int(scale))
        let whole = exponent.rounded(.down)
        guard whole < 1100 else { return .infinity }
        guard whole > -1100 else { return 0 }
        return Self.power(Int(whole)) * Self.exp2Fraction(exponent - whole)
    }
    private static func power(_ exponent: Int) -> Double {
        if exponent > 1023 { return .infinity }
        if exponent < -1074 { return 0 }
        return exponent < -1022
            ? Double(sign: .plus, exponent: -1022, significand: 1)
                * Double(sign: .plus, exponent: exponent + 1022, significand: 1)
            : Double(sign: .plus, exponent: exponent, significand: 1)
    }
    /// 2^fraction for a fraction in [0, 1), by halving: as exact as square roots are.
    private static func exp2Fraction(_ fraction: Double) -> Double {
        var (result, root, rest) = (1.0, 2.0, fraction)
        for _ in 0..<53 where rest > 0 {
            root = root.squareRoot()
            rest *= 2
            if rest >= 1 {
                result *= root
                rest -= 1
            }
        }
        return result
    }

    mutating func add(_ other: Self) {
        var other = other
        Self.align(&self, &other)
        // Before room is made: buckets far apart would need room for all between them.
        while Self.isTooWide(positive.bounds, other.positive.bounds)
            || Self.isTooWide(negative.bounds, other.negative.bounds)
        {
            downscale(to: scale - 1)
            other.downscale(to: scale)
        }
        zeroCount &+= other.zeroCount
        positive.add(other.positive)
        negative.add(other.negative)
    }
    /// Takes over the resolution and threshold of another, but no count.
    mutating func join(_ other: Self) {
        var other = other
        Self.align(&self, &other)
    }
    private static func isTooWide(_ left: (low: Int, high: Int)?, _ right: (low: Int, high: Int)?) -> Bool {
        let low = min(left?.low ?? .max, right?.low ?? .max)
        let high = max(left?.high ?? .min, right?.high ?? .min)
        return low <= high && high - low >= maximumBuckets
    }
    /// What came since an earlier point of the same stream; nil where a count fell.
    func increase(since earlier: Self) -> Self? {
        var (result, earlier) = (self, earlier)
        Self.align(&result, &earlier)
        guard result.zeroCount >= earlier.zeroCount else { return nil }
        result.zeroCount -= earlier.zeroCount
        guard result.positive.subtract(earlier.positive), result.negative.subtract(earlier.negative) else {
            return nil
        }
        return result
    }
}
