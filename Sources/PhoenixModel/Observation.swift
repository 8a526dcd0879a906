/// A whole snapshot of what one node measured: not a change, so that a reader that misses one loses nothing.
public struct Observation: Message, Equatable {
    public static let kind = MessageKind.observation
    /// One measured number.
    public struct Reading: Sendable, Equatable {
        /// The metric name, in the field's words: `phoenix_admitted_series`.
        public var name: String
        public var attributes: [String: String]
        public var value: Double
        public init(_ name: String, _ value: Double, _ attributes: [String: String] = [:]) {
            (self.name, self.value, self.attributes) = (name, value, attributes)
        }
    }
    /// Something a human or a controller must know; it stays set for a control period.
    public struct Alert: Sendable, Equatable {
        public var name: String
        public var reason: String
        public init(_ name: String, _ reason: String) { (self.name, self.reason) = (name, reason) }
    }
    /// The id of the node that measured.
    public var source: String
    public var timeUnixNano: UInt64
    public var readings: [Reading]
    public var alerts: [Alert]
    public init(source: String, timeUnixNano: UInt64, readings: [Reading], alerts: [Alert] = []) {
        (self.source, self.timeUnixNano, self.readings, self.alerts) = (
            source, timeUnixNano, readings, alerts
        )
    }
    public var byteCount: Int { 64 + readings.count * 128 + alerts.count * 96 }
}
