/// Goes over written labels, `a="b","c.d"="e"`, one by one.
///
/// Labels are kept as the text formats show them, since that is what most scrapes copy; who needs them otherwise reads them
/// back. Only for text that was written here: it is not checked.
struct LabelWalk {
    /// A label as it stands there: quotes left out, escapes left in.
    struct Part {
        var name: UnsafeRawBufferPointer
        var value: UnsafeRawBufferPointer
        /// Whether the name stood in quotes: it is not in the legacy alphabet.
        var isQuoted: Bool
    }
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    mutating func next() -> Part? {
        guard position < text.count else { return nil }
        let isQuoted = text[position] == UInt8(ascii: "\"")
        let name = isQuoted ? quoted() : plain()
        position += 1
        let value = quoted()
        // The comma behind it.
        position += 1
        return Part(name: name, value: value, isQuoted: isQuoted)
    }
    private mutating func plain() -> UnsafeRawBufferPointer {
        let begin = position
        while text[position] != UInt8(ascii: "=") { position += 1 }
        return UnsafeRawBufferPointer(rebasing: text[begin..<position])
    }
    /// What stands between the quotes of which the first one is next.
    private mutating func quoted() -> UnsafeRawBufferPointer {
        position += 1
        let begin = position
        while text[position] != UInt8(ascii: "\"") {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        defer { position += 1 }
        return UnsafeRawBufferPointer(rebasing: text[begin..<position])
    }

    static func unescaped(_ text: UnsafeRawBufferPointer) -> String {
        guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
        var page = ExpositionPage(capacity: text.count)
        page.append(unescaping: text)
        return String(decoding: page.bytes, as: UTF8.self)
    }
}

extension ExpositionPage {
    /// Appends text with its escapes (backslash, quote, line feed) undone.
    mutating func append(unescaping text: UnsafeRawBufferPointer) {
        guard text.contains(UInt8(ascii: "\\")) else { return append(text) }
        grow(for: text.count)
        var isEscaped = false
        for byte in text {
            if !isEscaped, byte == UInt8(ascii: "\\") {
                isEscaped = true
                continue
            }
            start[count] = isEscaped && byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte
            count += 1
            isEscaped = false
        }
    }
}
