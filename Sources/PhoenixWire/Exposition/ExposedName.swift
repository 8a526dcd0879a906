import PhoenixModel

/// What a metric is called on an endpoint: in the legacy alphabet, by which names are told apart, and as it is written where
/// other characters may be shown.
struct ExposedName: Sendable, Hashable {
    /// The OpenMetrics family name: of a counter, without `_total`.
    var family: String
    /// What the sample lines of a number are called: of a counter, with `_total`.
    var sample: String
    /// The unit, where the family's name ends in it.
    var unit: String?
    /// What the samples of a number are called in UTF-8; nil where that is no other name.
    private(set) var written: String?

    /// The name of a metric; nil where nothing but underscores would be left.
    init?(
        of metric: MetricIdentity,
        strategy: TranslationStrategy = .underscoreEscapingWithSuffixes,
        namespace: String = ""
    ) {
        let isCounter = metric.kind == .sum && metric.isMonotonic
        guard let name = Self.legacy(metric.name, under: namespace, strategy) else { return nil }
        // "total" alone is a name, not a suffix.
        let hasTotal = name.hasSuffix("_total") && name.utf8.dropLast(6).contains { $0 != .underscore }
        var base = isCounter && hasTotal ? String(name.dropLast("_total".utf8.count)) : name
        if strategy.addsSuffixes {
            if let words = UnitWords.words(for: metric.unit) {
                base = Self.adding(words, to: strategy.collapsesUnderscores ? Self.trimmed(base) : base)
                if base.hasSuffix("_" + words) { unit = words }
            } else if metric.unit == "1", metric.kind == .gauge {
                base = Self.adding("ratio", to: strategy.collapsesUnderscores ? Self.trimmed(base) : base)
                if base.hasSuffix("_ratio") { unit = "ratio" }
            }
        }
        let total = isCounter && (hasTotal || strategy.addsSuffixes)
        if total, strategy.collapsesUnderscores { base = Self.trimmed(base) }
        (family, sample) = (base, total ? base + "_total" : base)
        if strategy.keepsUTF8 {
            written = Self.written(metric, namespace, sample: sample, hasTotal: isCounter && hasTotal, strategy)
        }
    }
    /// A name in a namespace in the legacy alphabet; nil where nothing but underscores would be left of it.
    static func legacy(_ name: String, under namespace: String, _ strategy: TranslationStrategy) -> String? {
        var name = sanitized(name, collapsing: strategy.collapsesUnderscores)
        guard name.utf8.contains(where: { $0 != .underscore }) else { return nil }
        let space = sanitized(namespace, collapsing: strategy.collapsesUnderscores)
        if !space.isEmpty { name = "\(space)_\(name)" }
        if strategy.collapsesUnderscores { name = collapsed(name) }
        return name.utf8.first!.isDigit ? "_" + name : name
    }
    /// The name in UTF-8: what was given, with the suffixes of the sample.
    private static func written(
        _ metric: MetricIdentity,
        _ namespace: String,
        sample: String,
        hasTotal: Bool,
        _ strategy: TranslationStrategy
    ) -> String? {
        var name = namespace.isEmpty ? metric.name : "\(namespace)_\(metric.name)"
        if strategy.addsSuffixes {
            // Nothing is collapsed: character by character, the legacy name begins like this one.
            if hasTotal { name.unicodeScalars.removeLast("_total".utf8.count) }
            let isPrefixed = name.utf8.first?.isDigit ?? false
            let length = name.unicodeScalars.count + (isPrefixed ? 1 : 0)
            name.unicodeScalars.append(contentsOf: sample.unicodeScalars.dropFirst(length))
        }
        return EscapingScheme.isLegacy(name, colons: true) ? nil : name
    }
    /// The name as a scheme shows it.
    func escaped(_ scheme: EscapingScheme) -> ExposedName {
        guard let written, scheme != .underscores else { return self }
        let shown = scheme.escaped(written, colons: true)
        let hasTotal = family != sample && shown.hasSuffix("_total")
        return ExposedName(family: hasTotal ? String(shown.dropLast(6)) : shown, sample: shown, unit: unit)
    }
    /// Whether the name has to stand in quotes.
    var isQuoted: Bool { !EscapingScheme.isLegacy(sample, colons: true) }
    static func quoted(_ name: String) -> [UInt8] {
        Array("\"".utf8) + escapedForQuotes(name) + Array("\"".utf8)
    }
    static func escapedForQuotes(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = []
        ExposedLabel.write(escaped: name, quotes: true, to: &bytes)
        return bytes
    }
    /// Every name that the samples of a family of this type may have, whoever asks.
    func claims(_ type: FamilyType) -> Set<String> {
        var claims: Set<String> = []
        for scheme in written == nil ? [.underscores] : EscapingScheme.allCases {
            let name = escaped(scheme)
            claims.formUnion(type.suffixes.map { name.family + $0 })
            claims.insert(name.sample)
        }
        return claims
    }
    /// A name that is already what it shall be.
    init(family: String, sample: String, unit: String? = nil) {
        (self.family, self.sample, self.unit) = (family, sample, unit)
    }

    /// The name without underscores at its end: a suffix brings its own, and runs are one. A name of nothing else stays.
    private static func trimmed(_ name: String) -> String {
        let end = name.utf8.lastIndex { $0 != .underscore }
        return end.map { String(name[...$0]) } ?? name
    }
    /// The name with a suffix, unless its words are among the name's already.
    private static func adding(_ words: String, to name: String) -> String {
        let tokens = name.utf8.split(separator: .underscore).map(Substring.init)
        // "a_per_b" goes in as a whole, so that a name that merely holds "per" keeps its unit.
        if words.contains("_per_") || words.hasPrefix("per_") {
            return name.contains(words) ? name : "\(name)_\(words)"
        }
        let isPresent = words.utf8.split(separator: .underscore).allSatisfy { tokens.contains(Substring($0)) }
        return isPresent ? name : "\(name)_\(words)"
    }

    /// Everything outside `[a-zA-Z0-9_:]` as underscores.
    static func sanitized(_ name: String, collapsing: Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(name.utf8.count)
        for scalar in name.unicodeScalars {
            let byte = scalar.isASCII ? UInt8(scalar.value) : 0
            if byte.isLetterOrDigit || byte == UInt8(ascii: ":") {
                result.append(byte)
            } else if !collapsing || result.last != .underscore {
                result.append(.underscore)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
    private static func collapsed(_ name: String) -> String {
        var result: [UInt8] = []
        for byte in name.utf8 where byte != .underscore || result.last != .underscore { result.append(byte) }
        return String(decoding: result, as: UTF8.self)
    }
}
