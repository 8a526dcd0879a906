import PhoenixModel

/// A histogram or summary while its samples are collected.
struct CompoundDraft {
    var stream: Int32
    var isSummary: Bool
    var time: UInt64
    var start: UInt64 = 0
    var sum: Double?
    var count: UInt64?
    /// Bounds of buckets, or quantiles, in the order of their lines.
    var bounds: [Double] = []
    /// Of a histogram: how many were counted up to each bound.
    var counts: [UInt64] = []
    /// Of a summary.
    var values: [Double] = []
    var exemplars: [ScrapedExemplar] = []
    /// Why no point can be made of it.
    var flaw: ScrapeDrop?

    /// Appends the histogram to a batch; answers why it cannot be.
    mutating func append(
        to points: inout HistogramPoints,
        _ id: SeriesID,
        layout known: inout BucketLayout?
    ) -> ScrapeDrop? {
        if let flaw { return flaw }
        sort()
        let hasBuckets = !bounds.isEmpty
        if bounds.last == .infinity {
            // OpenMetrics has no `_count` without `_sum`: the last bucket tells it as well.
            count = counts.removeLast()
            bounds.removeLast()
        }
        guard let count else { return .noCount }
        var previous: UInt64 = 0
        for total in counts {
            guard total >= previous, total <= count else { return .bucketOrder }
            previous = total
        }
        if known == nil || known?.hasBuckets != hasBuckets || known?.bounds != bounds {
            known = hasBuckets ? BucketLayout(bounds: bounds) : BucketLayout.none
        }
        points.series.append(id)
        points.times.append(time)
        points.starts.append(start)
        points.flags.append(sum == nil ? [] : .hasSum)
        points.counts.append(count)
        points.sums.append(sum ?? 0)
        points.minima.append(0)
        points.maxima.append(0)
        points.layouts.append(known ?? .none)
        points.offsets.append(points.buckets.count)
        if hasBuckets {
            previous = 0
            for total in counts {
                points.buckets.append(total - previous)
                previous = total
            }
            points.buckets.append(count - previous)
        }
        return nil
    }
    /// Appends the summary to a batch; answers why it cannot be.
    func append(to points: inout SummaryPoints, _ id: SeriesID) -> ScrapeDrop? {
        if let flaw { return flaw }
        guard let count else { return .noCount }
        points.series.append(id)
        points.times.append(time)
        points.starts.append(start)
        points.flags.append(.hasSum)
        points.counts.append(count)
        points.sums.append(sum ?? 0)
        points.offsets.append(points.quantiles.count)
        for index in bounds.indices.sorted(by: { bounds[$0] < bounds[$1] }) {
            points.quantiles.append(bounds[index])
            points.values.append(values[index])
        }
        return nil
    }
    /// Puts the buckets in the order of their bounds, in which they mostly are.
    private mutating func sort() {
        guard !zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else { return }
        let order = bounds.indices.sorted { bounds[$0] < bounds[$1] }
        (bounds, counts) = (order.map { bounds[$0] }, order.map { counts[$0] })
    }
}

extension MetricBatch.Parts {
    /// Appends the end of a series: a point of its kind that says nothing but that.
    mutating func appendEnd(of id: SeriesID, _ kind: PointKind, at time: UInt64) {
        switch kind {
        case .gauge, .sum:
            numbers.append(id, time: time, start: 0, bits: 0, flags: .noRecordedValue)
        case .summary:
            summaries.series.append(id)
            summaries.times.append(time)
            summaries.starts.append(0)
            summaries.flags.append(.noRecordedValue)
            summaries.counts.append(0)
            summaries.sums.append(0)
            summaries.offsets.append(summaries.quantiles.count)
        case .exponentialHistogram:
            exponentials.series.append(id)
            exponentials.times.append(time)
            exponentials.starts.append(0)
            exponentials.flags.append(.noRecordedValue)
            exponentials.counts.append(0)
            exponentials.sums.append(0)
            exponentials.minima.append(0)
            exponentials.maxima.append(0)
            exponentials.scales.append(0)
            exponentials.zeroCounts.append(0)
            exponentials.zeroThresholds.append(0)
            exponentials.positives.append(
                ExponentialPoints.Side(offset: 0, start: exponentials.buckets.count, count: 0)
            )
            exponentials.negatives.append(
                ExponentialPoints.Side(offset: 0, start: exponentials.buckets.count, count: 0)
            )
        case .histogram:
            histograms.series.append(id)
            histograms.times.append(time)
            histograms.starts.append(0)
            histograms.flags.append(.noRecordedValue)
            histograms.counts.append(0)
            histograms.sums.append(0)
            histograms.minima.append(0)
            histograms.maxima.append(0)
            histograms.layouts.append(.none)
            histograms.offsets.append(histograms.buckets.count)
        }
    }
}
