/// The format of an exposition.
public enum ExpositionFormat: Sendable, Hashable, CaseIterable {
    /// Prometheus text format 0.0.4.
    case text
    /// OpenMetrics 1.0.0.
    case openMetrics
    /// Messages `io.prometheus.client.MetricFamily`, each behind its length: the only one that has native histograms.
    case protobuf

    /// The value of `Content-Type`; names are always in the legacy alphabet, hence the escaping.
    public var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
        case .protobuf:
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; "
                + "escaping=underscores"
        }
    }

    /// The format that a scraper's `Accept` asks for: the highest weight wins, among equals the first written.
    ///
    /// OpenMetrics without a version, and 0.0.1, get 1.0.0's text, which is a superset of what they can ask for in a
    /// reader; a version that is not spoken here matches nothing. Without a match it is text 0.0.4.
    public static func negotiated(accept header: String?) -> ExpositionFormat {
        guard let header else { return .text }
        var best: (format: ExpositionFormat, weight: Double)?
        for entry in header.split(separator: ",") {
            guard let (format, weight) = parse(entry), weight > 0 else { continue }
            if best == nil || weight > best!.weight { best = (format, weight) }
        }
        return best?.format ?? .text
    }

    private static func parse(_ entry: Substring) -> (ExpositionFormat, Double)? {
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
        let version = parameters["version"]
        switch type {
        case "application/vnd.google.protobuf"
        where parameters["proto"] == "io.prometheus.client.MetricFamily" && parameters["encoding"] == "delimited":
            return (.protobuf, weight)
        case "application/openmetrics-text" where version == nil || version == "1.0.0" || version == "0.0.1":
            return (.openMetrics, weight)
        case "text/plain" where version == nil || version == "0.0.4": return (.text, weight)
        case "text/*", "*/*": return (.text, weight)
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
