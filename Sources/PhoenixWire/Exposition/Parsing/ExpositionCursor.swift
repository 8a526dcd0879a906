/// Where the reading of an exposition stands; the bytes stay where they are.
///
/// Unsafe inside: every byte is read behind a comparison with `end`. Used only while the caller's buffer is valid.
struct ExpositionCursor {
    /// What was wrong, and how far from the beginning.
    struct Misread: Error {
        var offset: Int
        var reason: MalformedExposition.Reason
    }
    let start: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    let isOpen: Bool
    /// Whether what stands here is a native histogram, which no text can say.
    var isNative = false
    var position: UnsafePointer<UInt8>

    init(_ body: UnsafeRawBufferPointer, _ syntax: ExpositionSyntax) {
        // An empty body has no address: any will do, since nothing is read from it.
        let base = body.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!
        start = base.assumingMemoryBound(to: UInt8.self)
        (end, position, isOpen) = (start + body.count, start, syntax == .openMetrics)
    }

    @inline(__always) var isAtEnd: Bool { position == end }
    @inline(__always) var left: Int { end - position }
    /// The byte that comes next; 0 at the end.
    @inline(__always) var next: UInt8 { position < end ? position.pointee : 0 }
    /// The byte `distance` further on; 0 behind the end.
    @inline(__always) func byte(_ distance: Int) -> UInt8 { distance < left ? position[distance] : 0 }

    func misread(_ reason: MalformedExposition.Reason) -> Misread {
        Misread(offset: position - start, reason: reason)
    }
    /// The place of an offset, for people.
    func malformed(_ misread: Misread) -> MalformedExposition {
        var (line, column) = (1, 1)
        for index in 0..<misread.offset {
            if start[index] == .lineFeed { (line, column) = (line + 1, 1) } else { column += 1 }
        }
        return MalformedExposition(reason: misread.reason, line: line, column: column)
    }

    // MARK: Pieces

    /// Skips blanks; the text format lets them stand nearly everywhere.
    @inline(__always)
    mutating func skipBlanks() {
        while position < end, position.pointee == .space || position.pointee == .tab { position += 1 }
    }
    /// Skips what separates two parts of a line: one space in OpenMetrics, any blanks in text.
    @inline(__always)
    mutating func separator(_ reason: MalformedExposition.Reason) throws(Misread) {
        guard next == .space || (next == .tab && !isOpen) else { throw misread(reason) }
        position += 1
        if !isOpen { skipBlanks() }
    }
    /// The bytes up to the next blank or line feed.
    @inline(__always)
    mutating func token() -> UnsafeBufferPointer<UInt8> {
        let from = position
        while position < end, position.pointee != .space, position.pointee != .lineFeed,
            position.pointee != .tab
        {
            position += 1
        }
        return UnsafeBufferPointer(start: from, count: position - from)
    }
    /// The bytes up to the line feed, which is skipped.
    mutating func restOfLine() -> UnsafeBufferPointer<UInt8> {
        let from = position
        while position < end, position.pointee != .lineFeed { position += 1 }
        defer { if position < end { position += 1 } }
        return UnsafeBufferPointer(start: from, count: position - from)
    }
    /// The end of the line; the last one of a text exposition may lack its line feed.
    @inline(__always)
    mutating func lineEnd() throws(Misread) {
        if !isOpen { skipBlanks() }
        if isAtEnd, !isOpen { return }
        guard next == .lineFeed else { throw misread(isAtEnd ? .noEOF : .trailing) }
        position += 1
    }

    /// A metric name, or a label name without colons, of the legacy alphabet.
    mutating func name(
        colons: Bool,
        _ reason: MalformedExposition.Reason
    ) throws(Misread) -> UnsafeBufferPointer<UInt8> {
        let from = position
        while position < end {
            let byte = position.pointee
            let isFine = byte.isLetterOrDigit || byte == .underscore || (colons && byte == UInt8(ascii: ":"))
            guard isFine, position > from || !byte.isDigit else { break }
            position += 1
        }
        guard position > from else { throw misread(reason) }
        return UnsafeBufferPointer(start: from, count: position - from)
    }
    /// Skips a quoted text without reading it; the cursor stands on its first quote.
    @inline(__always)
    mutating func skipQuoted() throws(Misread) {
        let from = position
        position += 1
        while position < end, position.pointee != .lineFeed {
            let byte = position.pointee
            position += 1
            if byte == .quote { return }
            if byte == .backslash, position < end, position.pointee != .lineFeed { position += 1 }
        }
        position = from
        throw misread(.openLabelValue)
    }
    /// A quoted text, its escapes resolved; an unknown escape stays as it is written.
    mutating func quoted() throws(Misread) -> String {
        let from = position + 1
        try skipQuoted()
        let content = UnsafeBufferPointer(start: from, count: position - 1 - from)
        guard let text = Self.unescaped(content) else {
            position = from
            throw misread(.notUTF8)
        }
        return text
    }
    /// A text with backslash, quote and line feed unescaped; nil where it is not UTF-8.
    static func unescaped(_ content: UnsafeBufferPointer<UInt8>) -> String? {
        guard content.contains(.backslash) else { return String(validating: content, as: UTF8.self) }
        var (bytes, isEscaped): ([UInt8], Bool) = ([], false)
        bytes.reserveCapacity(content.count)
        for byte in content {
            guard isEscaped else {
                if byte == .backslash { isEscaped = true } else { bytes.append(byte) }
                continue
            }
            isEscaped = false
            switch byte {
            case UInt8(ascii: "n"): bytes.append(.lineFeed)
            case .backslash, .quote: bytes.append(byte)
            default: bytes += [.backslash, byte]
            }
        }
        if isEscaped { bytes.append(.backslash) }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let comma = UInt8(ascii: ",")
    static let hash = UInt8(ascii: "#")
}
