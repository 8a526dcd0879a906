import NIOCore

/// The framing of gRPC messages: a flag, a length, the bytes (grpc/doc/PROTOCOL-HTTP2.md).
enum GRPCMessage {
    static let prefixSize = 5

    /// The one message of a unary request, and whether it is compressed.
    static func only(
        in body: UnsafeRawBufferPointer
    ) throws(GRPCStatus) -> (bytes: UnsafeRawBufferPointer, isCompressed: Bool) {
        guard !body.isEmpty else {
            throw GRPCStatus(.unimplemented, "the request holds no message, this method takes one")
        }
        guard body[0] <= 1 else { throw GRPCStatus(.internal, "the message flag is \(body[0]), not 0 or 1") }
        guard body.count >= prefixSize else { throw GRPCStatus(.internal, "the message prefix is cut off") }
        let length = (1..<5).reduce(0) { $0 << 8 | Int(body[$1]) }
        guard body.count - prefixSize >= length else { throw GRPCStatus(.internal, "the message is cut off") }
        guard body.count - prefixSize == length else {
            throw GRPCStatus(.unimplemented, "the request holds more than the one message this method takes")
        }
        return (UnsafeRawBufferPointer(rebasing: body[prefixSize...]), body[0] == 1)
    }

    /// A message in its frame, compressed if that is allowed and worth it.
    static func frame(_ message: [UInt8], gzip: Bool) -> ByteBuffer {
        let packed =
            gzip && message.count >= 1024 ? message.withUnsafeBytes { Deflater(level: 1).deflate($0) } : nil
        var buffer = ByteBuffer()
        buffer.reserveCapacity(prefixSize + (packed?.readableBytes ?? message.count))
        buffer.writeInteger(packed == nil ? UInt8(0) : 1)
        buffer.writeInteger(UInt32(clamping: packed?.readableBytes ?? message.count))
        if var packed {
            buffer.writeBuffer(&packed)
        } else {
            buffer.writeBytes(message)
        }
        return buffer
    }

    /// The duration of a `grpc-timeout`: one to eight digits and a unit; nil if it is malformed.
    static func timeout(_ text: String) -> Duration? {
        guard let unit = text.utf8.last, text.utf8.count <= 9 else { return nil }
        let digits = text.utf8.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        let count = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 48) }
        switch unit {
        case UInt8(ascii: "H"): return .seconds(count * 3600)
        case UInt8(ascii: "M"): return .seconds(count * 60)
        case UInt8(ascii: "S"): return .seconds(count)
        case UInt8(ascii: "m"): return .milliseconds(count)
        case UInt8(ascii: "u"): return .microseconds(count)
        case UInt8(ascii: "n"): return .nanoseconds(count)
        default: return nil
        }
    }
}
