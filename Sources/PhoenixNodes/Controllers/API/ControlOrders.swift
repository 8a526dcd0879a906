import PhoenixGraph
import PhoenixModel

/// The limits that hold for orders over HTTP and gRPC alike.
enum OrderLimits {
    static let durationSeconds = 1...31_622_400
    static let textLength = 512
    static let history = 1...1000
    static let historyDefault = 100

    /// Why, for those who see the mode change: in one line.
    static func reason(_ text: String?, else fallback: String) throws(APIError) -> String {
        let line = String(try checked("reason", text ?? "").map { $0.isNewline || $0.isControl ? " " : $0 })
        return line.allSatisfy(\.isWhitespace) ? fallback : line
    }
    static func checked(_ name: String, _ text: String) throws(APIError) -> String {
        guard text.unicodeScalars.count <= textLength else {
            throw APIError.badRequest("`\(name)` is longer than \(textLength) characters; say it shorter")
        }
        return text
    }
    static func mode(_ text: String) throws(APIError) -> Mode {
        if let mode = Mode(rawValue: text) { return mode }
        let remedy = Suggestion.remedy(for: String(text.prefix(64)), among: Mode.allCases.map(\.rawValue))
        throw APIError.badRequest("there is no mode `\(text.prefix(64))`; \(remedy)")
    }
    static func duration(_ seconds: Int?) throws(APIError) -> Duration? {
        guard let seconds else { return nil }
        guard durationSeconds.contains(seconds) else {
            throw APIError.badRequest(
                "`duration_seconds` must be from \(durationSeconds.lowerBound) to \(durationSeconds.upperBound); "
                    + "leave it out to hold the mode until it is cleared"
            )
        }
        return .seconds(seconds)
    }
}

extension Character {
    fileprivate var isControl: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}

/// The body of `POST /api/v1/control`: `ControlRequest` of control.proto.
struct ControlOrder: APIBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case mode, reason
        case durationSeconds = "duration_seconds"
    }
    static let example = #"{"mode": "aggressive", "duration_seconds": 600, "reason": "why"}"#
    var mode: String
    var durationSeconds: WholeNumber?
    var reason: String?
}

/// The body of `POST /mode`, as the old system had it.
struct ModeOrder: APIBody {
    enum CodingKeys: String, CodingKey, CaseIterable { case mode, reason }
    static let example = #"{"mode": "balanced", "reason": "why"}"#
    static var takesMore: Bool { true }
    var mode: String
    var reason: String?
}

/// The body of `POST /anomaly`, as the old system had it.
struct AnomalyBody: APIBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case severity, confidence, timestamp
        case id = "anomaly_id"
        case metricName = "metric_name"
        case currentValue = "current_value"
        case expectedValue = "expected_value"
    }
    static let example =
        #"{"anomaly_id": "a-1", "severity": "critical", "metric_name": "cardinality", "current_value": 30000}"#
    static var takesMore: Bool { true }
    var id: String
    var severity: String
    var metricName: String
    var currentValue: Double
    var expectedValue: Double?
    var confidence: Double?
    var timestamp: String?

    func report() throws(APIError) -> AnomalyReport {
        let severities = AnomalyReport.Severity.allCases.map(\.rawValue)
        guard let severity = AnomalyReport.Severity(rawValue: severity) else {
            let remedy = Suggestion.remedy(for: String(severity.prefix(64)), among: severities)
            throw APIError.badRequest("there is no severity `\(severity.prefix(64))`; \(remedy)")
        }
        if let confidence, !(0...1).contains(confidence) {
            throw APIError.badRequest("`confidence` must be from 0 to 1")
        }
        let time = timestamp.map { RFC3339.unixNano($0) }
        if case .some(.none) = time {
            throw APIError.badRequest("`timestamp` must be by RFC 3339, such as 2026-01-01T00:00:00Z")
        }
        return AnomalyReport(
            id: try OrderLimits.checked("anomaly_id", id),
            severity: severity,
            metricName: try OrderLimits.checked("metric_name", metricName),
            currentValue: currentValue,
            expectedValue: expectedValue,
            confidence: confidence,
            timeUnixNano: time ?? nil
        )
    }
}
