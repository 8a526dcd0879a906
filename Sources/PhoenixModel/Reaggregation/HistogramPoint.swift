/// A histogram point where it lies.
struct HistogramPoint: CompoundPoint {
    typealias Head = HistogramHead
    var count: UInt64
    var sum: Double
    var minimum: Double
    var maximum: Double
    var flags: PointFlags
    var layout: KeptLayout
    /// As many as the layout has.
    var buckets: CountRun

    @inline(__always)
    func keep(in row: inout CompoundRow) {
        guard row.holds(HistogramHead.self), row.head(HistogramHead.self).pointee.width == buckets.count
        else {
            return keepAnew(in: &row)
        }
        let head = row.head(HistogramHead.self)
        let before = head.pointee.layout
        head.pointee = HistogramHead(self)
        row.counts(behind: HistogramHead.self, buckets.count).set(buckets)
        guard layout != before else { return }
        layout.keep()
        before.letGo()
    }
    @inline(never)
    private func keepAnew(in row: inout CompoundRow) {
        layout.keep()
        let new = CompoundRow(HistogramHead(self), capacity: buckets.count)
        new.counts(behind: HistogramHead.self, buckets.count).set(buckets)
        // Only now: what is kept may lie in the row itself.
        row.release()
        row = new
    }

    @inline(__always)
    func join(_ total: inout CompoundRow) {
        total.head(HistogramTotal.self).pointee.extras.join(sum, flags)
    }
    @inline(__always)
    func add(to total: inout CompoundRow) {
        let head = total.head(HistogramTotal.self)
        let own = total.counts(behind: HistogramTotal.self, head.pointee.width)
        if layout.isLike(head.pointee.layout) {
            own.add(buckets)
        } else {
            head.pointee.layout.object.place(layout.object) { own[$0] &+= buckets[$1] }
        }
        head.pointee.count &+= count
        head.pointee.extras.add(sum, minimum, maximum, flags, isFirst: head.pointee.points == 0)
        head.pointee.points += 1
    }
    @inline(__always)
    func add(to total: inout CompoundRow, since last: CompoundRow) -> Bool {
        let (old, head) = (HistogramPoint(last), total.head(HistogramTotal.self))
        guard count >= old.count else { return false }
        let own = total.counts(behind: HistogramTotal.self, head.pointee.width)
        if layout.isLike(old.layout), layout.isLike(head.pointee.layout) {
            guard own.add(from: old.buckets, to: buckets) else { return false }
        } else if layout.isLike(old.layout) {
            // Every bucket tells, also those that we show as one.
            guard !old.buckets.isAbove(buckets) else { return false }
            head.pointee.layout.object.place(layout.object) {
                own[$0] &+= buckets[$1] &- old.buckets[$1]
            }
        } else {
            guard add(to: own, head.pointee.layout.object, sinceUnlike: old) else { return false }
        }
        head.pointee.count &+= count - old.count
        head.pointee.extras.add(from: old.sum, to: sum, flags.intersection(old.flags))
        head.pointee.points += 1
        return true
    }
    /// Of a stream that changed its bounds and did not begin anew the counts at the bounds that both points have tell what it
    /// grew by, and whether one fell. What grew between two of these is told below the upper one: of less nothing is known.
    @inline(never)
    private func add(to own: CountSpace, _ layout: BucketLayout, sinceUnlike old: Self) -> Bool {
        let shared = self.layout.object.shared(with: old.layout.object)
        guard shared.hasBuckets else {
            if layout.hasBuckets { own[layout.bounds.count] &+= count - old.count }
            return true
        }
        let before = shared.counts(old.buckets.array, of: old.layout.object)
        let after = shared.counts(buckets.array, of: self.layout.object)
        guard zip(before, after).allSatisfy({ $0 <= $1 }) else { return false }
        guard layout.hasBuckets else { return true }
        var place = 0
        for index in after.indices {
            let upper = index < shared.bounds.count ? shared.bounds[index] : .infinity
            while place < layout.bounds.count, layout.bounds[place] < upper { place += 1 }
            own[place] &+= after[index] - before[index]
        }
        return true
    }
}

