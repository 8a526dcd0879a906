import PhoenixModel

/// The counts of buckets while points are decoded: one column, written without checks for uniqueness.
///
/// The unsafe part of decoding buckets: `room` is made before anything is written, and the address is private. The memory
/// is reused from batch to batch; whoever owns the value calls `free` at the end.
struct CountColumn {
    private var base: UnsafeMutablePointer<UInt64>
    private var capacity = 512
    private(set) var count = 0
    /// The sum of what was appended since `begin`, as far as it is below 2^64.
    private var sum: UInt64 = 0
    private var isBeyond = false
    /// What one batch left behind is kept for the next up to this many counts.
    private static let keptCapacity = 1 << 17

    init() { base = .allocate(capacity: capacity) }
    func free() { base.deallocate() }

    subscript(index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return base[index]
    }
    /// Begins a point: from here on is summed up.
    mutating func begin() { (sum, isBeyond) = (0, false) }
    /// The sum of the counts appended since then and of another number; nil where it is beyond 2^64.
    @inline(__always)
    func total(and other: UInt64 = 0) -> UInt64? {
        let (total, overflow) = sum.addingReportingOverflow(other)
        return isBeyond || overflow ? nil : total
    }
    @inline(__always)
    private mutating func add(_ added: UInt64) {
        let (next, overflow) = sum.addingReportingOverflow(added)
        sum = next
        if overflow { isBeyond = true }
    }

    mutating func append(_ value: UInt64) {
        room(for: 1)[0] = value
        count += 1
        add(value)
    }
    mutating func append(_ values: [UInt64]) {
        for value in values { append(value) }
    }
    /// Appends words of eight bytes, packed.
    @inline(__always)
    mutating func append(fixed packed: ProtobufCursor) throws(MalformedMessage) {
        guard packed.left % 8 == 0 else { throw MalformedMessage(.truncated) }
        append(words: packed.position, packed.left / 8)
    }
    /// Appends so many words of eight bytes, which must be there.
    @inline(__always)
    mutating func append(words first: UnsafePointer<UInt8>, _ added: Int) {
        let (words, place) = (UnsafeRawPointer(first), room(for: added))
        var (total, bits): (UInt64, UInt64) = (0, 0)
        for index in 0..<added {
            let raw = words.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
            let word = UInt64(littleEndian: raw)
            place[index] = word
            total &+= word
            bits |= word
        }
        count += added
        // So few numbers of 48 bits stay below 2^63.
        if bits >> 48 == 0, added < 1 << 15 { add(total) } else { addExactly(last: added) }
    }
    @inline(never)
    private mutating func addExactly(last added: Int) {
        for index in count - added..<count { add(base[index]) }
    }
    /// Appends packed varints: those of one byte, which most counts are, eight at a time.
    @inline(__always)
    mutating func append(varints packed: ProtobufCursor) throws(MalformedMessage) {
        // None is shorter than a byte.
        let place = room(for: packed.left)
        var (rest, added, total) = (packed, 0, UInt64(0))
        while !rest.isAtEnd {
            if rest.left >= 8 {
                let bytes = UnsafeRawPointer(rest.position).loadUnaligned(as: SIMD8<UInt8>.self)
                let raw = unsafeBitCast(bytes, to: UInt64.self)
                if raw & 0x8080_8080_8080_8080 == 0 {
                    // Width by width, which is how machines widen.
                    let halves = SIMD8<UInt32>(truncatingIfNeeded: SIMD8<UInt16>(truncatingIfNeeded: bytes))
                    let words = SIMD8<UInt64>(truncatingIfNeeded: halves)
                    UnsafeMutableRawPointer(place + added).storeBytes(of: words, as: SIMD8<UInt64>.self)
                    total &+= Self.sumOfBytes(raw)
                    rest.position += 8
                    added += 8
                    continue
                }
            }
            let value = try rest.varint()
            place[added] = value
            added += 1
            add(value)
        }
        count += added
        add(total)
    }
    /// The sum of eight bytes below 128.
    @inline(__always)
    private static func sumOfBytes(_ bytes: UInt64) -> UInt64 {
        let lanes: UInt64 = 0x00FF_00FF_00FF_00FF
        return (((bytes & lanes) &+ (bytes &>> 8 & lanes)) &* 0x0001_0001_0001_0001) &>> 48
    }

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
