import PhoenixModel
import PhoenixRuntime

/// What a census says at intervals: growth, churn, risk, and who is behind it.
struct CardinalityReport: Sendable {
    struct Rules: Equatable, Sendable {
        var window = Duration.seconds(60)
        var explosionGrowth = 3.0
        var explosionSeries = 1000
        var highRiskSeries = 1000
        var highRiskGrowth = 3.0
        var highRiskLeast = 100
        var top = 20
    }
    /// What grew is compared with what was: of one to two windows ago.
    private struct Snapshot: Sendable {
        var metrics: [String: Int] = [:]
        var labels: [String: Double] = [:]
        /// Those of at least `highRiskLeast` series; all others count as so many.
        var processes: [String: Int] = [:]
    }
    private let rules: Rules
    private var trend: CardinalityTrend
    private var older: Snapshot?
    private var newer: Snapshot?
    private var turnAt = Duration.zero
    private var last: (at: Duration, born: UInt64, died: UInt64)?

    init(_ rules: Rules) {
        self.rules = rules
        trend = CardinalityTrend(window: rules.window, least: Double(rules.explosionSeries))
    }

    /// The readings and alerts of a moment.
    mutating func make(
        _ census: borrowing CardinalityCensus,
        at now: Duration
    )
        -> (readings: [Observation.Reading], alerts: [Observation.Alert])
    {
        let count = census.count
        trend.note(Double(count), at: now)
        let metrics = census.metrics.all.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        let labels = census.labels.estimates.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let risky = highRisk(census)
        var readings = [
            Observation.Reading(KPIName.intake, Double(count)),
            .init(KPIName.intakeGrowth, trend.growth),
            .init(KPIName.highRisk, Double(risky.count)),
            .init("phoenix_cardinality_zscore", trend.zScore),
            .init("phoenix_cardinality_explosion_risk", risk),
            .init("phoenix_cardinality_born_total", Double(census.born)),
            .init("phoenix_cardinality_died_total", Double(census.died)),
        ]
        readings += rates(census, at: now)
        readings += metrics.prefix(rules.top).map {
            .init("phoenix_cardinality_series", Double($0.count), ["metric": $0.name])
        }
        readings += labels.prefix(rules.top).map {
            .init("phoenix_cardinality_label_values", $0.value.rounded(), ["label": $0.key])
        }
        readings += risky.prefix(rules.top).map {
            .init("phoenix_cardinality_process_series", Double($0.count), ["process": $0.name])
        }
        let grown = topGrowth(metrics, labels)
        if let grown {
            let names = ["metric": grown.metric, "label": grown.label]
            readings.append(.init("phoenix_cardinality_top_growth_series", Double(grown.series), names))
        }
        turn(census, metrics, labels, at: now)
        var alerts: [Observation.Alert] = []
        if trend.growth >= rules.explosionGrowth, count >= rules.explosionSeries {
            let behind = grown.map { "; most in `\($0.metric)`, by the label `\($0.label)`" } ?? ""
            let reason =
                "\(count) series, \(Self.text(trend.growth)) times those of \(rules.window) ago\(behind)"
            alerts.append(.init(KPIName.explosionAlert, reason))
        }
        return (readings, alerts)
    }
    private static func text(_ number: Double) -> String { String((number * 10).rounded() / 10) }

    /// How far growth is on its way to an alert, 0 to 1.
    private var risk: Double {
        guard rules.explosionGrowth > 1 else { return 0 }
        return min(max((trend.growth - 1) / (rules.explosionGrowth - 1), 0), 1)
    }
    private mutating func rates(
        _ census: borrowing CardinalityCensus,
        at now: Duration
    ) -> [Observation.Reading] {
        defer { last = (now, census.born, census.died) }
        guard let last, now > last.at else { return [] }
        let seconds = (now - last.at).inSeconds
        let (born, died) = (Double(census.born - last.born), Double(census.died - last.died))
        return [
            .init("phoenix_cardinality_growth_rate", (born - died) / seconds),
            .init("phoenix_cardinality_churn_ratio", (born + died) / Double(max(1, census.count))),
        ]
    }

    /// Processes with too many series, or whose series multiplied; the largest first.
    private func highRisk(_ census: borrowing CardinalityCensus) -> [(name: String, count: Int)] {
        let risky = census.processes.all.filter { process in
            if process.count >= rules.highRiskSeries { return true }
            guard let older, process.count > rules.highRiskLeast else { return false }
            let base = max(older.processes[process.name] ?? 0, rules.highRiskLeast)
            return Double(process.count) >= rules.highRiskGrowth * Double(base)
        }
        return risky.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
    /// The metric that gained the most series, and the label that gained the most values.
    private func topGrowth(
        _ metrics: [(name: String, count: Int)],
        _ labels: [(key: String, value: Double)]
    )
        -> (metric: String, label: String, series: Int)?
    {
        guard let older else { return nil }
        let metric = metrics.map { ($0.name, $0.count - (older.metrics[$0.name] ?? 0)) }.max { $0.1 < $1.1 }
        let label = labels.map { ($0.key, $0.value - (older.labels[$0.key] ?? 0)) }.max { $0.1 < $1.1 }
        guard let metric, metric.1 > 0 else { return nil }
        return (metric.0, label.map { $0.1 > 0 ? $0.0 : "" } ?? "", metric.1)
    }
    private mutating func turn(
        _ census: borrowing CardinalityCensus,
        _ metrics: [(name: String, count: Int)],
        _ labels: [(key: String, value: Double)],
        at now: Duration
    ) {
        guard now >= turnAt, census.count > 0 else { return }
        turnAt = now + rules.window
        older = newer
        var snapshot = Snapshot()
        for metric in metrics { snapshot.metrics[metric.name] = metric.count }
        for label in labels { snapshot.labels[label.key] = label.value }
        for process in census.processes.all where process.count >= rules.highRiskLeast {
            snapshot.processes[process.name] = process.count
        }
        newer = snapshot
    }
}
