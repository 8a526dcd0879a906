import PhoenixGraph

/// A controller's status, for people.
struct StatusText {
    /// What is read of `GET /api/v1/status`; newer programs may say more.
    struct Status: Decodable {
        struct Override: Decodable {
            var mode: String
            var reason: String
            var until: String?
            var remaining_seconds: Double?
        }
        struct KPIs: Decodable {
            var full_ts: Double?
            var optimized_ts: Double?
            var experimental_ts: Double?
            var cost_reduction_ratio: Double
        }
        var current_mode: String
        var since: String
        var reason: String
        var config_version: UInt64
        var correlation_id: String
        var kpis: KPIs
        var forecasts: [String: Double]
        var safe_mode: Bool
        var forced: String?
        var override: Override?
    }
    private let status: Status

    init(_ status: Status) { self.status = status }

    var text: String {
        var rows = [
            ["mode", "\(status.current_mode), since \(status.since)"],
            ["reason", status.reason.isEmpty ? "none was given" : status.reason],
            ["decision", "\(status.correlation_id), version \(status.config_version)"],
        ]
        if let held = status.override { rows.append(["override", Self.text(held)]) }
        if let forced = status.forced { rows.append(["forced by", forced]) }
        if status.safe_mode { rows.append(["safe mode", "observations stopped coming"]) }
        rows.append(["series", series])
        let forecasts = ["conservative", "balanced", "aggressive"].compactMap { mode in
            status.forecasts[mode].map { "\(mode) \(Self.whole($0))" }
        }
        if !forecasts.isEmpty { rows.append(["would be", forecasts.joined(separator: ", ")]) }
        return TextTable(rows: rows).text
    }

    private var series: String {
        let kpis = status.kpis
        let known = [
            ("full", kpis.full_ts), ("optimized", kpis.optimized_ts), ("experimental", kpis.experimental_ts),
        ].compactMap { name, count in count.map { "\(name) \(Self.whole($0))" } }
        guard !known.isEmpty else { return "not known yet" }
        return known.joined(separator: ", ") + "; \(Self.whole(kpis.cost_reduction_ratio * 100)) % saved"
    }
    private static func text(_ held: Status.Override) -> String {
        guard let until = held.until else { return "\(held.mode) until it is cleared" }
        let left = Duration.seconds(Int(held.remaining_seconds ?? 0)).text
        return "\(held.mode) until \(until), \(left) left"
    }
    private static func whole(_ number: Double) -> String { number.rounded().text }
}
