/// UCUM units as the words that Prometheus names end in (OpenTelemetry, Prometheus compatibility, "metric metadata").
enum UnitWords {
    /// The word or words for a unit, in the legacy alphabet; nil for a unit that shows in no name (none, `1`, `{…}`).
    static func words(for unit: String) -> String? {
        let plain = withoutAnnotations(unit)
        guard !plain.isEmpty, plain != "1" else { return nil }
        guard let slash = plain.firstIndex(of: "/") else { return sanitized(counted[plain] ?? plain) }
        let (above, below) = (String(plain[..<slash]), String(plain[plain.index(after: slash)...]))
        let per = sanitized(single[below] ?? counted[below] ?? below)
        let many = above == "1" ? nil : sanitized(counted[above] ?? above)
        switch (many, per) {
        case (let many?, let per?): return "\(many)_per_\(per)"
        case (nil, let per?): return "per_\(per)"
        case (let many, nil): return many
        }
    }

    private static func withoutAnnotations(_ unit: String) -> String {
        var (result, depth) = ("", 0)
        for character in unit {
            switch character {
            case "{": depth += 1
            case "}" where depth > 0: depth -= 1
            default: if depth == 0, !character.isWhitespace { result.append(character) }
            }
        }
        return result
    }
    /// The words with everything outside the alphabet as single underscores, none at the ends.
    private static func sanitized(_ text: String) -> String? {
        var result: [UInt8] = []
        for byte in text.utf8 {
            let isLegal = byte.isLetterOrDigit
            if isLegal {
                result.append(byte)
            } else if result.last != .underscore {
                result.append(.underscore)
            }
        }
        while result.last == .underscore { result.removeLast() }
        if result.first == .underscore { result.removeFirst() }
        return result.isEmpty ? nil : String(decoding: result, as: UTF8.self)
    }

    static let counted: [String: String] = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
        "us": "microseconds",
        "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
        "TiBy": "tebibytes", "kBy": "kilobytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes",
        "TBy": "terabytes", "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts",
        "g": "grams", "Cel": "celsius", "Hz": "hertz", "%": "percent",
    ]
    static let single: [String: String] = [
        "s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
    ]
}

extension UInt8 {
    static let underscore = UInt8(ascii: "_")
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    var isLetterOrDigit: Bool {
        isDigit || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z"))
    }
}
