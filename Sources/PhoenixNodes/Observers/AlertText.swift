import Foundation
import PhoenixModel

/// An alert as one line of JSON: the fields of the control API's `POST /anomaly`, and what else is known.
struct AlertText {
    private struct Body: Encodable {
        var anomaly_id: String
        var severity: String
        var kind: String
        var metric_name: String
        var labels: [String: String]
        var current_value: Double
        var expected_value: Double
        var confidence: Double
        var timestamp: String
        var message: String
    }
    private let body: Body

    init(_ anomaly: Anomaly, id: String, at unixNanoseconds: UInt64) {
        let moment = Date(timeIntervalSince1970: Double(unixNanoseconds / 1_000_000) / 1000)
        body = Body(
            anomaly_id: id,
            severity: anomaly.severity.rawValue,
            kind: anomaly.kind.rawValue,
            metric_name: anomaly.metric,
            labels: anomaly.labels,
            current_value: anomaly.value,
            expected_value: anomaly.expected,
            confidence: anomaly.confidence,
            timestamp: moment.formatted(.iso8601),
            message: Self.reason(anomaly)
        )
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Detected values are finite, so there is nothing that JSON could not say.
        return (try? encoder.encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// For people.
    static func reason(_ anomaly: Anomaly) -> String {
        let labels = anomaly.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let name = anomaly.metric + (labels.isEmpty ? "" : "{\(labels.joined(separator: ", "))}")
        let (value, expected) = (
            AttributeValue.double(anomaly.value).text, AttributeValue.double(anomaly.expected).text
        )
        return switch anomaly.kind {
        case .zScore: "\(name) is \(value), far from its mean of \(expected)"
        case .rateOfChange: "\(name) is \(value); a minute ago it was \(expected)"
        case .exponentialGrowth: "\(name) doubles again and again: from \(expected) to \(value)"
        case .leak: "\(name) grows without falling back: from \(expected) to \(value)"
        case .oscillation: "\(name) swings around \(expected)"
        }
    }
}
