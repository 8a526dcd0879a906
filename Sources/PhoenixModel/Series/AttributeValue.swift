/// The value of an attribute, as OpenTelemetry's common data model has it.
public indirect enum AttributeValue: Sendable, Hashable {
    /// Present, with no value.
    case empty
    case string(String)
    case bool(Bool)
    case int(Int64)
    /// Compared by bits, so that NaN equals itself and an attribute set can be an identity.
    case double(bits: UInt64)
    case bytes([UInt8])
    case array([AttributeValue])
    case map([Attribute])

    public static func double(_ value: Double) -> Self { .double(bits: value.bitPattern) }
}

/// A key and its value.
public struct Attribute: Sendable, Hashable {
    public var key: String
    public var value: AttributeValue
    public init(_ key: String, _ value: AttributeValue) { (self.key, self.value) = (key, value) }
    public init(_ key: String, _ value: String) { self.init(key, .string(value)) }
}

extension AttributeValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension AttributeValue {
    /// The value as text, for labels, patterns and people: OpenTelemetry's representation for non-OTLP protocols.
    ///
    /// Booleans and numbers as JSON, bytes as base64, arrays and maps as JSON, no value as "".
    public var text: String {
        switch self {
        case .empty: ""
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .double(let bits): Self.text(of: Double(bitPattern: bits))
        case .bytes(let bytes): Self.base64(bytes)
        case .array, .map: json
        }
    }

    private static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        if let whole = Int64(exactly: number), abs(number) < 1e15 { return String(whole) }
        return "\(number)"
    }

    /// The value as JSON text.
    public var json: String {
        switch self {
        case .empty: return "null"
        case .string(let text): return Self.quoted(text)
        case .bytes(let bytes): return Self.quoted(Self.base64(bytes))
        case .bool, .int: return text
        case .double(let bits):
            let number = Double(bitPattern: bits)
            return number.isFinite ? text : Self.quoted(text)
        case .array(let values): return "[" + values.map(\.json).joined(separator: ",") + "]"
        case .map(let entries):
            let members = entries.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value.json)" }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for position in 0..<4 {
                let isPadding = position > group.count
                result.append(
                    isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> (18 - 6 * UInt32(position)) & 63)]
                )
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
