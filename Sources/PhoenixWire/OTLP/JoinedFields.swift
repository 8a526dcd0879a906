/// The fields of a message that protobuf takes for one although they stand apart, copied one after the other.
///
/// Owns the memory that its cursor reads: keep the object while the cursor is used. The cold path: no known encoder
/// writes a message in parts.
final class JoinedFields {
    private let bytes: UnsafeMutablePointer<UInt8>
    private let count: Int

    /// The contents of all fields of a tag: what a message in parts means.
    convenience init(contentsOf tag: UInt32, in message: ProtobufCursor) throws(MalformedMessage) {
        var joined: [UInt8] = []
        var cursor = message
        while !cursor.isAtEnd {
            let found = try cursor.tag()
            guard found == tag else {
                try cursor.skip(found)
                continue
            }
            // No field may begin in one part and end in the next.
            let part = try cursor.delimited()
            try part.checkFields()
            joined += part.asBytes()
        }
        self.init(joined)
    }
    /// All fields of some tags, tags included.
    convenience init(_ tags: [UInt32], in message: ProtobufCursor) throws(MalformedMessage) {
        var joined: [UInt8] = []
        var cursor = message
        while !cursor.isAtEnd {
            let start = cursor.position
            let found = try cursor.tag()
            try cursor.skip(found)
            if tags.contains(found) { joined += ProtobufCursor(start, cursor.position).asBytes() }
        }
        self.init(joined)
    }
    private init(_ joined: [UInt8]) {
        // One byte more, so that an empty run has an address too.
        bytes = .allocate(capacity: joined.count + 1)
        count = joined.count
        for (index, byte) in joined.enumerated() { bytes[index] = byte }
    }
    deinit { bytes.deallocate() }

    var cursor: ProtobufCursor { ProtobufCursor(bytes, bytes + count) }
}
