import PhoenixModel

/// Histogram points of a batch. The common case, a known series whose new point replaces the old, is a loop over columns in
/// which nothing is retained or allocated; it leaves for what is rare, and goes on behind it.
extension HeldPoints {
    func ingest(_ points: HistogramPoints, _ table: SeriesTable, _ tick: UInt32) {
        var place = 0
        while let stop = replace(points, from: place, tick) {
            let isEnd = points.flags[stop].contains(.noRecordedValue)
            compound(points.series[stop], points.times[stop], isEnd, table, tick) {
                CompoundPoint(points, stop)
            }
            place = stop + 1
        }
    }
    func ingest(_ points: ExponentialPoints, _ table: SeriesTable, _ tick: UInt32) {
        var place = 0
        while let stop = replace(points, from: place, tick) {
            let isEnd = points.flags[stop].contains(.noRecordedValue)
            compound(points.series[stop], points.times[stop], isEnd, table, tick) {
                CompoundPoint(points, stop)
            }
            place = stop + 1
        }
    }

    /// Answers the first point that is something else than a newer one of a known series.
    private func replace(_ points: HistogramPoints, from start: Int, _ tick: UInt32) -> Int? {
        compoundNumbers.withUnsafeBufferPointer { Self.replace(&records, $0, points, from: start, tick) }
    }
    private func replace(_ points: ExponentialPoints, from start: Int, _ tick: UInt32) -> Int? {
        compoundNumbers.withUnsafeBufferPointer { Self.replace(&records, $0, points, from: start, tick) }
    }
    private typealias Held = UnsafeBufferPointer<UnsafeMutablePointer<HeldNumbers>?>

    private static func replace(
        _ records: inout SlotMap<HeldSeries>,
        _ held: Held,
        _ points: HistogramPoints,
        from start: Int,
        _ tick: UInt32
    ) -> Int? {
        let (series, times, starts) = (points.series.span, points.times.span, points.starts.span)
        let (flags, counts, sums) = (points.flags.span, points.counts.span, points.sums.span)
        let offsets = points.offsets.span
        return points.layouts.withAddresses { layouts in
            points.buckets.withUnsafeBufferPointer { column in
                for index in start..<series.count {
                    let (id, flag) = (series[index], flags[index])
                    guard let place = replaced(&records, id, times[index], flag, tick),
                        let numbers = held[place]
                    else { return index }
                    let figures = HeldNumbers.Figures(
                        count: counts[index],
                        sum: sums[index],
                        start: starts[index],
                        flags: flag
                    )
                    numbers.pointee.replace(with: figures, layouts[index], column, offsets[index])
                }
                return nil
            }
        }
    }
    private static func replace(
        _ records: inout SlotMap<HeldSeries>,
        _ held: Held,
        _ points: ExponentialPoints,
        from start: Int,
        _ tick: UInt32
    ) -> Int? {
        let (series, times, starts) = (points.series.span, points.times.span, points.starts.span)
        let (flags, counts, sums) = (points.flags.span, points.counts.span, points.sums.span)
        let (scales, positives, negatives) = (
            points.scales.span, points.positives.span, points.negatives.span
        )
        let (zeroCounts, thresholds) = (points.zeroCounts.span, points.zeroThresholds.span)
        return points.buckets.withUnsafeBufferPointer { column in
            for index in start..<series.count {
                let (id, flag) = (series[index], flags[index])
                guard let place = replaced(&records, id, times[index], flag, tick),
                    let numbers = held[place]
                else { return index }
                let figures = HeldNumbers.Figures(
                    count: counts[index],
                    sum: sums[index],
                    start: starts[index],
                    flags: flag
                )
                numbers.pointee.replace(
                    with: figures,
                    scale: scales[index],
                    zero: (zeroCounts[index], thresholds[index]),
                    positives[index],
                    negatives[index],
                    column
                )
            }
            return nil
        }
    }
    /// The place of what is held of a known series where a point takes its place, which is noted here; nil where it is
    /// something else.
    @inline(__always)
    private static func replaced(
        _ records: inout SlotMap<HeldSeries>,
        _ id: SeriesID,
        _ time: UInt64,
        _ flags: PointFlags,
        _ tick: UInt32
    ) -> Int? {
        guard let record = records.known(id.slot), record.pointee.generation == id.generation,
            record.pointee.isReplacedCompound, time >= record.pointee.time,
            !flags.contains(.noRecordedValue)
        else { return nil }
        record.pointee.time = time
        record.pointee.seen = tick
        return Int(record.pointee.value)
    }
}
