import PhoenixModel

/// Histogram points while they are decoded: a row each, so that a point is appended once and not to ten columns.
struct HistogramRows {
    private struct Row {
        var id: SeriesID
        var draft: HistogramDraft
        var flags: PointFlags
        /// The place in `layouts`.
        var layout: UInt32
        var offset: Int
    }
    private var rows = ContiguousArray<Row>()
    /// The layouts of the rows, each once where several in a row have it.
    private var layouts: [BucketLayout] = []
    /// The last of them, and what the decoder knows it by; see `appendAgain`.
    private var last: ObjectIdentifier?
    private var lastKey = -1
    /// The counts of the buckets; a row says where its own begin.
    var counts = CountColumn()
    var count: Int { rows.count }
    private var lastLayout: UInt32 { UInt32(layouts.count - 1) }
    /// What one batch left behind is kept for the next up to this many points.
    private static let keptCapacity = 1 << 14

    mutating func append(
        _ id: SeriesID,
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        _ layout: BucketLayout,
        key: Int = -1,
        bucketsFrom offset: Int
    ) {
        if last != ObjectIdentifier(layout) {
            last = ObjectIdentifier(layout)
            layouts.append(layout)
        }
        lastKey = key
        rows.append(Row(id: id, draft: draft, flags: flags, layout: lastLayout, offset: offset))
    }
    /// Appends a point of a layout that somebody holds: it is held anew only where the point before had another.
    @inline(__always)
    mutating func append(
        _ id: SeriesID,
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        _ layout: Unmanaged<BucketLayout>,
        bucketsFrom offset: Int
    ) {
        guard layout._withUnsafeGuaranteedRef({ ObjectIdentifier($0) }) == last else {
            return append(id, draft, flags, layout.takeUnretainedValue(), bucketsFrom: offset)
        }
        rows.append(Row(id: id, draft: draft, flags: flags, layout: lastLayout, offset: offset))
    }
    /// Appends a point of the layout that was appended last, if that was under this key, which is not -1.
    @inline(__always)
    mutating func appendAgain(
        _ id: SeriesID,
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        key: Int,
        bucketsFrom offset: Int
    ) -> Bool {
        if key != lastKey || key == -1 { return false }
        rows.append(Row(id: id, draft: draft, flags: flags, layout: lastLayout, offset: offset))
        return true
    }
    /// One point, for those who look again at what was appended.
    struct Point {
        var series: SeriesID
        var draft: HistogramDraft
        var flags: PointFlags
        var layout: BucketLayout
        /// Where its counts begin.
        var offset: Int
    }
    subscript(index: Int) -> Point {
        let row = rows[index]
        return Point(
            series: row.id,
            draft: row.draft,
            flags: row.flags,
            layout: layouts[Int(row.layout)],
            offset: row.offset
        )
    }
    mutating func truncate(to points: Int, _ countCount: Int) {
        if rows.count > points { rows.removeSubrange(points...) }
        counts.truncate(to: countCount)
    }
    /// The points as columns of just their size; none are left here.
    mutating func take() -> HistogramPoints {
        var points = HistogramPoints()
        defer {
            rows.removeAll(keepingCapacity: rows.capacity <= Self.keptCapacity)
            layouts.removeAll(keepingCapacity: true)
            (last, lastKey) = (nil, -1)
        }
        points.buckets = counts.take()
        if rows.isEmpty { return points }
        points.series = rows.column { $0.id }
        points.times = rows.column { $0.draft.time }
        points.starts = rows.column { $0.draft.start }
        points.flags = rows.column { $0.flags }
        points.counts = rows.column { $0.draft.count }
        points.sums = rows.column { $0.draft.sum }
        points.minima = rows.column { $0.draft.minimum }
        points.maxima = rows.column { $0.draft.maximum }
        points.layouts = LayoutColumn(layouts, places: rows.column { $0.layout })
        points.offsets = rows.column { $0.offset }
        return points
    }
}

/// Exponential histogram points while they are decoded, in the same way.
struct ExponentialRows {
    private struct Row {
        var id: SeriesID
        var draft: HistogramDraft
        var flags: PointFlags
        var buckets: ExponentialDraft
    }
    private var rows = ContiguousArray<Row>()
    /// The counts of the buckets; a row says where those of its sides are.
    var counts = CountColumn()
    var count: Int { rows.count }
    private static let keptCapacity = 1 << 14

    mutating func append(
        _ id: SeriesID,
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        _ buckets: ExponentialDraft
    ) {
        rows.append(Row(id: id, draft: draft, flags: flags, buckets: buckets))
    }
    mutating func truncate(to points: Int, _ countCount: Int) {
        if rows.count > points { rows.removeSubrange(points...) }
        counts.truncate(to: countCount)
    }
    mutating func take() -> ExponentialPoints {
        var points = ExponentialPoints()
        defer { rows.removeAll(keepingCapacity: rows.capacity <= Self.keptCapacity) }
        points.buckets = counts.take()
        if rows.isEmpty { return points }
        points.series = rows.column { $0.id }
        points.times = rows.column { $0.draft.time }
        points.starts = rows.column { $0.draft.start }
        points.flags = rows.column { $0.flags }
        points.counts = rows.column { $0.draft.count }
        points.sums = rows.column { $0.draft.sum }
        points.minima = rows.column { $0.draft.minimum }
        points.maxima = rows.column { $0.draft.maximum }
        points.scales = rows.column { $0.buckets.scale }
        points.zeroCounts = rows.column { $0.buckets.zeroCount }
        points.zeroThresholds = rows.column { $0.buckets.zeroThreshold }
        points.positives = rows.column { $0.buckets.positive }
        points.negatives = rows.column { $0.buckets.negative }
        return points
    }
}

extension ContiguousArray {
    /// One field of every row.
    @inline(__always)
    fileprivate func column<Field>(_ field: (Element) -> Field) -> [Field] {
        [Field](unsafeUninitializedCapacity: count) { fields, filled in
            withUnsafeBufferPointer { rows in
                for index in 0..<rows.count { fields.initializeElement(at: index, to: field(rows[index])) }
            }
            filled = count
        }
    }
}
