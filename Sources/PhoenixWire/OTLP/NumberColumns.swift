import PhoenixModel

/// Number points while they are decoded: five columns that grow together, written without checks for uniqueness.
///
/// The unsafe part of building batches: `append` makes room before it writes, and every address is private. The memory
/// is reused from batch to batch; whoever owns the value calls `free` at the end.
struct NumberColumns {
    private var series: UnsafeMutablePointer<SeriesID>
    private var times: UnsafeMutablePointer<UInt64>
    private var starts: UnsafeMutablePointer<UInt64>
    private var values: UnsafeMutablePointer<UInt64>
    private var flags: UnsafeMutablePointer<PointFlags>
    private var capacity: Int
    var count = 0
    /// What one batch left behind is kept for the next up to this many points.
    private static let keptCapacity = 1 << 16

    init() {
        capacity = 2048
        series = .allocate(capacity: capacity)
        times = .allocate(capacity: capacity)
        starts = .allocate(capacity: capacity)
        values = .allocate(capacity: capacity)
        flags = .allocate(capacity: capacity)
    }
    func free() {
        series.deallocate()
        times.deallocate()
        starts.deallocate()
        values.deallocate()
        flags.deallocate()
    }

    @inline(__always)
    mutating func append(
        _ id: SeriesID,
        time: UInt64,
        start: UInt64,
        bits: UInt64,
        flags pointFlags: PointFlags
    ) {
        if count == capacity { resize(to: capacity * 2) }
        series[count] = id
        times[count] = time
        starts[count] = start
        values[count] = bits
        flags[count] = pointFlags
        count += 1
    }
    /// One point, for those who look again at what was appended.
    struct Point {
        var series: SeriesID
        var time: UInt64
        var start: UInt64
        var bits: UInt64
        var flags: PointFlags
    }
    subscript(index: Int) -> Point {
        precondition(index < count)
        return Point(
            series: series[index],
            time: times[index],
            start: starts[index],
            bits: values[index],
            flags: flags[index]
        )
    }

    /// The places of the next points: valid until anything is appended.
    struct Room {
        var series: UnsafeMutableBufferPointer<SeriesID>
        var times: UnsafeMutablePointer<UInt64>
        var starts: UnsafeMutablePointer<UInt64>
        var values: UnsafeMutablePointer<UInt64>
        var flags: UnsafeMutablePointer<PointFlags>
    }
    /// Room for `added` points behind the last; they count once `count` says so.
    @inline(__always)
    mutating func room(for added: Int) -> Room {
        if count + added > capacity { resize(to: max(capacity * 2, count + added)) }
        return Room(
            series: UnsafeMutableBufferPointer(start: series + count, count: added),
            times: times + count,
            starts: starts + count,
            values: values + count,
            flags: flags + count
        )
    }
    @inline(never)
    private mutating func resize(to newCapacity: Int) {
        series = Self.moved(series, count, to: newCapacity)
        times = Self.moved(times, count, to: newCapacity)
        starts = Self.moved(starts, count, to: newCapacity)
        values = Self.moved(values, count, to: newCapacity)
        flags = Self.moved(flags, count, to: newCapacity)
        capacity = newCapacity
    }
    private static func moved<Element: BitwiseCopyable>(
        _ column: UnsafeMutablePointer<Element>,
        _ count: Int,
        to capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        let column2 = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        column2.update(from: column, count: count)
        column.deallocate()
        return column2
    }

    /// The points as immutable columns of just their size; none are left here.
    mutating func take() -> NumberPoints {
        var points = NumberPoints()
        points.series = Array(UnsafeBufferPointer(start: series, count: count))
        points.times = Array(UnsafeBufferPointer(start: times, count: count))
        points.starts = Array(UnsafeBufferPointer(start: starts, count: count))
        points.values = Array(UnsafeBufferPointer(start: values, count: count))
        points.flags = Array(UnsafeBufferPointer(start: flags, count: count))
        count = 0
        if capacity > Self.keptCapacity { resize(to: 2048) }
        return points
    }
}
