import PhoenixModel

/// How what a sender counted looks: as a point of its kind, and in the cells of the oracle.
extension CompoundHistory {
    /// Of the sums every third is of integers alone.
    func isWhole(_ name: Int) -> Bool { kind(name) == .sum && name / kinds.count % 3 == 0 }

    /// Of the histograms every other has finer bounds; of the exponential ones a finer scale: two buckets in one.
    func width(_ name: Int) -> Int {
        switch kind(name) {
        case .histogram: name / kinds.count % 2 == 0 ? 3 : 5
        case .exponential: name / kinds.count % 2 == 0 ? 3 : 6
        case .summary, .sum: 1
        }
    }
    /// As its sender tells it: who has finer bounds tells some points in the coarser ones, and did not begin anew.
    func told(_ point: Sent) -> [UInt64] {
        let buckets = point.buckets
        guard kind(point.name) == .histogram, buckets.count == 5, point.time % 5 == 0 else { return buckets }
        return [buckets[0] + buckets[1], buckets[2] + buckets[3], buckets[4]]
    }
    func cells(_ point: Sent) -> Cells {
        if kind(point.name) == .sum { return [0, 0, 0, point.value] }
        // What is finer is told in the coarser ones.
        let shift = point.buckets.count > 3 ? 1 : 0
        var cells: Cells = [0, 0, 0, Int64(point.quarters)]
        for (place, count) in point.buckets.enumerated() { cells[place >> shift] += Int64(count) }
        return cells
    }
    func append(_ point: Sent, _ id: SeriesID, to parts: inout MetricBatch.Parts) {
        let (count, sum) = (point.buckets.reduce(0, +), Double(point.quarters) / 4)
        switch kind(point.name) {
        case .sum:
            let isInteger = isWhole(point.name) || (point.value % 4 == 0 && point.time % 3 == 0)
            parts.numbers.append(
                id,
                time: point.time,
                start: point.start,
                bits: isInteger
                    ? UInt64(bitPattern: point.value / 4) : (Double(point.value) / 4).bitPattern,
                flags: isInteger ? .isInteger : []
            )
        case .histogram:
            parts.histograms.series.append(id)
            parts.histograms.times.append(point.time)
            parts.histograms.starts.append(point.start)
            parts.histograms.flags.append(.hasSum)
            parts.histograms.counts.append(count)
            parts.histograms.sums.append(sum)
            parts.histograms.minima.append(0)
            parts.histograms.maxima.append(0)
            // An object of its own now and then: equal bounds are equal layouts.
            let told = told(point)
            let layout = told.count == 3 ? Self.coarse : Self.fine
            parts.histograms.layouts.append(count % 3 == 0 ? BucketLayout(bounds: layout.bounds) : layout)
            parts.histograms.offsets.append(parts.histograms.buckets.count)
            parts.histograms.buckets += told
        case .exponential:
            parts.exponentials.series.append(id)
            parts.exponentials.times.append(point.time)
            parts.exponentials.starts.append(point.start)
            parts.exponentials.flags.append(.hasSum)
            parts.exponentials.counts.append(count)
            parts.exponentials.sums.append(sum)
            parts.exponentials.minima.append(0)
            parts.exponentials.maxima.append(0)
            parts.exponentials.scales.append(point.buckets.count == 3 ? 0 : 1)
            parts.exponentials.zeroCounts.append(0)
            parts.exponentials.zeroThresholds.append(0)
            let start = parts.exponentials.buckets.count
            parts.exponentials.positives.append(.init(offset: 0, start: start, count: point.buckets.count))
            parts.exponentials.negatives.append(.init())
            parts.exponentials.buckets += point.buckets
        case .summary:
            parts.summaries.series.append(id)
            parts.summaries.times.append(point.time)
            parts.summaries.starts.append(point.start)
            parts.summaries.flags.append(.hasSum)
            parts.summaries.counts.append(count)
            parts.summaries.sums.append(sum)
            parts.summaries.offsets.append(0)
        }
    }
}
