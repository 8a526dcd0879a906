/// Explicit histograms. Equal bounds add; bounds that contain all of the output's merge on the output's, exactly, since
/// counts at shared bounds are known; others go to a sibling series that is marked with its layout.
extension Reaggregator {
    /// The attribute that tells sibling series of unlike bounds apart.
    public static var layoutAttribute: String { "phoenix.histogram.layout" }

    mutating func applyHistograms(_ points: HistogramPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let slot = points.series[index].slot
            guard var number = route(points.series[index], flags: points.flags[index], resolve) else { continue }
            let point = HistogramMember(points, index)
            guard fitting(&number, point.layout) else { continue }
            let (time, start) = (points.times[index], points.starts[index])
            if isDelta(number) {
                guard !isRepetition(slot, time: time, start: start) else {
                    counts.late += 1
                    continue
                }
                if openWindow(number, start: start) { compounds.histogramOutputs[number]?.clear() }
                compounds.histogramOutputs[number]?.add(point, extremes: true)
            } else {
                guard follow(point, slot, number, time: time, start: start) else { continue }
            }
            remember(slot, time: time, start: start)
            touch(number, time: time)
        }
    }
    /// Adds a cumulative point's increase; false for a point that is late.
    private mutating func follow(
        _ point: HistogramMember, _ slot: UInt32, _ number: UInt32, time: UInt64, start: UInt64
    ) -> Bool {
        let previous = compounds.histogramMembers[slot]
        switch succession(slot, time: time, start: start) {
        case .late:
            counts.late += 1
            return false
        case .first(let fromZero):
            if fromZero {
                open(number, from: start)
                compounds.histogramOutputs[number]?.add(point, extremes: false)
            } else {
                compounds.histogramOutputs[number]?.join(point)
            }
        case .increase:
            if let previous, compounds.histogramOutputs[number]?.add(from: previous, to: point) == true { break }
            counts.resets += 1
            compounds.histogramOutputs[number]?.add(point, extremes: false)
        case .reset:
            counts.resets += 1
            compounds.histogramOutputs[number]?.add(point, extremes: false)
        }
        compounds.histogramMembers[slot] = point
        return true
    }
    /// Finds the output that a layout fits, which may be a sibling; false where the table is full.
    private mutating func fitting(_ number: inout UInt32, _ layout: BucketLayout) -> Bool {
        guard let output = compounds.histogramOutputs[number] else {
            compounds.histogramOutputs[number] = HistogramOutput(layout)
            return true
        }
        if output.places(of: layout) != nil { return true }
        counts.unlikeLayouts += 1
        guard let name = names[Int(number)] else { return false }
        var hash: UInt64 = 0x5EED
        for bound in layout.bounds { hash = fold(hash ^ bound.bitPattern, 0xe703_7ed1_a0b4_28db) }
        let mark = Attribute(Self.layoutAttribute, String(hash, radix: 16))
        let attributes = name.attributes.attributes.filter { $0.key != mark.key } + [mark]
        let sibling = OutputName(
            resource: name.resource, metric: name.metric, attributes: table.intern(attributes)
        )
        guard let found = self.output(sibling) else {
            counts.refused += 1
            return false
        }
        number = found
        if compounds.histogramOutputs[found] == nil { compounds.histogramOutputs[found] = HistogramOutput(layout) }
        return true
    }
}

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
        buckets = Array(points.buckets[offset..<offset + layout.bucketCount])
        (count, sum) = (points.counts[index], points.sums[index])
        (minimum, maximum, flags) = (points.minima[index], points.maxima[index], points.flags[index])
    }
}

/// The accumulator of a histogram output.
struct HistogramOutput: Sendable {
    let layout: BucketLayout
    private var buckets: [UInt64]
    private var count: UInt64 = 0
    private var sum = ExactSum()
    private var hasSum = true
    private var extremes: (minimum: Double, maximum: Double)?

    init(_ layout: BucketLayout) {
        self.layout = layout
        buckets = Array(repeating: 0, count: layout.bucketCount)
    }
    mutating func clear() {
        buckets = Array(repeating: 0, count: layout.bucketCount)
        (count, sum, hasSum, extremes) = (0, ExactSum(), true, nil)
    }

    /// The output's bucket for each bucket of another layout; nil where that one lacks a bound of ours.
    func places(of other: BucketLayout) -> [Int]? {
        guard layout.hasBuckets else { return Array(repeating: 0, count: 0) }
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
        if layout === point.layout || layout == point.layout { return point.buckets }
        guard let places = places(of: point.layout) else { return nil }
        var result = Array(repeating: UInt64(0), count: buckets.count)
        for (place, count) in zip(places, point.buckets) { result[place] &+= count }
        return result
    }

    mutating func join(_ point: HistogramMember) { if !point.flags.contains(.hasSum) { hasSum = false } }

    /// Adds a whole point.
    mutating func add(_ point: HistogramMember, extremes isWithExtremes: Bool) {
        for (index, added) in (projected(point) ?? []).enumerated() { buckets[index] &+= added }
        count &+= point.count
        join(point)
        sum.add(point.sum)
        guard isWithExtremes, point.flags.isSuperset(of: [.hasMinimum, .hasMaximum]) else { return }
        extremes = (
            min(extremes?.minimum ?? point.minimum, point.minimum), max(extremes?.maximum ?? point.maximum, point.maximum)
        )
    }
    /// Adds what came between two points of a stream; false where a count fell: the stream began anew.
    mutating func add(from old: HistogramMember, to new: HistogramMember) -> Bool {
        guard new.count >= old.count, let before = projected(old), let after = projected(new) else { return false }
        guard zip(before, after).allSatisfy({ $0 <= $1 }) else { return false }
        for index in buckets.indices { buckets[index] &+= after[index] - before[index] }
        count &+= new.count - old.count
        join(new)
        if old.flags.contains(.hasSum), new.flags.contains(.hasSum) { sum.add(difference: new.sum, old.sum) }
        return true
    }

    func emit(_ output: Output, to points: inout HistogramPoints) {
        points.series.append(output.id)
        points.times.append(output.time)
        points.starts.append(min(output.start, output.time &- 1))
        var flags: PointFlags = hasSum ? .hasSum : []
        if extremes != nil { flags.formUnion([.hasMinimum, .hasMaximum]) }
        points.flags.append(flags)
        points.counts.append(count)
        points.sums.append(hasSum ? sum.double : 0)
        points.minima.append(extremes?.minimum ?? 0)
        points.maxima.append(extremes?.maximum ?? 0)
        points.layouts.append(layout)
        points.offsets.append(points.buckets.count)
        points.buckets += buckets
    }
}
