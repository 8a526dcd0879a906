import PhoenixModel

/// How attribute keys become label names.
enum LabelName {
    /// The label name of an attribute key: everything outside `[a-zA-Z0-9_]` becomes an underscore, runs of them one.
    ///
    /// A leading digit gets `key_` before it; a name that is dunder already (`__x__`) stays, but for `__name__`, which
    /// would rename the metric. Never empty.
    static func sanitized(_ key: String, collapsing: Bool = true) -> String {
        if key == "__name__" { return "exported_name" }
        let isDunder = key.utf8.count > 4 && key.hasPrefix("__") && key.hasSuffix("__")
        var result: [UInt8] = []
        result.reserveCapacity(key.utf8.count + 4)
        for scalar in key.unicodeScalars {
            let byte = scalar.isASCII ? UInt8(scalar.value) : 0
            if byte.isLetterOrDigit {
                result.append(byte)
            } else if !collapsing || isDunder || result.last != .underscore {
                result.append(.underscore)
            }
        }
        if result.isEmpty { return "_" }
        let name = String(decoding: result, as: UTF8.self)
        if name == "__name__" { return "exported_name" }
        return result[0].isDigit ? "key_" + name : name
    }
}

extension LabelName {
    /// An attribute key as a label name in UTF-8; nil where that is the same name as in the legacy alphabet.
    ///
    /// A key that cannot be told from a name with a meaning of its own in other alphabets has none either.
    static func written(_ key: String) -> String? {
        key.isEmpty || key == "__name__" || EscapingScheme.isLegacy(key, colons: false) ? nil : key
    }
}

/// A label as it is exposed.
public struct ExposedLabel: Sendable, Hashable, Comparable {
    /// In the legacy alphabet.
    public var name: String
    public var value: String
    /// The name in UTF-8, where it is another one: then it is written, in quotes.
    var written: String?
    public init(_ name: String, _ value: String) { self.init(name, value, written: nil) }
    init(_ name: String, _ value: String, written: String?) {
        (self.name, self.value, self.written) = (name, value, written)
    }
    public static func < (left: Self, right: Self) -> Bool {
        (left.name, left.value) < (right.name, right.value)
    }

    /// Appends `name="value"`, the value with backslash, quote and line feed escaped (both text formats alike).
    func write(to bytes: inout [UInt8]) {
        writeName(to: &bytes)
        bytes += [UInt8(ascii: "="), UInt8(ascii: "\"")]
        Self.write(escaped: value, quotes: true, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }
    /// By what labels are told apart: the name in the legacy alphabet.
    var hash: UInt64 {
        var bytes: [UInt8] = []
        ExposedLabel(name, value).write(to: &bytes)
        return bytes.withUnsafeBytes { foldHash($0, seed: processSeed) }
    }
    func writeName(to bytes: inout [UInt8]) {
        guard let written else {
            bytes += name.utf8
            return
        }
        bytes.append(UInt8(ascii: "\""))
        Self.write(escaped: written, quotes: true, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }
    /// Labels as they are written side by side.
    static func block(_ labels: [ExposedLabel]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, label) in labels.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            label.write(to: &bytes)
        }
        return bytes
    }
    static func write(escaped text: String, quotes: Bool, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += [byte, byte]
            case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\"") where quotes: bytes += [UInt8(ascii: "\\"), byte]
            default: bytes.append(byte)
            }
        }
    }
    /// The labels of a rendered block: the inverse of writing them, joined by commas.
    static func parse(_ block: UnsafeRawBufferPointer) -> [ExposedLabel] {
        var labels: [ExposedLabel] = []
        var walk = LabelWalk(block)
        while let part = walk.next() {
            let name = LabelWalk.unescaped(part.name)
            labels.append(
                ExposedLabel(
                    part.isQuoted ? LabelName.sanitized(name, collapsing: false) : name,
                    LabelWalk.unescaped(part.value),
                    written: part.isQuoted ? name : nil
                )
            )
        }
        return labels
    }
}
