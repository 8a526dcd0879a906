/// The last point of a histogram series, as it came.
struct HistogramMember: Sendable {
    var layout: BucketLayout
    var buckets: [UInt64]
    var count: UInt64
    var sum: Double
    var minimum: Double
    var maximum: Double
    var flags: PointFlags
    init(_ points: HistogramPoints, _ index: Int) {
        layout = points.layouts[index]
        let offset = points.offsets[index]
        let isEmpty = points.flags[index].contains(.noRecordedValue)
        buckets = isEmpty ? [] : Array(points.buckets[offset..<offset + layout.bucketCount])
        (count, sum) = (points.counts[index], points.sums[index])
        (minimum, maximum, flags) = (points.minima[index], points.maxima[index], points.flags[index])
    }
}

/// A sum that is there only as long as all points have one, and extremes of windows, which totals cannot have: an
/// extreme of a stream's whole life may be from before we counted.
struct CompoundExtras: Sendable {
    var sum = ExactSum()
    var hasSum = true
    var extremes: (minimum: Double, maximum: Double)?
    let keepsExtremes: Bool
    init(keepsExtremes: Bool) { self.keepsExtremes = keepsExtremes }

    mutating func join(_ sum: Double, _ flags: PointFlags) {
        if !flags.contains(.hasSum) || !sum.isFinite { hasSum = false }
    }
    mutating func add(_ sum: Double, _ minimum: Double, _ maximum: Double, _ flags: PointFlags, isFirst: Bool)
    {
        join(sum, flags)
        if hasSum { self.sum.add(sum) }
        guard keepsExtremes else { return }
        guard flags.isSuperset(of: [.hasMinimum, .hasMaximum]), isFirst || extremes != nil else {
            extremes = nil
            return
        }
        extremes = (
            min(extremes?.minimum ?? minimum, minimum), max(extremes?.maximum ?? maximum, maximum)
        )
    }
    mutating func add(from old: Double, to new: Double, _ flags: PointFlags) {
        join(new, flags)
        join(old, flags)
        if hasSum { sum.add(difference: new, old) }
        extremes = nil
    }
    var flags: PointFlags {
        var flags: PointFlags = hasSum ? .hasSum : []
        if extremes != nil { flags.formUnion([.hasMinimum, .hasMaximum]) }
        return flags
    }
}

/// The accumulator of a histogram output.
struct HistogramOutput: CompoundTotal {
    let layout: BucketLayout
    var buckets: [UInt64]
    var count: UInt64 = 0
    var points = 0
    var extras: CompoundExtras

    init(_ layout: BucketLayout, of output: Output) {
        self.layout = layout
        buckets = Array(repeating: 0, count: layout.bucketCount)
        extras = CompoundExtras(keepsExtremes: output.state.contains(.keepsExtremes))
    }
    mutating func clear() {
        buckets = Array(repeating: 0, count: layout.bucketCount)
        (count, points, extras) = (0, 0, CompoundExtras(keepsExtremes: extras.keepsExtremes))
    }

    /// Whether no point was added yet.
    var isEmpty: Bool { points == 0 }

    /// The output's bucket for each bucket of another layout; nil where that one lacks a bound of ours.
    func places(of other: BucketLayout) -> [Int]? {
        guard layout.hasBuckets else { return [] }
        guard other.hasBuckets else { return nil }
        if layout == other { return Array(buckets.indices) }
        var (places, own) = ([Int](), 0)
        for bound in other.bounds {
            if own < layout.bounds.count, layout.bounds[own] < bound { return nil }
            places.append(own)
            if own < layout.bounds.count, layout.bounds[own] == bound { own += 1 }
        }
        guard own == layout.bounds.count else { return nil }
        return places + [own]
    }
    private func projected(_ point: HistogramMember) -> [UInt64]? {
        guard layout.hasBuckets else { return [] }
        if layout == point.layout { return point.buckets }
        guard let places = places(of: point.layout) else { return nil }
        var result = Array(repeating: UInt64(0), count: buckets.count)
        for (place, count) in zip(places, point.buckets) { result[place] &+= count }
        return result
    }

    mutating func join(_ point: HistogramMember) { extras.join(point.sum, point.flags) }
    mutating func add(_ point: HistogramMember) {
        for (index, added) in (projected(point) ?? []).enumerated() { buckets[index] &+= added }
        count &+= point.count
        extras.add(point.sum, point.minimum, point.maximum, point.flags, isFirst: points == 0)
        points += 1
    }
    mutating func add(from old: HistogramMember, to new: HistogramMember) -> Bool {
        guard new.count >= old.count, let before = projected(old), let after = projected(new) else {
            return false
        }
        // Of equal layouts every bucket tells, also those that we show as one.
        if old.layout == new.layout {
            guard zip(old.buckets, new.buckets).allSatisfy({ $0 <= $1 }) else { return false }
        } else {
            guard zip(before, after).allSatisfy({ $0 <= $1 }) else { return false }
        }
        for index in buckets.indices { buckets[index] &+= after[index] - before[index] }
        count &+= new.count - old.count
        extras.add(from: old.sum, to: new.sum, new.flags.intersection(old.flags))
        points += 1
        return true
    }

    func emit(_ output: Output, to points: inout HistogramPoints) {
        points.series.append(output.id)
        points.times.append(output.emitted)
        points.starts.append(output.start)
        points.flags.append(extras.flags)
        points.counts.append(count)
        points.sums.append(extras.hasSum ? extras.sum.double : 0)
        points.minima.append(extras.extremes?.minimum ?? 0)
        points.maxima.append(extras.extremes?.maximum ?? 0)
        points.layouts.append(layout)
        points.offsets.append(points.buckets.count)
        points.buckets += buckets
    }
}
