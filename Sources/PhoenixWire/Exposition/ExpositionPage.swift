/// A stretch of an exposition while it is written: one buffer, used again for every page.
///
/// Unsafe inside, since a scrape is mostly copying: every write is preceded by `reserve`, which answers for the room.
struct ExpositionPage: ~Copyable {
    private(set) var start: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int
    var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        start = .allocate(capacity: capacity)
    }
    deinit { start.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Whether `length` more bytes fit. An empty page grows to whatever is asked, so that no line is too long.
    @inline(__always)
    mutating func reserve(_ length: Int) -> Bool {
        if capacity - count >= length { return true }
        guard count == 0 else { return false }
        start.deallocate()
        start = .allocate(capacity: length)
        capacity = length
        return true
    }
    /// Makes room whatever is in the page already.
    mutating func grow(for length: Int) {
        guard capacity - count < length else { return }
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count + length, capacity * 2))
        grown.update(from: start, count: count)
        start.deallocate()
        capacity = max(count + length, capacity * 2)
        start = grown
    }
    @inline(__always)
    mutating func write(_ source: UnsafePointer<UInt8>, _ length: Int) {
        (start + count).update(from: source, count: length)
        count += length
    }
    @inline(__always)
    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { source in
            if let address = source.baseAddress { write(address, source.count) }
        }
    }
    @inline(__always)
    mutating func write(_ text: StaticString) { write(text.utf8Start, text.utf8CodeUnitCount) }
    @inline(__always)
    mutating func write(unsigned number: UInt64) { count += NumberText.write(number, to: start + count) }
    @inline(__always)
    mutating func write(integer number: Int64) { count += NumberText.write(number, to: start + count) }
    @inline(__always)
    mutating func write(_ number: Double, _ format: ExpositionFormat) {
        count += NumberText.write(number, needsPoint: format == .openMetrics, to: start + count)
    }
    /// A number as its flags say: integers as digits, exactly.
    @inline(__always)
    mutating func write(bits: UInt64, isInteger: Bool, _ format: ExpositionFormat) {
        if isInteger {
            write(integer: Int64(bitPattern: bits))
        } else {
            write(Double(bitPattern: bits), format)
        }
    }
    /// A sample's time: milliseconds in text, seconds in OpenMetrics.
    mutating func write(time nanoseconds: UInt64, _ format: ExpositionFormat) {
        let milliseconds = nanoseconds / 1_000_000
        guard format == .openMetrics else { return write(unsigned: milliseconds) }
        write(unsigned: milliseconds / 1000)
        write(".")
        let fraction = milliseconds % 1000
        for digit in [fraction / 100, fraction / 10 % 10, fraction % 10] {
            start[count] = UInt8(truncatingIfNeeded: digit) &+ 48
            count += 1
        }
    }
}
