/// Why bytes are no OTLP/JSON request, and where: for whoever wrote the sender.
public struct MalformedJSON: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public var reason: String
    /// How many bytes lie before the place.
    public var offset: Int
    /// Both counted from 1; a column is a byte.
    public var line = 0
    public var column = 0
    /// The way to the place through the document: `resourceMetrics[0].scopeMetrics[1].metrics[0].name`.
    public var path = ""

    init(_ reason: String, at offset: Int) { (self.reason, self.offset) = (reason, offset) }

    public var description: String {
        "line \(line), column \(column)\(path.isEmpty ? "" : ", at \(path)"): \(reason)"
    }
    /// The same error with its place put in words a human can use.
    func located(in bytes: UnsafeRawBufferPointer) -> Self {
        var error = self
        let before = bytes.prefix(offset)
        error.line = 1 + before.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        error.column = 1 + before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
        var scanner = JSONScanner(bytes, stoppingAt: offset)
        do { try scanner.scan() } catch _ { error.path = scanner.pathText }
        return error
    }
}
