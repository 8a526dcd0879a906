import PhoenixModel

/// The counts of buckets while points are decoded: one column, written without checks for uniqueness.
///
/// The unsafe part of decoding buckets: `room` is made before anything is written, and the address is private. The memory
/// is reused from batch to batch; whoever owns the value calls `free` at the end.
struct CountColumn {
    private var base: UnsafeMutablePointer<UInt64>
    private var capacity = 512
    private(set) var count = 0
    /// What one batch left behind is kept for the next up to this many counts.
    private static let keptCapacity = 1 << 17

    init() { base = .allocate(capacity: capacity) }
    func free() { base.deallocate() }

    mutating func append(_ value: UInt64) {
        room(for: 1)[0] = value
        count += 1
    }
    mutating func append(_ values: [UInt64]) {
        let place = room(for: values.count)
        for (index, value) in values.enumerated() { place[index] = value }
        count += values.count
    }
    /// Appends words of eight bytes, packed.
    @inline(__always)
    mutating func append(fixed packed: ProtobufCursor) throws(MalformedMessage) {
        guard packed.left % 8 == 0 else { throw MalformedMessage(.truncated) }
        let (words, added) = (UnsafeRawPointer(packed.position), packed.left / 8)
        let place = room(for: added)
        for index in 0..<added {
            let word = words.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
            place[index] = UInt64(littleEndian: word)
        }
        count += added
    }
    /// Appends packed varints: those of one byte, which most counts are, eight at a time.
    @inline(__always)
    mutating func append(varints packed: ProtobufCursor) throws(MalformedMessage) {
        // None is shorter than a byte.
        let place = room(for: packed.left)
        var (rest, added) = (packed, 0)
        while !rest.isAtEnd {
            if rest.left >= 8 {
                let raw = UnsafeRawPointer(rest.position).loadUnaligned(as: UInt64.self)
                let bytes = UInt64(littleEndian: raw)
                if bytes & 0x8080_8080_8080_8080 == 0 {
                    for index in 0..<8 { place[added + index] = (bytes >> UInt64(index * 8)) & 0xff }
                    rest.position += 8
                    added += 8
                    continue
                }
            }
            place[added] = try rest.varint()
            added += 1
        }
        count += added
    }
    /// The sum of the counts at some places and of another number; nil where it is beyond 2^64.
    @inline(__always)
    func sum(_ places: Range<Int>, and other: UInt64 = 0) -> UInt64? {
        precondition(places.lowerBound >= 0 && places.upperBound <= count)
        var (sum, bits): (UInt64, UInt64) = (0, 0)
        for index in places {
            sum &+= base[index]
            bits |= base[index]
        }
        // So few numbers of 48 bits stay below 2^63.
        let isSmall = bits >> 48 == 0 && places.count < 1 << 15 && other >> 63 == 0
        return isSmall ? sum + other : exactSum(places, and: other)
    }
    @inline(never)
    private func exactSum(_ places: Range<Int>, and other: UInt64) -> UInt64? {
        var sum = other
        for index in places {
            let (next, overflow) = sum.addingReportingOverflow(base[index])
            if overflow { return nil }
            sum = next
        }
        return sum
    }
    /// The same of all that stands from `start` on.
    @inline(__always)
    func sum(from start: Int) -> UInt64? { sum(start..<count) }

    mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0)
        count = min(count, newCount)
        if capacity > Self.keptCapacity, count <= Self.keptCapacity { resize(to: Self.keptCapacity) }
    }
    /// The counts as an immutable column of just their size; none are left here.
    mutating func take() -> [UInt64] {
        defer { truncate(to: 0) }
        return Array(UnsafeBufferPointer(start: base, count: count))
    }

    /// Where the next counts go, so many: valid until anything is appended.
    @inline(__always)
    private mutating func room(for added: Int) -> UnsafeMutablePointer<UInt64> {
        if added > capacity - count { resize(to: max(capacity * 2, count + added)) }
        return base + count
    }
    @inline(never)
    private mutating func resize(to newCapacity: Int) {
        let grown = UnsafeMutablePointer<UInt64>.allocate(capacity: newCapacity)
        grown.update(from: base, count: count)
        base.deallocate()
        (base, capacity) = (grown, newCapacity)
    }
}
