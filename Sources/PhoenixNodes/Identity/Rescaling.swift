import PhoenixModel

/// Multiplies the values of series, each by a factor that is found once: for another unit.
///
/// A factor above zero keeps the order of values, so a counter still only rises, and what rounding adds to one increase it
/// takes from the next. Integers stay integers where the factor is one and the product has room. The buckets of a histogram
/// keep their counts and get other bounds; those of an exponential one move by whole places, which only factors can do that
/// are powers of two (and of 2^(2^-scale) where the scale is below zero): others are left out and counted.
struct Rescaling: ~Copyable {
    private struct Entry: BitwiseCopyable, Sendable {
        /// Of the series; no series has generation 0.
        var generation: UInt32
        var factor: Double
    }
    private struct LayoutKey: Hashable {
        let layout: ObjectIdentifier
        let factor: UInt64
    }
    private static let maximumLayouts = 1024
    private var entries = SlotMap<Entry>(vacant: Entry(generation: 0, factor: 1))
    /// Scaled layouts, nil for those that cannot be; the layouts they come of are held, so that none takes their address.
    private var layouts: [LayoutKey: (source: BucketLayout, scaled: BucketLayout?)] = [:]

    var byteCount: Int { entries.byteCount }
    mutating func removeAll() {
        entries.removeAll()
        layouts.removeAll()
    }

    /// The batch in its new units, and how many points were left out.
    mutating func apply(
        to batch: MetricBatch,
        _ table: SeriesTable,
        _ factor: (inout Subject) -> Double
    ) -> (batch: MetricBatch, unscalable: Int) {
        let numbers = factors(batch.numbers.series, table, factor)
        let histograms = factors(batch.histograms.series, table, factor)
        let exponentials = factors(batch.exponentials.series, table, factor)
        let summaries = factors(batch.summaries.series, table, factor)
        guard numbers != nil || histograms != nil || exponentials != nil || summaries != nil else {
            return (batch, 0)
        }
        var parts = batch.parts
        var columns = SeriesColumns()
        (columns.numbers, columns.summaries) = (batch.numbers.series, batch.summaries.series)
        (columns.histograms, columns.exponentials) = (batch.histograms.series, batch.exponentials.series)
        columns.exemplars = batch.exemplars.map(\.series)
        if let numbers { parts.numbers.scale(by: numbers) }
        if let summaries { parts.summaries.scale(by: summaries) }
        var left = 0
        if let histograms {
            for (index, factor) in histograms.enumerated() where factor != 1 {
                guard scale(&parts.histograms, index, by: factor) else {
                    columns.histograms[index] = .none
                    left += 1
                    continue
                }
            }
        }
        if let exponentials {
            for (index, factor) in exponentials.enumerated() where factor != 1 {
                guard parts.exponentials.scale(index, by: factor) else {
                    columns.exponentials[index] = .none
                    left += 1
                    continue
                }
            }
        }
        for index in parts.exemplars.indices {
            let factor = entries[parts.exemplars[index].series.slot].factor
            if factor != 1 { parts.exemplars[index].scale(by: factor) }
        }
        let scaled = batch.successor(parts)
        return (left > 0 ? scaled.compacted(columns) : scaled, left)
    }

    /// The factors of a column of series; nil where all are 1.
    private mutating func factors(
        _ ids: [SeriesID],
        _ table: SeriesTable,
        _ find: (inout Subject) -> Double
    ) -> [Double]? {
        var result: [Double]?
        for (index, id) in ids.enumerated() {
            let entry = entries[id.slot]
            let factor = entry.generation == id.generation ? entry.factor : decide(id, table, find)
            if factor == 1 { continue }
            if result == nil { result = Array(repeating: 1, count: ids.count) }
            result?[index] = factor
        }
        return result
    }
    private mutating func decide(
        _ id: SeriesID,
        _ table: SeriesTable,
        _ find: (inout Subject) -> Double
    ) -> Double {
        // One that is stale goes no further.
        guard let series = table.series(id) else { return 1 }
        var subject = Subject(
            resource: series.resource.attributes,
            point: series.attributes.attributes,
            metric: series.metric.identity,
            id: id
        )
        let factor = find(&subject)
        entries.element(id.slot).pointee = Entry(generation: id.generation, factor: factor)
        return factor
    }

    private mutating func scale(_ points: inout HistogramPoints, _ index: Int, by factor: Double) -> Bool {
        guard let layout = scaled(points.layouts[index], by: factor) else { return false }
        points.layouts[index] = layout
        points.sums[index] *= factor
        points.minima[index] *= factor
        points.maxima[index] *= factor
        return true
    }
    private mutating func scaled(_ layout: BucketLayout, by factor: Double) -> BucketLayout? {
        guard !layout.bounds.isEmpty else { return layout }
        let key = LayoutKey(layout: ObjectIdentifier(layout), factor: factor.bitPattern)
        if let known = layouts[key] { return known.scaled }
        let bounds = layout.bounds.map { $0 * factor }
        // Bounds may run together, or leave the range of numbers.
        let isSound = bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
        let scaled = isSound ? BucketLayout(bounds: bounds, hasBuckets: layout.hasBuckets) : nil
        if layouts.count >= Self.maximumLayouts { layouts.removeAll() }
        layouts[key] = (layout, scaled)
        return scaled
    }
}

/// An integer times a factor: an integer where the factor is one and the product has room.
private func product(_ bits: UInt64, _ flags: inout PointFlags, _ factor: Double) -> UInt64 {
    guard flags.contains(.isInteger) else { return (Double(bitPattern: bits) * factor).bitPattern }
    let value = Int64(bitPattern: bits)
    if let whole = Int64(exactly: factor) {
        let (product, overflows) = value.multipliedReportingOverflow(by: whole)
        if !overflows { return UInt64(bitPattern: product) }
    }
    flags.remove(.isInteger)
    return (Double(value) * factor).bitPattern
}

extension NumberPoints {
    fileprivate mutating func scale(by factors: [Double]) {
        for (index, factor) in factors.enumerated() where factor != 1 {
            guard !flags[index].contains(.noRecordedValue) else { continue }
            values[index] = product(values[index], &flags[index], factor)
        }
    }
}

extension SummaryPoints {
    fileprivate mutating func scale(by factors: [Double]) {
        for (index, factor) in factors.enumerated() where factor != 1 {
            sums[index] *= factor
            for place in quantileRange(index) { values[place] *= factor }
        }
    }
}

extension ExponentialPoints {
    /// Moves the buckets of a point; false, and nothing, where they would have to move by a part of a bucket.
    fileprivate mutating func scale(_ index: Int, by factor: Double) -> Bool {
        guard factor.significand == 1, factor.isNormal else { return false }
        let (power, scale) = (Int(factor.exponent), Int(scales[index]))
        let places: Int
        if scale >= 0 {
            guard scale <= 32 else { return false }
            places = power << scale
        } else {
            guard scale >= -11, power & ((1 << -scale) - 1) == 0 else { return false }
            places = power >> -scale
        }
        guard let positive = Int32(exactly: Int(positives[index].offset) + places),
            let negative = Int32(exactly: Int(negatives[index].offset) + places)
        else { return false }
        (positives[index].offset, negatives[index].offset) = (positive, negative)
        zeroThresholds[index] *= factor
        sums[index] *= factor
        minima[index] *= factor
        maxima[index] *= factor
        return true
    }
}

extension Exemplar {
    fileprivate mutating func scale(by factor: Double) { bits = product(bits, &flags, factor) }
}
