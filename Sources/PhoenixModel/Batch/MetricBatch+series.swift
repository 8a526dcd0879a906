/// The series columns of a batch, one for each kind of point, and one for its exemplars.
public struct SeriesColumns: Sendable {
    public var numbers: [SeriesID] = []
    public var histograms: [SeriesID] = []
    public var exponentials: [SeriesID] = []
    public var summaries: [SeriesID] = []
    public var exemplars: [SeriesID] = []
    public init() {}
}

extension MetricBatch {
    /// The same points under other series: only the series columns are new, all others are shared.
    ///
    /// The columns must be as long as the batch's own.
    public func renamed(_ columns: SeriesColumns) -> MetricBatch {
        var parts = parts
        parts.numbers.series = columns.numbers
        parts.histograms.series = columns.histograms
        parts.exponentials.series = columns.exponentials
        parts.summaries.series = columns.summaries
        for index in parts.exemplars.indices { parts.exemplars[index].series = columns.exemplars[index] }
        return successor(parts)
    }

    /// Other points that come of these.
    public func successor(_ parts: Parts) -> MetricBatch {
        var batch = MetricBatch(parts, epoch: epoch)
        batch.receivedAt = receivedAt
        return batch
    }

    /// The points whose series in `columns` is not `none`, under that series.
    public func compacted(_ columns: SeriesColumns) -> MetricBatch {
        var parts = Parts()
        parts.numbers = numbers.compacted(columns.numbers)
        parts.histograms = histograms.compacted(columns.histograms)
        parts.exponentials = exponentials.compacted(columns.exponentials)
        parts.summaries = summaries.compacted(columns.summaries)
        for (index, id) in columns.exemplars.enumerated() where id != .none {
            var exemplar = exemplars[index]
            exemplar.series = id
            parts.exemplars.append(exemplar)
        }
        return successor(parts)
    }
}

extension NumberPoints {
    fileprivate func compacted(_ ids: [SeriesID]) -> Self {
        guard ids.contains(.none) else {
            var points = self
            points.series = ids
            return points
        }
        return Self(capacity: ids.reduce(0) { $0 + ($1 == .none ? 0 : 1) }) { points in
            for (index, id) in ids.enumerated() where id != .none {
                points.append(
                    id,
                    time: times[index],
                    start: starts[index],
                    bits: values[index],
                    flags: flags[index]
                )
            }
        }
    }
}

extension HistogramPoints {
    /// Buckets are found by offset, so those of points left out may stay where they are.
    fileprivate func compacted(_ ids: [SeriesID]) -> Self {
        var points = self
        points.series = ids
        let kept = ids.indices.filter { ids[$0] != .none }
        guard kept.count < ids.count else { return points }
        points.series = kept.map { ids[$0] }
        points.times = kept.map { times[$0] }
        points.starts = kept.map { starts[$0] }
        points.flags = kept.map { flags[$0] }
        points.counts = kept.map { counts[$0] }
        points.sums = kept.map { sums[$0] }
        points.minima = kept.map { minima[$0] }
        points.maxima = kept.map { maxima[$0] }
        points.layouts = layouts.picked(kept)
        points.offsets = kept.map { offsets[$0] }
        if kept.isEmpty { points.buckets = [] }
        return points
    }
}

extension ExponentialPoints {
    fileprivate func compacted(_ ids: [SeriesID]) -> Self {
        var points = self
        points.series = ids
        let kept = ids.indices.filter { ids[$0] != .none }
        guard kept.count < ids.count else { return points }
        points.series = kept.map { ids[$0] }
        points.times = kept.map { times[$0] }
        points.starts = kept.map { starts[$0] }
        points.flags = kept.map { flags[$0] }
        points.counts = kept.map { counts[$0] }
        points.sums = kept.map { sums[$0] }
        points.minima = kept.map { minima[$0] }
        points.maxima = kept.map { maxima[$0] }
        points.scales = kept.map { scales[$0] }
        points.zeroCounts = kept.map { zeroCounts[$0] }
        points.zeroThresholds = kept.map { zeroThresholds[$0] }
        points.positives = kept.map { positives[$0] }
        points.negatives = kept.map { negatives[$0] }
        if kept.isEmpty { points.buckets = [] }
        return points
    }
}

extension SummaryPoints {
    /// A point's quantiles end where the next one's begin, so they are moved together.
    fileprivate func compacted(_ ids: [SeriesID]) -> Self {
        var points = self
        points.series = ids
        let kept = ids.indices.filter { ids[$0] != .none }
        guard kept.count < ids.count else { return points }
        points.series = kept.map { ids[$0] }
        points.times = kept.map { times[$0] }
        points.starts = kept.map { starts[$0] }
        points.flags = kept.map { flags[$0] }
        points.counts = kept.map { counts[$0] }
        points.sums = kept.map { sums[$0] }
        (points.offsets, points.quantiles, points.values) = ([], [], [])
        for index in kept {
            points.offsets.append(points.quantiles.count)
            points.quantiles += quantiles[quantileRange(index)]
            points.values += values[quantileRange(index)]
        }
        return points
    }
}
