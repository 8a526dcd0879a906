import Foundation

/// The buckets of an exponential histogram (OpenTelemetry data model): base 2^(2^-scale), index i is (base^i, base^(i+1)].
struct ExponentialBuckets: Equatable {
    struct Side: Equatable {
        var offset = 0
        var counts: [UInt64] = []
        subscript(index: Int) -> UInt64 {
            index >= offset && index < offset + counts.count ? counts[index - offset] : 0
        }
        var range: Range<Int> { offset..<offset + counts.count }

        /// Half as many buckets, each of two; exact.
        func downscaled(by steps: Int) -> Side {
            guard steps > 0, !counts.isEmpty else { return self }
            var result = Side(offset: offset >> steps)
            result.counts = [UInt64](
                repeating: 0,
                count: ((offset + counts.count - 1) >> steps) - result.offset + 1
            )
            for (index, count) in counts.enumerated() {
                result.counts[((offset + index) >> steps) - result.offset] &+= count
            }
            return result
        }
        func combined(_ other: Side, _ operation: (UInt64, UInt64) -> UInt64?) -> Side? {
            if other.counts.isEmpty { return self }
            let first = counts.isEmpty ? other.offset : min(offset, other.offset)
            let last = counts.isEmpty ? other.range.upperBound : max(range.upperBound, other.range.upperBound)
            var result = Side(offset: first)
            result.counts.reserveCapacity(last - first)
            for index in first..<last {
                guard let count = operation(self[index], other[index]) else { return nil }
                result.counts.append(count)
            }
            return result
        }
    }
    var scale: Int
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: Side
    var negative: Side
    /// The most buckets a side keeps after adding: the SDKs' default.
    private static let maximumBuckets = 160
    /// The most buckets a side may span while two points of one series are compared.
    private static let maximumDifference = 1 << 14

    func downscaled(to scale: Int) -> Self {
        guard scale < self.scale else { return self }
        var result = self
        result.scale = scale
        result.positive = positive.downscaled(by: self.scale - scale)
        result.negative = negative.downscaled(by: self.scale - scale)
        return result
    }
    /// Puts the buckets that lie below a higher zero threshold into the zero count. The threshold rises to the bound of
    /// a bucket that it would cut.
    mutating func raiseZero(to threshold: Double) {
        guard threshold > zeroThreshold else { return }
        zeroThreshold = threshold
        for path in [\Self.positive, \Self.negative] {
            while let first = self[keyPath: path].counts.first {
                let lower = bound(self[keyPath: path].offset)
                guard lower < zeroThreshold else { break }
                let upper = bound(self[keyPath: path].offset + 1)
                if first > 0, upper > zeroThreshold { zeroThreshold = upper }
                zeroCount &+= first
                self[keyPath: path].counts.removeFirst()
                self[keyPath: path].offset += 1
            }
        }
    }
    /// Downscales both to what holds both, and adds bucket by bucket; exact.
    mutating func add(_ other: Self) {
        var (left, right) = Self.aligned(self, other, within: Self.maximumBuckets)
        left.zeroCount &+= right.zeroCount
        left.positive = left.positive.combined(right.positive) { $0 &+ $1 } ?? left.positive
        left.negative = left.negative.combined(right.negative) { $0 &+ $1 } ?? left.negative
        self = left
    }
    /// What was counted since; nil where a bucket fell.
    func subtracting(_ earlier: Self) -> Self? {
        var (left, right) = Self.aligned(self, earlier, within: Self.maximumDifference)
        guard left.zeroCount >= right.zeroCount else { return nil }
        left.zeroCount -= right.zeroCount
        guard let positive = left.positive.combined(right.positive, { $0 >= $1 ? $0 - $1 : nil }),
            let negative = left.negative.combined(right.negative, { $0 >= $1 ? $0 - $1 : nil })
        else { return nil }
        (left.positive, left.negative) = (positive, negative)
        return left
    }
    /// Both at one scale and zero threshold, spanning at most so many buckets a side: offsets are what senders say.
    private static func aligned(_ left: Self, _ right: Self, within limit: Int) -> (Self, Self) {
        var scale = min(left.scale, right.scale)
        var (first, second) = (left.downscaled(to: scale), right.downscaled(to: scale))
        while max(span(first.positive, second.positive), span(first.negative, second.negative)) > limit {
            scale -= 1
            (first, second) = (first.downscaled(to: scale), second.downscaled(to: scale))
        }
        // Raising one may lift its threshold to a bucket's bound, and so above the other's again.
        while first.zeroThreshold != second.zeroThreshold {
            first.raiseZero(to: second.zeroThreshold)
            second.raiseZero(to: first.zeroThreshold)
        }
        return (first, second)
    }
    private static func span(_ first: Side, _ second: Side) -> Int {
        if first.counts.isEmpty { return second.counts.count }
        if second.counts.isEmpty { return first.counts.count }
        return max(first.range.upperBound, second.range.upperBound) - min(first.offset, second.offset)
    }

    /// The lower bound of a bucket: base^index.
    func bound(_ index: Int) -> Double { exp2(Double(index) * exp2(Double(-scale))) }

    /// The same counts as explicit, cumulative buckets at the powers of the base; the last is the count of all.
    ///
    /// Negative values lie below minus the power, the zero bucket at its threshold, so that every count stands at the
    /// least bound that holds it. Empty stretches at the ends are left out.
    func classic() -> [(bound: Double, count: UInt64)] {
        var (result, total): ([(bound: Double, count: UInt64)], UInt64) = ([], 0)
        func add(_ bound: Double, _ count: UInt64) {
            total &+= count
            // A power beyond what a double can hold bounds nothing: what is below it goes with the next bucket.
            if bound == -.infinity { return }
            if let last = result.last, last.bound >= bound {
                result[result.count - 1].count = total
            } else {
                result.append((bound, total))
            }
        }
        for (index, count) in negative.counts.enumerated().reversed() where count > 0 || !result.isEmpty {
            add(-bound(negative.offset + index), count)
        }
        if zeroCount > 0 || !result.isEmpty { add(zeroThreshold, zeroCount) }
        let last = positive.counts.lastIndex { $0 > 0 } ?? -1
        for (index, count) in positive.counts.enumerated()
        where index <= last && (count > 0 || !result.isEmpty) {
            add(bound(positive.offset + index + 1), count)
        }
        if result.last?.bound != .infinity { result.append((.infinity, total)) }
        return result
    }
}
