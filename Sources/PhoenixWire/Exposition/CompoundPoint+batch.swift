import PhoenixModel

/// Points as they lie in the columns of a batch.
extension CompoundPoint {
    convenience init(_ points: HistogramPoints, _ index: Int) {
        let (layout, offset) = (points.layouts[index], points.offsets[index])
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
                    zeroThreshold: HeldNumbers.threshold(points.zeroThresholds[index]),
                    positive: side(points.positives[index]),
                    negative: side(points.negatives[index])
                )
            )
        )
    }
    convenience init(_ points: SummaryPoints, _ index: Int) {
        // What is no quantile cannot be told, and of two values of one there can be but one: the last.
        let range = points.quantileRange(index).filter { (0...1).contains(points.quantiles[$0]) }
        var order: [Int] = []
        for place in range.sorted(by: { (points.quantiles[$0], $0) < (points.quantiles[$1], $1) }) {
            if let last = order.last, points.quantiles[last] == points.quantiles[place] { order.removeLast() }
            order.append(place)
        }
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
}
