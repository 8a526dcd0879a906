/// The canonical bytes of an attribute set, which never change, in one allocation of just their size.
///
/// Before them stand two lengths, of the bytes and of the attributes, so that the owner is one address. Sendable because
/// nothing is written after `init`, and freed with the one owner, who cannot be copied.
struct EncodedAttributes: ~Copyable, @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    private static var prefix: Int { 8 }

    init(_ bytes: [UInt8], count: Int) {
        self.init(byteCount: bytes.count, count: count)
        bytes.withUnsafeBytes { [start] in
            if let source = $0.baseAddress {
                (start + Self.prefix).copyMemory(from: source, byteCount: $0.count)
            }
        }
    }
    init(copying other: borrowing EncodedAttributes) {
        self.init(byteCount: other.byteCount, count: other.count)
        if let source = other.bytes.baseAddress {
            (start + Self.prefix).copyMemory(from: source, byteCount: other.byteCount)
        }
    }
    private init(byteCount: Int, count: Int) {
        start = .allocate(byteCount: Self.prefix + byteCount, alignment: 8)
        start.storeBytes(of: UInt32(byteCount), as: UInt32.self)
        start.storeBytes(of: UInt32(count), toByteOffset: 4, as: UInt32.self)
    }
    deinit { start.deallocate() }

    var byteCount: Int { Int(start.load(as: UInt32.self)) }
    /// How many attributes there are.
    var count: Int { Int(start.load(fromByteOffset: 4, as: UInt32.self)) }
    /// Valid as long as the owner.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + Self.prefix, count: byteCount)
    }
    func isEqual(to other: borrowing EncodedAttributes) -> Bool { bytes.elementsEqual(other.bytes) }
}

/// One value of an encoded set, as it lies there.
public struct EncodedValue: BitwiseCopyable {
    /// What can be shown without decoding it.
    public enum Kind: UInt8, BitwiseCopyable, Sendable { case text, integer, other }
    public var kind: Kind
    /// Of a text.
    public var count: Int
    public var start: UnsafeRawPointer
    /// Of an integer.
    public var integer: Int64
    @inlinable init(kind: Kind, count: Int, start: UnsafeRawPointer, integer: Int64) {
        (self.kind, self.count, self.start, self.integer) = (kind, count, start, integer)
    }
}

/// Goes over the values of an encoded set: for loops that would otherwise decode the same attributes again and again.
public struct EncodedWalk {
    @usableFromInline var position: UnsafeRawPointer
    /// Begins at the first attribute; the caller keeps the set and counts its attributes.
    @inlinable public init(_ start: UnsafeRawPointer) { position = start }

    @inlinable @inline(__always)
    mutating func byte() -> UInt8 {
        defer { position += 1 }
        return position.load(as: UInt8.self)
    }
    @inlinable @inline(__always)
    mutating func number() -> UInt64 {
        let first = byte()
        if first < 0x80 { return UInt64(first) }
        var (number, shift, last) = (UInt64(first & 0x7f), UInt64(7), first)
        while last >= 0x80 {
            last = byte()
            number |= UInt64(last & 0x7f) << shift
            shift += 7
        }
        return number
    }
    /// The symbol of the next attribute's key, 0 for one that is written out, and its value. After `other` the walk is
    /// over: what comes behind it cannot be told.
    @inlinable @inline(__always)
    public mutating func next() -> (symbol: UInt32, value: EncodedValue) {
        let symbol = UInt32(truncatingIfNeeded: number())
        if symbol == 0 {
            let length = Int(number())
            position += length
        }
        switch byte() {
        case 1:
            let length = Int(number())
            defer { position += length }
            return (symbol, EncodedValue(kind: .text, count: length, start: position, integer: 0))
        case 4:
            let zigzag = number()
            let integer = Int64(bitPattern: zigzag >> 1 ^ (0 &- (zigzag & 1)))
            return (symbol, EncodedValue(kind: .integer, count: 0, start: position, integer: integer))
        default:
            return (symbol, EncodedValue(kind: .other, count: 0, start: position, integer: 0))
        }
    }
}
