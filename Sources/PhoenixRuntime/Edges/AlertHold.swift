import PhoenixModel

/// Keeps alerts set for a control period, however short they were raised.
///
/// An observation register shows only the newest snapshot, and a reader that looks once a period would miss an
/// alert that was raised and cleared between two looks.
struct AlertHold {
    private struct Raised {
        var alert: Observation.Alert
        var untilUnixNano: UInt64
    }
    /// How many alert names of one source are held; a source that raises more loses the rest to its next snapshot.
    private static let maximumNames = 64
    private let periodNanoseconds: UInt64
    private var raised: [String: [String: Raised]] = [:]

    init(period: Duration) { periodNanoseconds = period.nanoseconds }

    /// The snapshot with the alerts of its source that are still held.
    mutating func hold(_ observation: Observation) -> Observation {
        let now = observation.timeUnixNano
        var held = raised[observation.source, default: [:]]
        for alert in observation.alerts where held[alert.name] != nil || held.count < Self.maximumNames {
            held[alert.name] = Raised(alert: alert, untilUnixNano: now &+ periodNanoseconds)
        }
        held = held.filter { $0.value.untilUnixNano > now }
        raised[observation.source] = held.isEmpty ? nil : held
        let fresh = Set(observation.alerts.map(\.name))
        let missing = held.values.filter { !fresh.contains($0.alert.name) }.map(\.alert)
        guard !missing.isEmpty else { return observation }
        var result = observation
        result.alerts += missing.sorted { $0.name < $1.name }
        return result
    }
}
