/// Protocol buffers, written into a page that grows: for one series at a time.
extension ExpositionPage {
    /// The most bytes that a varint of 64 bits has.
    static let maximumVarint = 10

    mutating func append(varint number: UInt64) {
        grow(for: Self.maximumVarint)
        var rest = number
        while rest >= 0x80 {
            start[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count += 1
            rest >>= 7
        }
        start[count] = UInt8(truncatingIfNeeded: rest)
        count += 1
    }
    mutating func append(_ field: UInt64, varint number: UInt64) {
        append(varint: field << 3)
        append(varint: number)
    }
    /// `sint32` and `sint64`: small numbers of either sign are short.
    mutating func append(zigzag number: Int64) {
        append(varint: UInt64(bitPattern: number << 1 ^ number >> 63))
    }
    mutating func append(_ field: UInt64, zigzag number: Int64) {
        append(varint: field << 3)
        append(zigzag: number)
    }
    mutating func append(_ field: UInt64, _ number: Double) {
        append(varint: field << 3 | 1)
        grow(for: 8)
        UnsafeMutableRawPointer(start + count).storeBytes(
            of: number.bitPattern.littleEndian,
            as: UInt64.self
        )
        count += 8
    }
    mutating func append(_ field: UInt64, bytes: UnsafeRawBufferPointer) {
        append(varint: field << 3 | 2)
        append(varint: UInt64(bytes.count))
        append(bytes)
    }
    mutating func append(_ field: UInt64, text: String) {
        var text = text
        text.withUTF8 { append(field, bytes: UnsafeRawBufferPointer($0)) }
    }
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        grow(for: bytes.count)
        UnsafeMutableRawPointer(start + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }
    /// A message within the message: what `body` appends.
    mutating func append(_ field: UInt64, message body: (inout ExpositionPage) -> Void) {
        append(varint: field << 3 | 2)
        let place = count
        body(&self)
        insertLength(at: place)
    }
    /// Puts the length of everything behind a place before it. Most messages have less than 128 bytes: they move by one.
    private mutating func insertLength(at place: Int) {
        let length = count - place
        grow(for: Self.maximumVarint)
        let end = count
        append(varint: UInt64(length))
        let size = count - end
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.maximumVarint) { prefix in
            prefix.baseAddress!.update(from: start + end, count: size)
            (start + place + size).update(from: start + place, count: length)
            (start + place).update(from: prefix.baseAddress!, count: size)
        }
    }
    /// A time as `google.protobuf.Timestamp`.
    mutating func append(_ field: UInt64, time nanoseconds: UInt64) {
        append(field) {
            $0.append(1, varint: nanoseconds / 1_000_000_000)
            let rest = nanoseconds % 1_000_000_000
            if rest > 0 { $0.append(2, varint: rest) }
        }
    }
}
