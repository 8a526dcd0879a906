/// A value in a text that `JSONScanner` has passed: only a place, read on demand.
///
/// Whoever makes one vouches that the bytes stay readable while it is used. Since the text is well-formed, moving about
/// in it cannot fail; only a value of another type than asked for is an error.
struct JSONValue {
    fileprivate let bytes: UnsafeRawBufferPointer
    /// Where the value begins.
    let start: Int

    /// The one value of a whole text.
    init(root bytes: UnsafeRawBufferPointer) throws(MalformedJSON) {
        var scanner = JSONScanner(bytes)
        try scanner.scan()
        self.init(bytes, Self.skipSpace(bytes, from: 0))
    }
    fileprivate init(_ bytes: UnsafeRawBufferPointer, _ start: Int) {
        (self.bytes, self.start) = (bytes, start)
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
    fileprivate static func skipSpace(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position < bytes.count, isSpace(bytes[position]) { position += 1 }
        return position
    }
    func malformed(_ reason: String) -> MalformedJSON { MalformedJSON(reason, at: start) }

    private var first: UInt8 { bytes[start] }
    var isNull: Bool { first == UInt8(ascii: "n") }

    /// Where the value ends.
    fileprivate var end: Int {
        switch first {
        case UInt8(ascii: "\""): return Self.endOfString(bytes, from: start)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            var (position, depth) = (start, 0)
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\""):
                    position = Self.endOfString(bytes, from: position)
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return position + 1 }
                default: break
                }
                position += 1
            }
            return position
        case UInt8(ascii: "t"), UInt8(ascii: "n"): return start + 4
        case UInt8(ascii: "f"): return start + 5
        default: return JSONNumeral.end(of: bytes, from: start) ?? bytes.count
        }
    }
    private static func endOfString(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start + 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""): return position + 1
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return bytes.count
    }

    // MARK: Scalars

    /// What stands between the quotes of a string.
    private var content: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start + 1..<end - 1])
    }
    fileprivate var text: String {
        let content = content
        return content.contains(UInt8(ascii: "\\"))
            ? JSONText.unescaped(content) : String(decoding: content, as: UTF8.self)
    }
    func string() throws(MalformedJSON) -> String {
        guard first == UInt8(ascii: "\"") else { throw malformed("must be a string") }
        return text
    }
    func bool() throws(MalformedJSON) -> Bool {
        switch first {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: throw malformed("must be true or false")
        }
    }
    /// The bytes of a number, or of a string that should hold one.
    private func withNumeral<Number>(_ read: (UnsafeRawBufferPointer) -> Number?) -> Number? {
        switch first {
        case UInt8(ascii: "\""):
            let content = content
            guard content.contains(UInt8(ascii: "\\")) else { return read(content) }
            return Array(text.utf8).withUnsafeBytes(read)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return read(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        default: return nil
        }
    }
    func uint64() throws(MalformedJSON) -> UInt64 {
        guard let (isNegative, magnitude) = withNumeral(JSONNumeral.integer), !isNegative || magnitude == 0
        else {
            throw malformed("must be an unsigned 64-bit integer, as a number or a string")
        }
        return magnitude
    }
    func int64() throws(MalformedJSON) -> Int64 {
        guard let (isNegative, magnitude) = withNumeral(JSONNumeral.integer),
            magnitude <= (isNegative ? 1 << 63 : UInt64(Int64.max))
        else { throw malformed("must be a signed 64-bit integer, as a number or a string") }
        return isNegative ? Int64(bitPattern: 0 &- magnitude) : Int64(magnitude)
    }
    func int32() throws(MalformedJSON) -> Int32 {
        guard let number = Int32(exactly: try int64()) else {
            throw malformed("must be a signed 32-bit integer")
        }
        return number
    }
    func uint32() throws(MalformedJSON) -> UInt32 {
        guard let number = UInt32(exactly: try uint64()) else {
            throw malformed("must be an unsigned 32-bit integer")
        }
        return number
    }
    /// An enum's number; OTLP/JSON allows no names.
    func enumeration() throws(MalformedJSON) -> Int32 {
        guard first != UInt8(ascii: "\"") else {
            throw malformed("an enum must be its integer; OTLP/JSON allows no names")
        }
        return try int32()
    }
    func double() throws(MalformedJSON) -> Double {
        if let number = withNumeral(JSONNumeral.double) { return number }
        if first == UInt8(ascii: "\"") {
            switch text {
            case "NaN": return .nan
            case "Infinity": return .infinity
            case "-Infinity": return -.infinity
            default: break
            }
        }
        throw malformed("must be a number that fits a double, or \"NaN\", \"Infinity\" or \"-Infinity\"")
    }
    func base64() throws(MalformedJSON) -> [UInt8] {
        guard let bytes = JSONText.bytes(base64: try string()) else { throw malformed("must be base64") }
        return bytes
    }
    func hex() throws(MalformedJSON) -> [UInt8] {
        guard let bytes = JSONText.bytes(hex: try string()) else {
            throw malformed("must be hex digits, two a byte")
        }
        return bytes
    }

    // MARK: Containers

    func elements() throws(MalformedJSON) -> JSONElements {
        guard first == UInt8(ascii: "[") else { throw malformed("must be an array") }
        return JSONElements(bytes, start + 1)
    }
    /// The members of an object that bear a name of `Field`; others are passed over.
    func fields<Field: RawRepresentable<String>>(_: Field.Type) throws(MalformedJSON) -> JSONFields<Field> {
        guard first == UInt8(ascii: "{") else { throw malformed("must be an object") }
        var fields = JSONFields<Field>()
        var position = Self.skipSpace(bytes, from: start + 1)
        while bytes[position] != UInt8(ascii: "}") {
            let key = JSONValue(bytes, position)
            position = Self.skipSpace(bytes, from: key.end)
            let value = JSONValue(bytes, Self.skipSpace(bytes, from: position + 1))
            if let field = Field(rawValue: key.text) { fields.add(field, value) }
            position = Self.skipSpace(bytes, from: value.end)
            if bytes[position] == UInt8(ascii: ",") { position = Self.skipSpace(bytes, from: position + 1) }
        }
        return fields
    }
}

