extension UnitWords {
    /// The UCUM unit of an OpenMetrics unit, the inverse of `words(for:)`; a word that means none stays as it is.
    static func unit(for words: String) -> String {
        if words == "ratio" { return "1" }
        if let unit = units[words] { return unit }
        if words.hasPrefix("per_"), let below = singleUnits[String(words.dropFirst(4))] {
            return "1/\(below)"
        }
        guard let range = words.firstRange(of: "_per_"),
            let below = singleUnits[String(words[range.upperBound...])]
        else { return words }
        let above = String(words[..<range.lowerBound])
        return "\(units[above] ?? above)/\(below)"
    }

    /// Of two units with one word ("kBy", "KBy") the one that UCUM knows.
    private static let units = Dictionary(counted.map { ($0.value, $0.key) }) { first, second in
        first == "KBy" ? second : first
    }
    /// A minute is `min` in UCUM, where `m` is a meter.
    private static let singleUnits = Dictionary(single.map { ($0.value, $0.key) }) { first, second in
        first == "m" ? second : first
    }
}
