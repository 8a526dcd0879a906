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

/// A label as it is exposed.
public struct ExposedLabel: Sendable, Hashable, Comparable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    public static func < (left: Self, right: Self) -> Bool {
        (left.name, left.value) < (right.name, right.value)
    }

    /// Appends `name="value"`, the value with backslash, quote and line feed escaped (both text formats alike).
    func write(to bytes: inout [UInt8]) {
        bytes += name.utf8
        bytes += [UInt8(ascii: "="), UInt8(ascii: "\"")]
        Self.write(escaped: value, quotes: true, to: &bytes)
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
        var (labels, position): ([ExposedLabel], Int) = ([], 0)
        while position < block.count {
            var (name, value): ([UInt8], [UInt8]) = ([], [])
            while block[position] != UInt8(ascii: "=") {
                name.append(block[position])
                position += 1
            }
            position += 2
            while block[position] != UInt8(ascii: "\"") {
                if block[position] == UInt8(ascii: "\\") {
                    position += 1
                    value.append(block[position] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : block[position])
                } else {
                    value.append(block[position])
                }
                position += 1
            }
            labels.append(
                ExposedLabel(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
            )
            position += 2
        }
        return labels
    }
}
