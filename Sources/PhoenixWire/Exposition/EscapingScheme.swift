/// How names that are not in the legacy alphabet are shown to a scraper (`escaping` in `Accept`).
///
/// Names in the legacy alphabet stay as they are under every scheme.
public enum EscapingScheme: String, Sendable, Hashable, CaseIterable {
    /// As they are, in quotes where the format is text.
    case allowUTF8 = "allow-utf-8"
    /// Everything else becomes an underscore.
    case underscores
    /// `.` is `_dot_`, an underscore two, everything else two underscores.
    case dots
    /// `U__`, underscores doubled, everything else as its code point in hexadecimal digits between underscores.
    case values

    /// A name of a metric or, without colons, of a label, as the scheme shows it.
    func escaped(_ name: String, colons: Bool) -> String {
        if self == .allowUTF8 || Self.isLegacy(name, colons: colons) { return name }
        var result = self == .values ? "U__" : ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            let isLegal =
                scalar.isASCII
                && Self.isLegacy(UInt8(truncatingIfNeeded: scalar.value), isFirst: index == 0, colons: colons)
            switch self {
            case .dots where scalar == "_", .values where scalar == "_": result += "__"
            case _ where isLegal: result.unicodeScalars.append(scalar)
            case .dots: result += scalar == "." ? "_dot_" : "__"
            case .values: result += "_" + String(scalar.value, radix: 16) + "_"
            case .underscores, .allowUTF8: result += "_"
            }
        }
        return result
    }
    /// Whether a name is `[a-zA-Z_:][a-zA-Z0-9_:]*`, or the same without colons.
    static func isLegacy(_ name: String, colons: Bool) -> Bool {
        guard !name.isEmpty else { return false }
        return name.utf8.enumerated().allSatisfy {
            isLegacy($0.element, isFirst: $0.offset == 0, colons: colons)
        }
    }
    private static func isLegacy(_ byte: UInt8, isFirst: Bool, colons: Bool) -> Bool {
        if byte == .underscore || (colons && byte == UInt8(ascii: ":")) { return true }
        return byte.isLetterOrDigit && !(isFirst && byte.isDigit)
    }
}
