/// An exponential histogram point where it lies.
struct ExponentialPoint: CompoundPoint {
    typealias Head = ExponentialHead
    /// Counts of one side, the first that of the bucket `offset`.
    struct Side: BitwiseCopyable {
        var offset: Int
        var counts: CountRun
        /// The index of the bucket behind the last.
        var end: Int { offset + counts.count }
    }
    var count: UInt64
    var sum: Double
    var minimum: Double
    var maximum: Double
    var flags: PointFlags
    var scale: Int32
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: Side
    var negative: Side

    @inline(__always)
    func keep(in row: inout CompoundRow) {
        let (above, below) = (positive.counts, negative.counts)
        guard row.holds(ExponentialHead.self), above.count + below.count <= row.capacity else {
            return keepAnew(in: &row)
        }
        row.head(ExponentialHead.self).pointee = ExponentialHead(self)
        let places = row.counts(behind: ExponentialHead.self, above.count + below.count)
        places.set(above)
        places.set(below, at: above.count)
    }
    @inline(never)
    private func keepAnew(in row: inout CompoundRow) {
        let (above, below) = (positive.counts, negative.counts)
        // Streams widen bucket by bucket.
        let needed = above.count + below.count
        let new = CompoundRow(ExponentialHead(self), capacity: needed + needed / 8)
        let places = new.counts(behind: ExponentialHead.self, needed)
        places.set(above)
        places.set(below, at: above.count)
        row.release()
        row = new
    }

    @inline(__always)
    func join(_ total: inout CompoundRow) {
        let head = total.head(ExponentialTotal.self)
        head.pointee.extras.join(sum, flags)
        if !head.pointee.isAsCoarse(as: self) { joinCoarser(&total) }
    }
    @inline(never)
    private func joinCoarser(_ total: inout CompoundRow) {
        var buckets = ExponentialTotal.buckets(total)
        buckets.join(ExponentialBuckets(self))
        ExponentialTotal.store(buckets, roomFor: self, in: &total)
    }
    @inline(__always)
    func add(to total: inout CompoundRow) {
        ExponentialTotal.begin(&total, as: self)
        let head = total.head(ExponentialTotal.self)
        if head.pointee.isAsCoarse(as: self), head.pointee.hasRoom(for: self) {
            head.pointee.zeroCount &+= zeroCount
            ExponentialTotal.add(self, to: total)
        } else {
            addAnywhere(ExponentialBuckets(self), to: &total)
        }
        addExtras(to: total)
    }
    private func addExtras(to total: CompoundRow) {
        let head = total.head(ExponentialTotal.self)
        head.pointee.count &+= count
        head.pointee.extras.add(sum, minimum, maximum, flags, isFirst: head.pointee.points == 0)
        head.pointee.points += 1
    }
    @inline(never)
    private func addAnywhere(_ added: ExponentialBuckets, to total: inout CompoundRow) {
        var buckets = ExponentialTotal.buckets(total)
        buckets.add(added)
        ExponentialTotal.store(buckets, roomFor: self, in: &total)
    }

    @inline(__always)
    func add(to total: inout CompoundRow, since last: CompoundRow) -> Bool {
        let (old, head) = (ExponentialPoint(last), total.head(ExponentialTotal.self))
        guard count >= old.count else { return false }
        if old.scale == scale, old.zeroThreshold == zeroThreshold, positive.covers(old.positive),
            negative.covers(old.negative), head.pointee.isAsCoarse(as: self), head.pointee.hasRoom(for: self)
        {
            guard zeroCount >= old.zeroCount, ExponentialTotal.add(self, since: old, to: total) else {
                return false
            }
            head.pointee.zeroCount &+= zeroCount - old.zeroCount
        } else {
            guard addAnywhere(to: &total, since: old) else { return false }
        }
        let counted = total.head(ExponentialTotal.self)
        counted.pointee.count &+= count - old.count
        counted.pointee.extras.add(from: old.sum, to: sum, flags.intersection(old.flags))
        counted.pointee.points += 1
        return true
    }
    @inline(never)
    private func addAnywhere(to total: inout CompoundRow, since old: Self) -> Bool {
        guard let increase = ExponentialBuckets(self).increase(since: ExponentialBuckets(old)) else {
            return false
        }
        addAnywhere(increase, to: &total)
        return true
    }
}

