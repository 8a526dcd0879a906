/// Durations are written with their units: `15s`, `1h30m`, `500ms`, `1.5s`; `0` needs none.
extension Duration: FieldValue {
    public static var shape: Shape { .string(format: "duration") }

    /// The longest that may be written, a hundred years: far from any overflow of nanoseconds in 64 bits.
    static let longest = Duration.seconds(100 * 365 * 86_400)

    private static let units: [(name: String, attoseconds: Int128)] = [
        ("d", 86_400_000_000_000_000_000_000), ("h", 3_600_000_000_000_000_000_000),
        ("m", 60_000_000_000_000_000_000), ("s", 1_000_000_000_000_000_000), ("ms", 1_000_000_000_000_000),
        ("us", 1_000_000_000_000), ("µs", 1_000_000_000_000), ("ns", 1_000_000_000),
    ]

    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Duration? {
        guard let text = tree.scalar(expected: "a duration", example: "15s", &report) else { return nil }
        if let duration = Duration(written: text) { return duration }
        let remedy =
            Double(text).map { $0 >= 0 } == true
            ? "say the unit, as in `\(text)s`" : "write it like `15s`, `1h30m` or `500ms`, at most 100 years"
        report.add(at: tree.mark, "expected a duration, found \(tree.found)", mend: remedy)
        return nil
    }

    /// Reads a duration as it is written in graph files; nil where it is none.
    public init?(written text: String) {
        if text == "0" {
            self = .zero
            return
        }
        var rest = text[...]
        var total: Int128 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let scale = Self.units.first(where: { $0.name == unit })?.attoseconds,
                let amount = Self.attoseconds(number, scale)
            else { return nil }
            total += amount
            guard total <= Self.longest.attoseconds else { return nil }
        }
        guard !text.isEmpty else { return nil }
        self = Duration(attoseconds: total)
    }

    /// `number` times `scale`, exactly, for at most 12 digits before the point and 18 after it.
    private static func attoseconds(_ number: Substring, _ scale: Int128) -> Int128? {
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, whole.count <= 12, parts.count <= 2,
            let units = Int128(whole)
        else { return nil }
        guard parts.count == 2 else { return units * scale }
        let digits = parts[1]
        guard !digits.isEmpty, digits.count <= 12, let fraction = Int128(digits) else { return nil }
        let divisor = digits.reduce(into: Int128(1)) { power, _ in power *= 10 }
        return units * scale + fraction * scale / divisor
    }

    public var text: String {
        var rest = attoseconds
        guard rest > 0 else { return rest == 0 ? "0" : description }
        var text = ""
        for (name, scale) in Self.units where name != "µs" && rest >= scale {
            text += "\(rest / scale)\(name)"
            rest %= scale
        }
        return text.isEmpty ? "0" : text
    }
}
