/// How OpenTelemetry names become Prometheus names (OpenTelemetry's `translation_strategy`).
///
/// Names are always sent in the legacy alphabet: the two strategies that keep other characters are escaped to
/// underscores, character for character, as a scraper gets them that does not ask for `escaping=allow-utf-8`.
public enum TranslationStrategy: String, Sendable, Hashable, CaseIterable {
    /// `foo.bar`, By, counter: `foo_bar_bytes_total`.
    case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
    /// `foo_bar`.
    case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
    /// `foo.bar_bytes_total`, escaped.
    case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
    /// `foo.bar`, escaped.
    case noTranslation = "NoTranslation"

    /// Whether unit and type become suffixes.
    public var addsSuffixes: Bool {
        self == .underscoreEscapingWithSuffixes || self == .noUTF8EscapingWithSuffixes
    }
    /// Whether runs of replaced characters become one underscore.
    var collapsesUnderscores: Bool {
        self == .underscoreEscapingWithSuffixes || self == .underscoreEscapingWithoutSuffixes
    }
}