extension ExponentialPoint {
    @inline(__always)
    init(_ points: ExponentialPoints, _ index: Int, _ column: UnsafeBufferPointer<UInt64>) {
        (count, sum, flags) = (points.counts[index], points.sums[index], points.flags[index])
        (minimum, maximum, scale) = (points.minima[index], points.maxima[index], points.scales[index])
        (zeroCount, zeroThreshold) = (points.zeroCounts[index], points.zeroThresholds[index])
        let (above, below) = (points.positives[index], points.negatives[index])
        positive = Side(offset: Int(above.offset), counts: CountRun(column, above.start, above.count))
        negative = Side(offset: Int(below.offset), counts: CountRun(column, below.start, below.count))
    }
    /// The last point of a stream, as long as its row is held.
    @inline(__always)
    init(_ row: CompoundRow) {
        let head = row.head(ExponentialHead.self)
        (count, sum) = (head.pointee.count, head.pointee.sum)
        (minimum, maximum) = (head.pointee.minimum, head.pointee.maximum)
        (flags, scale) = (head.pointee.flags, head.pointee.scale)
        (zeroCount, zeroThreshold) = (head.pointee.zeroCount, head.pointee.zeroThreshold)
        let (above, below) = (head.pointee.positive, head.pointee.negative)
        positive = Side(
            offset: above.offset,
            counts: row.counts(behind: ExponentialHead.self, above.count).run
        )
        negative = Side(
            offset: below.offset,
            counts: row.counts(behind: ExponentialHead.self, from: above.count, below.count).run
        )
    }
}

extension ExponentialPoint.Side {
    /// Whether it has a place for each bucket of another of its scale.
    @inline(__always)
    func covers(_ other: Self) -> Bool {
        other.counts.count == 0 || (other.offset >= offset && other.end <= end)
    }
    /// Whether it is the same buckets.
    @inline(__always)
    func isAlike(_ other: Self) -> Bool { offset == other.offset && counts.count == other.counts.count }
    /// Whether a count is above that of a newer one, which covers this.
    @inline(__always)
    func isAbove(_ newer: Self) -> Bool {
        counts.count > 0 && counts.isAbove(newer.counts, at: offset - newer.offset)
    }
}

/// The last point of an exponential histogram's stream: behind it lie the positive counts, then the negative ones.
struct ExponentialHead: RowHead {
    struct Side: BitwiseCopyable {
        var offset = 0
        var count = 0
    }
    static var kind: RowKind { .exponential }
    var count: UInt64
    var sum: Double
    var minimum: Double
    var maximum: Double
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: Side
    var negative: Side
    var scale: Int32
    var flags: PointFlags

    @inline(__always)
    init(_ point: ExponentialPoint) {
        (count, sum, minimum, maximum) = (point.count, point.sum, point.minimum, point.maximum)
        (zeroCount, zeroThreshold) = (point.zeroCount, point.zeroThreshold)
        positive = Side(offset: point.positive.offset, count: point.positive.counts.count)
        negative = Side(offset: point.negative.offset, count: point.negative.counts.count)
        (scale, flags) = (point.scale, point.flags)
    }
}

extension ExponentialBuckets {
    init(_ point: ExponentialPoint) {
        (scale, zeroCount, zeroThreshold) = (point.scale, point.zeroCount, point.zeroThreshold)
        positive = Side(offset: point.positive.offset, counts: point.positive.counts.array)
        negative = Side(offset: point.negative.offset, counts: point.negative.counts.array)
    }
}