/// The elements of an array in their order.
struct JSONElements: Sequence, IteratorProtocol {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    fileprivate init(_ bytes: UnsafeRawBufferPointer, _ position: Int) {
        (self.bytes, self.position) = (bytes, position)
    }

    mutating func next() -> JSONValue? {
        position = JSONValue.skipSpace(bytes, from: position)
        if bytes[position] == UInt8(ascii: ",") { position = JSONValue.skipSpace(bytes, from: position + 1) }
        guard bytes[position] != UInt8(ascii: "]") else { return nil }
        let element = JSONValue(bytes, position)
        position = element.end
        return element
    }
}

/// The known members of an object. Of several with one key the last counts; one that is null is absent.
struct JSONFields<Field: Equatable> {
    private var members: [(field: Field, value: JSONValue)] = []

    fileprivate mutating func add(_ field: Field, _ value: JSONValue) {
        if let index = members.firstIndex(where: { $0.field == field }) { members.remove(at: index) }
        members.append((field, value))
    }
    subscript(field: Field) -> JSONValue? {
        members.last { $0.field == field && !$0.value.isNull }?.value
    }
    /// The last in the text of fields that exclude each other.
    func last(of fields: Field...) -> (field: Field, value: JSONValue)? {
        members.last { fields.contains($0.field) && !$0.value.isNull }
    }
    /// The elements of an array field; none where it is absent.
    func elements(_ field: Field) throws(MalformedJSON) -> [JSONValue] {
        guard let value = self[field] else { return [] }
        return Array(try value.elements())
    }
    func string(_ field: Field) throws(MalformedJSON) -> String { try self[field]?.string() ?? "" }
    func uint64(_ field: Field) throws(MalformedJSON) -> UInt64 { try self[field]?.uint64() ?? 0 }
    func double(_ field: Field) throws(MalformedJSON) -> Double { try self[field]?.double() ?? 0 }
}
