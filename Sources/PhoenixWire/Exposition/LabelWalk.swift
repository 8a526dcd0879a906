/// Goes over written labels, `a="b",c="d"`, one by one.
///
/// Labels are kept as the text formats show them, since that is what most scrapes copy; who needs them otherwise reads them
/// back. Only for text that was written here: it is not checked.
struct LabelWalk {
    /// A label as it stands there: quotes left out, escapes left in.
    struct Part {
        var name: UnsafeRawBufferPointer
        var value: UnsafeRawBufferPointer
    }
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    mutating func next() -> Part? {
        guard position < text.count else { return nil }
        let begin = position
        while text[position] != UInt8(ascii: "=") { position += 1 }
        let name = UnsafeRawBufferPointer(rebasing: text[begin..<position])
        position += 1
        let value = quoted()
        // The comma behind it.
        position += 1
        return Part(name: name, value: value)
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
