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
    /// The same for stretches that are mostly short, without a call: by two copies that overlap.
    @inline(__always)
    mutating func write(short source: UnsafeRawPointer, _ length: Int) {
        let target = UnsafeMutableRawPointer(start + count)
        count += length
        if length >= 16 {
            guard length <= 32 else { return target.copyMemory(from: source, byteCount: length) }
            Self.copy(SIMD16<UInt8>.self, source, target, length)
        } else if length >= 8 {
            Self.copy(UInt64.self, source, target, length)
        } else if length >= 4 {
            Self.copy(UInt32.self, source, target, length)
        } else {
            for index in 0..<length {
                target.storeBytes(
                    of: source.load(fromByteOffset: index, as: UInt8.self),
                    toByteOffset: index,
                    as: UInt8.self
                )
            }
        }
    }
    @inline(__always)
    private static func copy<Unit: BitwiseCopyable>(
        _ unit: Unit.Type,
        _ source: UnsafeRawPointer,
        _ target: UnsafeMutableRawPointer,
        _ length: Int
    ) {
        let last = length - MemoryLayout<Unit>.size
        let (head, tail) = (
            source.loadUnaligned(as: unit), source.loadUnaligned(fromByteOffset: last, as: unit)
        )
        target.storeBytes(of: head, as: unit)
        target.storeBytes(of: tail, toByteOffset: last, as: unit)
    }
    /// The same where `slack` bytes may be read behind the source, and written behind the target.
    @inline(__always)
    mutating func write(padded source: UnsafeRawPointer, _ length: Int) {
        let target = UnsafeMutableRawPointer(start + count)
        count += length
        guard length <= Self.slack else { return target.copyMemory(from: source, byteCount: length) }
        target.storeBytes(of: source.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
        guard length > 16 else { return }
        target.storeBytes(
            of: source.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self),
            toByteOffset: 16,
            as: SIMD16<UInt8>.self
        )
    }
    static let slack = 32
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
