/// How OpenTelemetry names become Prometheus names (OpenTelemetry's `translation_strategy`).
///
/// The two strategies that keep other characters than the legacy alphabet's show them to scrapers that ask for
/// `escaping=allow-utf-8`; all others get them escaped. Whatever is shown, two names that are equal with underscores in place
/// of such characters are one name.
public enum TranslationStrategy: String, Sendable, Hashable, CaseIterable {
    /// `foo.bar`, By, counter: `foo_bar_bytes_total`.
    case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
    /// `foo_bar`.
    case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
    /// `foo.bar_bytes_total`.
    case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
    /// `foo.bar`.
    case noTranslation = "NoTranslation"

    /// The name of a family that an endpoint tells of itself, in the legacy alphabet whoever asks: under the namespace as
    /// those of series are, with no suffix added. Nil where nothing but underscores would be left of it.
    public func plainName(_ name: String, under namespace: String = "") -> String? {
        ExposedName.legacy(name, under: namespace, self)
    }
    /// Whether unit and type become suffixes.
    public var addsSuffixes: Bool {
        self == .underscoreEscapingWithSuffixes || self == .noUTF8EscapingWithSuffixes
    }
    /// Whether names may have characters outside the legacy alphabet.
    var keepsUTF8: Bool { self == .noUTF8EscapingWithSuffixes || self == .noTranslation }
    /// Whether runs of replaced characters become one underscore.
    var collapsesUnderscores: Bool {
        self == .underscoreEscapingWithSuffixes || self == .underscoreEscapingWithoutSuffixes
    }
}
