/// What is counted of an exponential histogram output: behind it lie the positive counts, then the negative ones.
///
/// `ExponentialBuckets` knows how unlike points are brought together. Where a point's buckets have their places in the
/// total already, by its scale and zero threshold, nothing is to be brought together: then its counts are added in place.
struct ExponentialTotal: RowHead {
    typealias Side = ExponentialHead.Side
    static var kind: RowKind { .exponentialTotal }
    var zeroCount: UInt64 = 0
    var zeroThreshold = 0.0
    var positive = Side()
    var negative = Side()
    var scale = ExponentialBuckets().scale
    /// Nothing was added, or took part in finding its scale.
    var isNew = true
    var count: UInt64 = 0
    var points = 0
    var extras: CompoundExtras

    init(_ extras: CompoundExtras) { self.extras = extras }
    static func clear(_ row: CompoundRow) {
        let head = row.head(Self.self)
        head.pointee = Self(CompoundExtras(keepsExtremes: head.pointee.extras.keepsExtremes))
    }

    /// Whether a point needs no other scale or threshold of us.
    @inline(__always)
    func isAsCoarse(as point: ExponentialPoint) -> Bool {
        scale <= point.scale && zeroThreshold == point.zeroThreshold
    }
    /// Whether each bucket of a point that is at least as fine has its place.
    @inline(__always)
    func hasRoom(for point: ExponentialPoint) -> Bool {
        let times = Int(point.scale) - Int(scale)
        return times < 62 && positive.hasRoom(for: point.positive, halved: times)
            && negative.hasRoom(for: point.negative, halved: times)
    }
    @inline(__always)
    static func add(_ point: ExponentialPoint, to row: CompoundRow) {
        let head = row.head(Self.self)
        let (times, places) = (Int(point.scale) - Int(head.pointee.scale), places(row))
        let (above, below) = (point.positive, point.negative)
        let (first, second) = (head.pointee.positive.offset, head.pointee.negative.offset)
        places.positive.add(above.counts, first: above.offset, halved: times, origin: first)
        places.negative.add(below.counts, first: below.offset, halved: times, origin: second)
    }
    /// Adds what each bucket grew by since the point before, of the same scale, which has no others; false, and nothing, where
    /// one fell.
    @inline(__always)
    static func add(_ point: ExponentialPoint, since old: ExponentialPoint, to row: CompoundRow) -> Bool {
        let head = row.head(Self.self)
        guard point.scale == head.pointee.scale, point.negative.counts.count == 0,
            point.positive.isAlike(old.positive), point.positive.counts.count > 0
        else { return addUnlike(point, since: old, to: row) }
        let place = point.positive.offset - head.pointee.positive.offset
        return places(row).positive.add(from: old.positive.counts, to: point.positive.counts, at: place)
    }
    @inline(never)
    private static func addUnlike(
        _ point: ExponentialPoint,
        since old: ExponentialPoint,
        to row: CompoundRow
    ) -> Bool {
        if old.positive.isAbove(point.positive) || old.negative.isAbove(point.negative) { return false }
        add(point, to: row)
        let head = row.head(Self.self)
        let (times, places) = (Int(point.scale) - Int(head.pointee.scale), places(row))
        let (above, below) = (old.positive, old.negative)
        let (first, second) = (head.pointee.positive.offset, head.pointee.negative.offset)
        places.positive.subtract(above.counts, first: above.offset, halved: times, origin: first)
        places.negative.subtract(below.counts, first: below.offset, halved: times, origin: second)
        return true
    }
    @inline(__always)
    private static func places(_ row: CompoundRow) -> (positive: CountSpace, negative: CountSpace) {
        let (above, below) = (row.head(Self.self).pointee.positive, row.head(Self.self).pointee.negative)
        return (
            row.counts(behind: Self.self, above.count),
            row.counts(behind: Self.self, from: above.count, below.count)
        )
    }

    /// Has a total that is new take the scale, the threshold and the buckets of its first point, as they are.
    @inline(__always)
    static func begin(_ row: inout CompoundRow, as point: ExponentialPoint) {
        if row.head(Self.self).pointee.isNew { beginNew(&row, as: point) }
    }
    @inline(never)
    private static func beginNew(_ row: inout CompoundRow, as point: ExponentialPoint) {
        let head = row.head(Self.self)
        let (above, below) = (point.positive, point.negative)
        guard point.scale <= head.pointee.scale, point.zeroThreshold >= 0,
            max(above.counts.count, below.counts.count) <= ExponentialBuckets.maximumBuckets
        else { return }
        (head.pointee.scale, head.pointee.zeroThreshold) = (point.scale, point.zeroThreshold)
        head.pointee.positive = Side(offset: above.offset, count: above.counts.count)
        head.pointee.negative = Side(offset: below.offset, count: below.counts.count)
        head.pointee.isNew = false
        reserve(&row)
        places(row).positive.clear()
        places(row).negative.clear()
    }
    /// Sees to it that there is room for the counts that the head tells.
    private static func reserve(_ row: inout CompoundRow) {
        let head = row.head(Self.self).pointee
        let needed = head.positive.count + head.negative.count
        guard needed > row.capacity else { return }
        row.release()
        row = CompoundRow(head, capacity: needed + needed / 8)
    }