extension HistogramPoint {
    @inline(__always)
    init(
        _ points: HistogramPoints,
        _ index: Int,
        _ layouts: LayoutAddresses,
        _ column: UnsafeBufferPointer<UInt64>
    ) {
        (count, sum, flags) = (points.counts[index], points.sums[index], points.flags[index])
        (minimum, maximum, layout) = (
            points.minima[index], points.maxima[index], KeptLayout(layouts[index])
        )
        let isEmpty = flags.contains(.noRecordedValue)
        buckets = isEmpty ? .empty : CountRun(column, points.offsets[index], layout.width)
        // One bucket of all and none at all are two spellings of one thing.
        if layout.width == 1 { (layout, buckets) = (KeptLayout(BucketLayout.none), .empty) }
    }
    /// The last point of a stream, as long as its row is held.
    @inline(__always)
    init(_ row: CompoundRow) {
        let head = row.head(HistogramHead.self)
        (count, sum) = (head.pointee.count, head.pointee.sum)
        (minimum, maximum) = (head.pointee.minimum, head.pointee.maximum)
        (flags, layout) = (head.pointee.flags, head.pointee.layout)
        buckets = row.counts(behind: HistogramHead.self, head.pointee.width).run
    }
}

/// The last point of a histogram's stream, as it came.
struct HistogramHead: RowHead {
    static var kind: RowKind { .histogram }
    var count: UInt64
    var sum: Double
    var minimum: Double
    var maximum: Double
    var layout: KeptLayout
    /// How many buckets it has.
    var width: Int
    var flags: PointFlags

    @inline(__always)
    init(_ point: HistogramPoint) {
        (count, sum, minimum, maximum) = (point.count, point.sum, point.minimum, point.maximum)
        (layout, width, flags) = (point.layout, point.buckets.count, point.flags)
    }
}

/// What is counted of a histogram output.
struct HistogramTotal: RowHead {
    static var kind: RowKind { .histogramTotal }
    var layout: KeptLayout
    var width: Int
    var count: UInt64 = 0
    var points = 0
    var extras: CompoundExtras

    static func row(_ layout: KeptLayout, _ extras: CompoundExtras) -> CompoundRow {
        layout.keep()
        let width = layout.width
        return CompoundRow(Self(layout: layout, width: width, extras: extras), capacity: width)
    }
    static func clear(_ row: CompoundRow) {
        let head = row.head(Self.self)
        head.pointee.extras = CompoundExtras(keepsExtremes: head.pointee.extras.keepsExtremes)
        (head.pointee.count, head.pointee.points) = (0, 0)
        row.counts(behind: Self.self, head.pointee.width).clear()
    }

    static func emit(
        _ row: CompoundRow,
        _ output: Output,
        _ news: PointFlags,
        to points: inout HistogramPoints
    ) {
        let head = row.head(Self.self)
        let shown = head.pointee.extras.shown
        points.series.append(output.id)
        points.times.append(output.emitted)
        points.starts.append(output.start)
        points.flags.append(shown.flags.union(news))
        points.counts.append(head.pointee.count)
        points.sums.append(shown.sum)
        points.minima.append(shown.minimum)
        points.maxima.append(shown.maximum)
        points.layouts.append(head.pointee.layout.object)
        points.offsets.append(points.buckets.count)
        points.buckets.append(row.counts(behind: Self.self, head.pointee.width).run)
    }
}

extension BucketLayout {
    /// Whether the buckets of another layout can be told in ours: it has all of our bounds.
    func fits(_ other: BucketLayout) -> Bool {
        guard hasBuckets else { return true }
        guard other.hasBuckets else { return false }
        var own = 0
        for bound in other.bounds where own < bounds.count {
            if bounds[own] < bound { return false }
            if bounds[own] == bound { own += 1 }
        }
        return own == bounds.count
    }
    /// Visits each bucket of another layout, which fits, with the one of ours that it lies in.
    func place(_ other: BucketLayout, _ visit: (_ own: Int, _ other: Int) -> Void) {
        guard hasBuckets else { return }
        var own = 0
        for (index, bound) in other.bounds.enumerated() {
            visit(own, index)
            if own < bounds.count, bounds[own] == bound { own += 1 }
        }
        visit(own, other.bounds.count)
    }
}
