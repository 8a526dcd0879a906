/// An anomaly that somebody else found: the body of `POST /anomaly`.
struct AnomalyReport: Sendable, Equatable {
    enum Severity: String, Sendable, CaseIterable { case low, medium, high, critical }
    var id: String
    var severity: Severity
    var metricName: String
    var currentValue: Double
    var expectedValue: Double?
    /// 0 to 1.
    var confidence: Double?
    /// When it was found; nil where the finder did not say.
    var timeUnixNano: UInt64?
}
