/// Writes the few small messages that Phoenix answers with.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: UInt32, _ value: UInt64) {
        guard value != 0 else { return }
        raw(UInt64(field << 3))
        raw(value)
    }
    mutating func text(_ field: UInt32, _ text: String) {
        guard !text.isEmpty else { return }
        message(field, Array(text.utf8))
    }
    /// A message or bytes, written even where it is empty.
    mutating func message(_ field: UInt32, _ content: [UInt8]) {
        raw(UInt64(field << 3 | 2))
        raw(UInt64(content.count))
        bytes += content
    }
    private mutating func raw(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
