/// A format, and how names are escaped in it: what a scraper asks for.
public struct ExpositionDialect: Sendable, Hashable {
    /// A version of the text format. The two differ in what they promise only: 1.0.0 has names in quotes.
    public enum TextVersion: String, Sendable, Hashable {
        case old = "0.0.4"
        case new = "1.0.0"
    }
    public var format: ExpositionFormat
    public var escaping: EscapingScheme
    /// Which version the text format is called by, where it is text.
    public var textVersion = TextVersion.old

    public init(_ format: ExpositionFormat, _ escaping: EscapingScheme = .underscores) {
        (self.format, self.escaping) = (format, escaping)
    }

    /// The value of `Content-Type`.
    public var contentType: String {
        let type =
            switch format {
            case .text: "text/plain; version=\(textVersion.rawValue); charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .protobuf:
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        return "\(type); escaping=\(escaping.rawValue)"
    }

    /// The format and the names that a scraper's `Accept` asks for: the highest weight wins, among equals the first written.
    ///
    /// OpenMetrics without a version, and 0.0.1, get 1.0.0's text, which is a superset of what they can ask for in a
    /// reader; text without a version is 0.0.4; a version that is not spoken here matches nothing. Without a match it is text
    /// 0.0.4. A scheme of escaping that is not known is none, and the entry that wins speaks for itself only. Source:
    /// Prometheus, scrape protocol content negotiation. (Its Go clients know no text 1.0.0: they answer 0.0.4 with the
    /// escaping asked for.)
    public static func negotiated(accept header: String?) -> ExpositionDialect {
        var best: (dialect: ExpositionDialect, weight: Double)?
        for entry in (header ?? "").split(separator: ",") {
            guard let (dialect, weight) = parse(entry), weight > 0 else { continue }
            if best == nil || weight > best!.weight { best = (dialect, weight) }
        }
        return best?.dialect ?? ExpositionDialect(.text)
    }

    private static func parse(_ entry: Substring) -> (ExpositionDialect, Double)? {
        let parts = entry.split(separator: ";").map(Self.trimmed)
        guard let type = parts.first?.lowercased() else { return nil }
        var (parameters, weight): ([String: String], Double) = ([:], 1)
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "=") else { continue }
            let name = trimmed(part[..<equals]).lowercased()
            var value = trimmed(part[part.index(after: equals)...])
            if value.count >= 2, value.first == "\"", value.last == "\"" {
                value = value.dropFirst().dropLast()
            }
            parameters[name] = String(value)
            if name == "q" { weight = Double(value).map { min(max($0, 0), 1) } ?? 0 }
        }
        guard let format = format(type, parameters) else { return nil }
        let escaping = parameters["escaping"].flatMap(EscapingScheme.init(rawValue:)) ?? .underscores
        var dialect = ExpositionDialect(format, escaping)
        if type == "text/plain", let version = parameters["version"].flatMap(TextVersion.init(rawValue:)) {
            dialect.textVersion = version
        }
        return (dialect, weight)
    }
    private static func format(_ type: String, _ parameters: [String: String]) -> ExpositionFormat? {
        let version = parameters["version"]
        switch type {
        case "application/vnd.google.protobuf"
        where parameters["proto"] == "io.prometheus.client.MetricFamily" && parameters["encoding"] == "delimited":
            return .protobuf
        case "application/openmetrics-text" where version == nil || version == "1.0.0" || version == "0.0.1":
            return .openMetrics
        case "text/plain" where version == nil || version.flatMap(TextVersion.init(rawValue:)) != nil:
            return .text
        case "text/*", "*/*": return .text
        default: return nil
        }
    }
    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
