/// Why an exposition cannot be read, and where: the scrape is refused whole.
public struct MalformedExposition: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong at a place.
    public enum Reason: Sendable, Hashable {
        case name, labelName, labelValue, openLabelValue, labelsEnd, doubleName, noName
        case duplicateLabel(String)
        case notUTF8
        case blank, value, timestamp, trailing
        case blankLine, comment, type(String), unit(String), familyName
        case exemplar
        case noEOF, afterEOF
    }
    public var reason: Reason
    /// From 1.
    public var line: Int
    /// In bytes, from 1.
    public var column: Int

    public var description: String { "line \(line), column \(column): \(reason.text)" }
}

extension MalformedExposition.Reason {
    var text: String {
        switch self {
        case .name: "a metric name must begin with a letter, `_` or `:`"
        case .labelName: "a label name must begin with a letter or `_`, or stand between quotes"
        case .labelValue: "a label value must follow as `=\"value\"`"
        case .openLabelValue: "the label value or quoted name does not end on its line"
        case .labelsEnd: "expected `,` or `}` after a label"
        case .doubleName: "the sample has two names"
        case .noName: "the sample has no name"
        case .duplicateLabel(let name): "the label `\(name)` appears twice"
        case .notUTF8: "the text is not UTF-8"
        case .blank: "expected a blank before the value"
        case .value: "the value is no number"
        case .timestamp: "the timestamp is no number"
        case .trailing: "unexpected text at the end of the line"
        case .blankLine: "OpenMetrics has no blank lines, and no blanks before a sample"
        case .comment: "OpenMetrics knows only the comments HELP, TYPE, UNIT and EOF"
        case .type(let word): "`\(word)` is no metric type"
        case .unit(let word): "the unit `\(word)` is not the end of the family's name"
        case .familyName: "a metric name must follow the keyword"
        case .exemplar: "expected an exemplar such as ` # {trace_id=\"…\"} 0.5`"
        case .noEOF: "the exposition does not end with `# EOF`; the response may have been cut off"
        case .afterEOF: "there is text after `# EOF`"
        }
    }
}

/// A format that a scrape may be answered in.
public enum ExpositionSyntax: Sendable, Hashable {
    /// Prometheus text format 0.0.4 (and 1.0.0, which differs in quoted names only).
    case text
    case openMetrics
    /// Messages `io.prometheus.client.MetricFamily`, each behind its length.
    case protobuf

    /// The syntax that a `Content-Type` names; nil for one that is not read here, or none.
    public init?(contentType: String?) {
        let words = (contentType ?? "").split(separator: ";").map { word in
            word.lowercased().filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        }
        switch words.first ?? "" {
        case "text/plain": self = .text
        case "application/openmetrics-text": self = .openMetrics
        case "application/vnd.google.protobuf"
        where words.contains("proto=io.prometheus.client.metricfamily")
            && words.contains("encoding=delimited"):
            self = .protobuf
        default: return nil
        }
    }
}
