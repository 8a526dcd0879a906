import PhoenixModel

/// What is held of a point of several numbers: one object a series.
final class CompoundPoint {
    enum Content {
        case histogram(layout: BucketLayout, buckets: [UInt64])
        case exponential(ExponentialBuckets)
        case summary(quantiles: [Double], values: [Double])
    }
    var count: UInt64
    /// Nil where it is not known.
    var sum: Double?
    var start: UInt64
    var content: Content

    init(count: UInt64, sum: Double?, start: UInt64, content: Content) {
        (self.count, self.sum, self.start, self.content) = (count, sum, start, content)
    }
    convenience init(_ points: HistogramPoints, _ index: Int) {
        let layout = points.layouts[index]
        let offset = points.offsets[index]
        self.init(
            count: points.counts[index],
            sum: points.flags[index].contains(.hasSum) ? points.sums[index] : nil,
            start: points.starts[index],
            content: .histogram(
                layout: layout,
                buckets: Array(points.buckets[offset..<offset + layout.bucketCount])
            )
        )
    }
    convenience init(_ points: ExponentialPoints, _ index: Int) {
        func side(_ side: ExponentialPoints.Side) -> ExponentialBuckets.Side {
            .init(
                offset: Int(side.offset),
                counts: Array(points.buckets[side.start..<side.start + side.count])
            )
        }
        self.init(
            count: points.counts[index],
            sum: points.flags[index].contains(.hasSum) ? points.sums[index] : nil,
            start: points.starts[index],
            content: .exponential(
                ExponentialBuckets(
                    scale: Int(points.scales[index]),
                    zeroCount: points.zeroCounts[index],
                    zeroThreshold: max(
                        0,
                        points.zeroThresholds[index].isFinite ? points.zeroThresholds[index] : 0
                    ),
                    positive: side(points.positives[index]),
                    negative: side(points.negatives[index])
                )
            )
        )
    }
    convenience init(_ points: SummaryPoints, _ index: Int) {
        let range = points.quantileRange(index)
        let order = range.sorted { points.quantiles[$0] < points.quantiles[$1] }
        self.init(
            count: points.counts[index],
            sum: points.sums[index],
            start: points.starts[index],
            content: .summary(
                quantiles: order.map { points.quantiles[$0] },
                values: order.map { points.values[$0] }
            )
        )
    }
    /// Cumulative buckets; the last is infinite and equals the count. A summary has none.
    var classicBuckets: [(bound: Double, count: UInt64)] {
        switch content {
        case .summary: return []
        case .exponential(let buckets): return buckets.classic()
        case .histogram(let layout, let counts):
            var (result, total): ([(bound: Double, count: UInt64)], UInt64) = ([], 0)
            for (bound, count) in zip(layout.bounds, counts) where bound.isFinite {
                total &+= count
                result.append((bound, total))
            }
            return result + [(.infinity, count)]
        }
    }
    func copy() -> CompoundPoint { CompoundPoint(count: count, sum: sum, start: start, content: content) }

    /// Becomes the newer point, in place where the buckets are alike.
    func replace(with newer: CompoundPoint) {
        (count, sum, start, content) = (newer.count, newer.sum, newer.start, newer.content)
    }

    /// Becomes a point of a batch, in place where the buckets are alike.
    func replace(with points: HistogramPoints, _ index: Int) {
        take(points.counts[index], points.sums[index], points.starts[index], points.flags[index])
        let (layout, offset) = (points.layouts[index], points.offsets[index])
        let buckets = points.buckets[offset..<offset + layout.bucketCount]
        guard case .histogram(let known, var held) = content, known == layout else {
            content = .histogram(layout: layout, buckets: Array(buckets))
            return
        }
        // Nobody else holds them meanwhile, so they are not copied.
        content = .summary(quantiles: [], values: [])
        for index in held.indices { held[index] = buckets[offset + index] }
        content = .histogram(layout: known, buckets: held)
    }
    func replace(with points: ExponentialPoints, _ index: Int) {
        guard case .exponential(var held) = content else {
            return replace(with: CompoundPoint(points, index))
        }
        take(points.counts[index], points.sums[index], points.starts[index], points.flags[index])
        content = .summary(quantiles: [], values: [])
        let threshold = points.zeroThresholds[index]
        (held.scale, held.zeroCount) = (Int(points.scales[index]), points.zeroCounts[index])
        held.zeroThreshold = max(0, threshold.isFinite ? threshold : 0)
        held.positive.replace(with: points.positives[index], in: points.buckets)
        held.negative.replace(with: points.negatives[index], in: points.buckets)
        content = .exponential(held)
    }
    private func take(_ count: UInt64, _ sum: Double, _ start: UInt64, _ flags: PointFlags) {
        (self.count, self.sum, self.start) = (count, flags.contains(.hasSum) ? sum : nil, start)
    }

    /// Adds a point of the same kind; false, and nothing changed, for histograms of unlike buckets.
    func add(_ other: CompoundPoint) -> Bool {
        switch (content, other.content) {
        case (.histogram(let layout, var buckets), .histogram(let otherLayout, let others)):
            guard layout == otherLayout else { return false }
            for index in buckets.indices { buckets[index] &+= others[index] }
            content = .histogram(layout: layout, buckets: buckets)
        case (.exponential(var buckets), .exponential(let others)):
            buckets.add(others)
            content = .exponential(buckets)
        case (.summary(let quantiles, _), .summary(let others, let values)):
            // Quantiles cannot be added: the newer ones stand where they are the same, else none do.
            content =
                quantiles == others
                ? .summary(quantiles: others, values: values) : .summary(quantiles: [], values: [])
        default: return false
        }
        count &+= other.count
        sum = sum.flatMap { sum in other.sum.map { sum + $0 } }
        return true
    }

    /// How much a cumulative point grew since an earlier one; nil where it did not: a reset.
    func increase(since earlier: CompoundPoint) -> CompoundPoint? {
        guard count >= earlier.count else { return nil }
        let difference = CompoundPoint(
            count: count - earlier.count,
            sum: sum.flatMap { sum in earlier.sum.map { sum - $0 } },
            start: start,
            content: content
        )
        switch (content, earlier.content) {
        case (.histogram(let layout, var buckets), .histogram(let earlierLayout, let others)):
            guard layout == earlierLayout else { return nil }
            for index in buckets.indices {
                guard buckets[index] >= others[index] else { return nil }
                buckets[index] -= others[index]
            }
            difference.content = .histogram(layout: layout, buckets: buckets)
        case (.exponential(let buckets), .exponential(let others)):
            guard let rest = buckets.subtracting(others) else { return nil }
            difference.content = .exponential(rest)
        case (.summary, .summary): break
        default: return nil
        }
        return difference
    }
}

extension ExponentialBuckets.Side {
    fileprivate mutating func replace(with side: ExponentialPoints.Side, in buckets: [UInt64]) {
        offset = Int(side.offset)
        counts.removeAll(keepingCapacity: true)
        counts += buckets[side.start..<side.start + side.count]
    }
}