    static func buckets(_ row: CompoundRow) -> ExponentialBuckets {
        let (head, places) = (row.head(Self.self).pointee, places(row))
        var buckets = ExponentialBuckets()
        (buckets.scale, buckets.zeroCount) = (head.scale, head.zeroCount)
        buckets.zeroThreshold = head.zeroThreshold
        buckets.positive = .init(offset: head.positive.offset, counts: places.positive.run.array)
        buckets.negative = .init(offset: head.negative.offset, counts: places.negative.run.array)
        return buckets
    }
    /// Takes buckets over, with room for those of a point that may come again.
    static func store(
        _ buckets: ExponentialBuckets,
        roomFor point: ExponentialPoint?,
        in row: inout CompoundRow
    ) {
        var buckets = buckets
        if let point {
            let times = min(62, max(0, Int(point.scale) - Int(buckets.scale)))
            buckets.positive.makeRoom(for: point.positive, halved: times)
            buckets.negative.makeRoom(for: point.negative, halved: times)
        }
        let head = row.head(Self.self)
        (head.pointee.scale, head.pointee.zeroCount) = (buckets.scale, buckets.zeroCount)
        (head.pointee.zeroThreshold, head.pointee.isNew) = (buckets.zeroThreshold, false)
        let (above, below) = (buckets.positive, buckets.negative)
        head.pointee.positive = Side(offset: above.offset, count: above.counts.count)
        head.pointee.negative = Side(offset: below.offset, count: below.counts.count)
        reserve(&row)
        above.counts.withRun { places(row).positive.set($0) }
        below.counts.withRun { places(row).negative.set($0) }
    }

    static func emit(
        _ row: CompoundRow,
        _ output: Output,
        _ news: PointFlags,
        to points: inout ExponentialPoints
    ) {
        let (head, places) = (row.head(Self.self), places(row))
        let shown = head.pointee.extras.shown
        points.series.append(output.id)
        points.times.append(output.emitted)
        points.starts.append(output.start)
        points.flags.append(shown.flags.union(news))
        points.counts.append(head.pointee.count)
        points.sums.append(shown.sum)
        points.minima.append(shown.minimum)
        points.maxima.append(shown.maximum)
        points.scales.append(head.pointee.scale)
        points.zeroCounts.append(head.pointee.zeroCount)
        points.zeroThresholds.append(head.pointee.zeroThreshold)
        points.positives.append(points.store(places.positive.run, head.pointee.positive.offset))
        points.negatives.append(points.store(places.negative.run, head.pointee.negative.offset))
    }
}

extension ExponentialTotal.Side {
    @inline(__always)
    fileprivate func hasRoom(for other: ExponentialPoint.Side, halved times: Int) -> Bool {
        if other.counts.count == 0 { return true }
        return other.offset >> times >= offset && (other.end - 1) >> times < offset + count
            && count <= ExponentialBuckets.maximumBuckets
    }
}

extension ExponentialBuckets.Side {
    /// Makes room for the buckets of a point, as far as that does not make too many; they need not have counts.
    fileprivate mutating func makeRoom(for other: ExponentialPoint.Side, halved times: Int) {
        guard other.counts.count > 0 else { return }
        if let bounds, counts.count > ExponentialBuckets.maximumBuckets {
            counts = Array(counts[bounds.low - offset...bounds.high - offset])
            offset = bounds.low
        }
        var (low, high) = (other.offset >> times, (other.end - 1) >> times)
        if !counts.isEmpty { (low, high) = (min(low, offset), max(high, offset + counts.count - 1)) }
        if high - low < ExponentialBuckets.maximumBuckets { cover(low, high) }
    }
}

extension ExponentialPoints {
    /// Appends the counts of a side, from its first bucket with one to its last.
    fileprivate mutating func store(_ counts: CountRun, _ offset: Int) -> Side {
        guard let (low, high) = counts.bounds else { return Side() }
        let start = buckets.count
        buckets.append(counts.dropFirst(low, keeping: high - low + 1))
        return Side(offset: Int32(clamping: offset + low), start: start, count: high - low + 1)
    }
}
