import PhoenixModel

/// The points of the batch that is being decoded, whatever encoding they came in.
///
/// Requests are added whole or not at all: `mark` before one, `rollBack` when it proves malformed. Belongs to one event
/// loop, which reuses its memory.
struct PointBuilder {
    /// How far the builder was before a request.
    struct Mark {
        var numbers: Int
        var histograms: Int
        var histogramBuckets: Int
        var exponentials: Int
        var exponentialBuckets: Int
        var summaries: Int
        var quantiles: Int
        var exemplars: Int
    }
    var numbers = NumberColumns()
    var histograms = HistogramPoints()
    var exponentials = ExponentialPoints()
    var summaries = SummaryPoints()
    var exemplars: [Exemplar] = []

    var count: Int { numbers.count + histograms.count + exponentials.count + summaries.count }

    var mark: Mark {
        Mark(
            numbers: numbers.count,
            histograms: histograms.count,
            histogramBuckets: histograms.buckets.count,
            exponentials: exponentials.count,
            exponentialBuckets: exponentials.buckets.count,
            summaries: summaries.count,
            quantiles: summaries.quantiles.count,
            exemplars: exemplars.count
        )
    }
    mutating func rollBack(to mark: Mark) {
        numbers.count = mark.numbers
        exemplars.truncate(to: mark.exemplars)
        if histograms.count > mark.histograms {
            histograms.truncate(to: mark.histograms, mark.histogramBuckets)
        }
        if exponentials.count > mark.exponentials {
            exponentials.truncate(to: mark.exponentials, mark.exponentialBuckets)
        }
        if summaries.count > mark.summaries { summaries.truncate(to: mark.summaries, mark.quantiles) }
        histograms.buckets.truncate(to: mark.histogramBuckets)
        exponentials.buckets.truncate(to: mark.exponentialBuckets)
        summaries.quantiles.truncate(to: mark.quantiles)
        summaries.values.truncate(to: mark.quantiles)
    }

    /// The batch of all points added since the last one; nil where there are none.
    mutating func take(epoch: UInt64) -> MetricBatch? {
        guard count > 0 else { return nil }
        var parts = MetricBatch.Parts()
        parts.numbers = numbers.take()
        swap(&parts.histograms, &histograms)
        swap(&parts.exponentials, &exponentials)
        swap(&parts.summaries, &summaries)
        swap(&parts.exemplars, &exemplars)
        return MetricBatch(parts, epoch: epoch)
    }
}

extension Array {
    fileprivate mutating func truncate(to count: Int) {
        if self.count > count { removeSubrange(count...) }
    }
}
extension HistogramPoints {
    fileprivate mutating func truncate(to points: Int, _ bucketCount: Int) {
        series.truncate(to: points)
        times.truncate(to: points)
        starts.truncate(to: points)
        flags.truncate(to: points)
        counts.truncate(to: points)
        sums.truncate(to: points)
        minima.truncate(to: points)
        maxima.truncate(to: points)
        layouts.truncate(to: points)
        offsets.truncate(to: points)
        buckets.truncate(to: bucketCount)
    }
}
extension ExponentialPoints {
    fileprivate mutating func truncate(to points: Int, _ bucketCount: Int) {
        series.truncate(to: points)
        times.truncate(to: points)
        starts.truncate(to: points)
        flags.truncate(to: points)
        counts.truncate(to: points)
        sums.truncate(to: points)
        minima.truncate(to: points)
        maxima.truncate(to: points)
        scales.truncate(to: points)
        zeroCounts.truncate(to: points)
        zeroThresholds.truncate(to: points)
        positives.truncate(to: points)
        negatives.truncate(to: points)
        buckets.truncate(to: bucketCount)
    }
}
extension SummaryPoints {
    fileprivate mutating func truncate(to points: Int, _ quantileCount: Int) {
        series.truncate(to: points)
        times.truncate(to: points)
        starts.truncate(to: points)
        flags.truncate(to: points)
        counts.truncate(to: points)
        sums.truncate(to: points)
        offsets.truncate(to: points)
        quantiles.truncate(to: quantileCount)
        values.truncate(to: quantileCount)
    }
}
