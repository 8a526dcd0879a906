import PhoenixModel

/// How a state begins: what stands in its first frame.
struct StateHead: Sendable, Equatable {
    /// All that came before is in it; in nanoseconds since 1970.
    var savedAt: UInt64 = 0
    /// Whether nothing came since: all nodes had ended by then, and no process went on from it.
    var isFinal = false

    static func read(_ reader: inout StateReader) throws -> Self {
        guard try reader.nextSection() else { throw StateError.malformed(what: "it has no head") }
        return StateHead(savedAt: try reader.number(), isFinal: try reader.flag())
    }
    func write(to writer: inout StateWriter) throws {
        try writer.beginSection()
        writer.write(savedAt)
        writer.write(isFinal)
    }
    /// The beginning of a file with this head, up to its end: those of two moments have the same length.
    var bytes: [UInt8] {
        get throws {
            var bytes: [UInt8] = []
            var writer = try StateWriter { bytes.append(contentsOf: $0) }
            try write(to: &writer)
            try writer.flush()
            return bytes
        }
    }
}
