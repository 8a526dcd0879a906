extension ConfigTree {
    /// What stands there, for "expected …, found …".
    var found: String {
        switch value {
        case .null: "nothing"
        case .scalar where written != nil: "what `\(written ?? "")` stands for"
        case .scalar(let text, _): "`\(text.count > 60 ? text.prefix(57) + "..." : text[...])`"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// The text of a scalar; anything else is reported as not being `expected`, with an `example` of what would be.
    public func scalar(expected: String, example: String, _ report: inout Report) -> String? {
        if case .scalar(let text, _) = value { return text }
        report.add(at: mark, "expected \(expected), found \(found)", mend: "write it like `\(example)`")
        return nil
    }
}

extension StringProtocol {
    /// Whether it is digits, with a sign before them and underscores between them or without, however many.
    var isWholeNumber: Bool {
        let digits = hasPrefix("-") || hasPrefix("+") ? dropFirst() : self[...]
        return digits.utf8.first != UInt8(ascii: "_") && !digits.isEmpty
            && digits.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }
}

extension String: FieldValue {
    public static var shape: Shape { .string(format: nil) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> String? {
        tree.scalar(expected: "text", example: "some text", &report)
    }
    /// Quoted only where a reader of the reference would not see it otherwise.
    public var text: String { isEmpty ? "\"\"" : self }
}

extension Bool: FieldValue {
    public static var shape: Shape { .boolean }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Bool? {
        guard let text = tree.scalar(expected: "true or false", example: "true", &report) else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            let meant = ["yes", "on", "True", "TRUE", "1"].contains(text) ? "true" : "false"
            report.add(at: tree.mark, "expected true or false, found \(tree.found)", mend: "write `\(meant)`")
            return nil
        }
    }
    public var text: String { description }
}

extension Int: FieldValue {
    public static var shape: Shape { .integer(minimum: nil, maximum: nil) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Int? {
        guard let text = tree.scalar(expected: "a whole number", example: "1000", &report) else { return nil }
        if let number = Int(text.replacing("_", with: "")), !text.hasPrefix("_") { return number }
        report.add(
            at: tree.mark,
            "expected a whole number, found \(tree.found)",
            mend: text.isWholeNumber
                ? "that is beyond 64 bits: write one from \(Int.min) to \(Int.max)"
                : "write digits only, as in `1000` or `1_000`"
        )
        return nil
    }
    public var text: String { description }
}

extension Double: FieldValue {
    public static var shape: Shape { .number(minimum: nil, maximum: nil) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Double? {
        guard let text = tree.scalar(expected: "a number", example: "0.5", &report) else { return nil }
        if let number = Double(text.replacing("_", with: "")), number.isFinite, !text.hasPrefix("_") {
            return number
        }
        report.add(at: tree.mark, "expected a number, found \(tree.found)", mend: "write it like `0.5`")
        return nil
    }
    public var text: String {
        let text = description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
