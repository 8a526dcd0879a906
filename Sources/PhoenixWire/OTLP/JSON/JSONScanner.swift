/// Proves that bytes are one JSON text (RFC 8259), strictly: what `JSONValue` may rely on.
///
/// UTF-8 is checked, a surrogate needs its partner, nothing may follow the value, and the nesting is bounded. Duplicate
/// keys are allowed: the last counts.
struct JSONScanner {
    /// How deep objects and arrays may be nested; a protobuf message takes up to two, and those end at 100.
    static let maximumDepth = 200
    private enum Step {
        /// The object's member whose key begins here, after its quote.
        case member(Int)
        case element(Int)
    }
    private let bytes: UnsafeRawBufferPointer
    private let stop: Int
    private var position = 0
    /// The way from the root to the position; it is left as it is when scanning fails.
    private var path: [Step] = []

    /// With `stoppingAt`, scanning fails at the value there, so that its path can be told.
    init(_ bytes: UnsafeRawBufferPointer, stoppingAt stop: Int = .max) {
        (self.bytes, self.stop) = (bytes, stop)
    }

    mutating func scan() throws(MalformedJSON) {
        skipSpace()
        guard position < bytes.count else { throw malformed("the body is empty; an empty request is {}") }
        try value()
        skipSpace()
        guard position == bytes.count else { throw malformed("something follows the end of the request") }
    }

    /// The path to where scanning ended, shortened where a sender chose absurd keys.
    var pathText: String {
        var text = ""
        for step in path {
            switch step {
            case .element(let index): text += "[\(index)]"
            case .member(let start):
                let key = bytes[start...].prefix(40).prefix { $0 != UInt8(ascii: "\"") && $0 >= 0x20 }
                text += (text.isEmpty ? "" : ".") + String(decoding: key, as: UTF8.self)
            }
            if text.utf8.count > 300 { return text + "..." }
        }
        return text
    }

    private func malformed(_ reason: String) -> MalformedJSON { MalformedJSON(reason, at: position) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count, JSONValue.isSpace(bytes[position]) { position += 1 }
    }

    private mutating func value() throws(MalformedJSON) {
        if position >= stop { throw malformed("") }
        guard let byte = next else { throw malformed("the body ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try array()
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: throw malformed("no JSON value begins like this")
        }
    }
    private mutating func object() throws(MalformedJSON) {
        guard path.count < Self.maximumDepth else {
            throw malformed("nested more than \(Self.maximumDepth) deep")
        }
        position += 1
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return
        }
        path.append(.member(position))
        while true {
            guard next == UInt8(ascii: "\"") else { throw malformed("a key must be a string in quotes") }
            path[path.count - 1] = .member(position + 1)
            try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw malformed("a colon must follow the key") }
            position += 1
            skipSpace()
            try value()
            if try isLast(UInt8(ascii: "}"), "a comma or } must follow the member") { break }
        }
        path.removeLast()
    }
    private mutating func array() throws(MalformedJSON) {
        guard path.count < Self.maximumDepth else {
            throw malformed("nested more than \(Self.maximumDepth) deep")
        }
        position += 1
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return
        }
        var index = 0
        path.append(.element(index))
        while true {
            path[path.count - 1] = .element(index)
            try value()
            index += 1
            if try isLast(UInt8(ascii: "]"), "a comma or ] must follow the element") { break }
        }
        path.removeLast()
    }
    /// Passes over what follows a member or an element: the end, or a comma.
    private mutating func isLast(_ end: UInt8, _ complaint: String) throws(MalformedJSON) -> Bool {
        skipSpace()
        guard let byte = next, byte == end || byte == UInt8(ascii: ",") else { throw malformed(complaint) }
        position += 1
        if byte == end { return true }
        skipSpace()
        return false
    }
    private mutating func word(_ word: StaticString) throws(MalformedJSON) {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count,
            (0..<count).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
        else { throw malformed("only true, false and null are written without quotes") }
        position += count
    }
    private mutating func number() throws(MalformedJSON) {
        guard let end = JSONNumeral.end(of: bytes, from: position) else {
            throw malformed("not a JSON number")
        }
        position = end
    }

    // MARK: Strings

    private mutating func string() throws(MalformedJSON) {
        position += 1
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw malformed("a control character in a string must be escaped")
            case 0..<0x80: position += 1
            default: try multibyte(byte)
            }
        }
        throw malformed("the body ends inside a string")
    }
    private mutating func escape() throws(MalformedJSON) {
        guard position + 1 < bytes.count else { throw malformed("the body ends inside a string") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard let unit = JSONText.codeUnit(bytes, at: position) else {
                throw malformed("\\u needs four hex digits")
            }
            if UTF16.isTrailSurrogate(unit) { throw malformed("half of a surrogate pair stands alone") }
            if UTF16.isLeadSurrogate(unit) {
                guard let trail = JSONText.codeUnit(bytes, at: position + 6), UTF16.isTrailSurrogate(trail)
                else {
                    throw malformed("half of a surrogate pair stands alone")
                }
                position += 6
            }
            position += 6
        default: throw malformed("no such escape in JSON")
        }
    }
    /// A character beyond ASCII: RFC 3629, without overlong forms and surrogates.
    private mutating func multibyte(_ lead: UInt8) throws(MalformedJSON) {
        let (length, second): (Int, ClosedRange<UInt8>)
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw malformed("a string is not UTF-8")
        }
        guard bytes.count - position >= length, second.contains(bytes[position + 1]),
            (2..<max(2, length)).allSatisfy({ bytes[position + $0] & 0xC0 == 0x80 })
        else { throw malformed("a string is not UTF-8") }
        position += length
    }
}
