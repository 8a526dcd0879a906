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
    var histograms = HistogramRows()
    var exponentials = ExponentialRows()
    var summaries = SummaryPoints()
    var exemplars: [Exemplar] = []

    /// Gives the memory back.
    func free() {
        numbers.free()
        histograms.counts.free()
        exponentials.counts.free()
    }
    var count: Int { numbers.count + histograms.count + exponentials.count + summaries.count }

    var mark: Mark {
        Mark(
            numbers: numbers.count,
            histograms: histograms.count,
            histogramBuckets: histograms.counts.count,
            exponentials: exponentials.count,
            exponentialBuckets: exponentials.counts.count,
            summaries: summaries.count,
            quantiles: summaries.quantiles.count,
            exemplars: exemplars.count
        )
    }
    mutating func rollBack(to mark: Mark) {
        numbers.count = mark.numbers
        exemplars.truncate(to: mark.exemplars)
        histograms.truncate(to: mark.histograms, mark.histogramBuckets)
        exponentials.truncate(to: mark.exponentials, mark.exponentialBuckets)
        if summaries.count > mark.summaries { summaries.truncate(to: mark.summaries, mark.quantiles) }
        summaries.quantiles.truncate(to: mark.quantiles)
        summaries.values.truncate(to: mark.quantiles)
    }

    /// The batch of all points added since the last one; nil where there are none.
    mutating func take(epoch: UInt64) -> MetricBatch? {
        guard count > 0 else { return nil }
        var parts = MetricBatch.Parts()
        parts.numbers = numbers.take()
        if histograms.count > 0 { parts.histograms = histograms.take() }
        if exponentials.count > 0 { parts.exponentials = exponentials.take() }
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
