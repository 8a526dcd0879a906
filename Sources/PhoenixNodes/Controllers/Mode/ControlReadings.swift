import PhoenixModel

/// Everything that a `mode` controller reads and decides, as numbers: the same on its edges and on its metrics.
enum ControlReadings {
    static let transitions = "phoenix_control_mode_transitions_total"
    static let pipelineSeries = "phoenix_control_pipeline_series"
    static let threshold = "phoenix_control_threshold_series"

    static func readings(_ status: ControlStatus) -> [Observation.Reading] {
        state(status) + terms(status) + kpis(status)
    }

    private static func state(_ status: ControlStatus) -> [Observation.Reading] {
        var readings = Mode.allCases.map {
            Observation.Reading(
                "phoenix_control_optimization_mode",
                status.mode == $0 ? 1 : 0,
                [KPIName.modeLabel: $0.rawValue]
            )
        }
        func add(_ name: String, _ value: Double, _ labels: [String: String] = [:]) {
            readings.append(.init(name, value, labels))
        }
        add(transitions, Double(status.transitionCount))
        add("phoenix_control_loop_interval_seconds", status.interval.inSeconds)
        add("phoenix_control_config_version", Double(status.version))
        add("phoenix_control_stability_score", status.stabilityScore)
        add("phoenix_control_safe_mode", status.isSafeMode ? 1 : 0)
        add("phoenix_control_override", status.override == nil ? 0 : 1)
        for kind in ["EMERGENCY", "HIGH_RISK"] {
            add("phoenix_control_forced", status.forced == kind ? 1 : 0, ["kind": kind.lowercased()])
        }
        add(threshold, status.thresholds.target, ["threshold": "target"])
        add(
            threshold,
            status.thresholds.conservativeMaximum,
            ["threshold": "conservative_max"]
        )
        add(
            threshold,
            status.thresholds.aggressiveMinimum,
            ["threshold": "aggressive_min"]
        )
        return readings
    }

    private static func terms(_ status: ControlStatus) -> [Observation.Reading] {
        let terms = status.terms
        return [
            .init("phoenix_control_error_series", terms.lastError),
            .init("phoenix_control_integral_error", terms.integral),
            .init("phoenix_control_derivative_error", terms.derivative),
            .init("phoenix_control_output_series", terms.output),
        ]
    }

    /// What it heard, under names of its own: the observers' are theirs.
    private static func kpis(_ status: ControlStatus) -> [Observation.Reading] {
        let kpis = status.kpis
        let values: [(String, Double?, [String: String])] = [
            (pipelineSeries, kpis.fullSeries, [KPIName.pipelineLabel: PipelineName.full]),
            (
                pipelineSeries, kpis.optimizedSeries,
                [KPIName.pipelineLabel: PipelineName.optimized]
            ),
            (
                pipelineSeries, kpis.experimentalSeries,
                [KPIName.pipelineLabel: PipelineName.experimental]
            ),
            ("phoenix_control_intake_series", kpis.intakeSeries, [:]),
            ("phoenix_control_intake_growth_ratio", kpis.intakeGrowth, [:]),
            ("phoenix_control_high_risk_processes", kpis.highRiskProcesses, [:]),
            ("phoenix_control_cost_reduction_ratio", kpis.costReductionRatio, [:]),
        ]
        let forecasts = status.forecasts.sorted { $0.key < $1.key }.map {
            Observation.Reading(
                "phoenix_control_forecast_series",
                $0.value,
                [KPIName.modeLabel: $0.key.rawValue]
            )
        }
        return values.compactMap { name, value, labels in value.map { .init(name, $0, labels) } } + forecasts
    }
}

/// Readings as points of series, each named once.
struct ReadingSeries {
    private struct Key: Hashable {
        var name: String
        var labels: [String: String]
    }
    private let table: SeriesTable
    private let lane: SeriesLane
    private let resource: AttributeSet
    private let scope: Scope
    private var known: [Key: SeriesID] = [:]

    init(_ table: SeriesTable, lane: String, scope: String) {
        self.table = table
        self.lane = table.lane(lane)
        resource = table.intern([Attribute("service.name", "phoenix")])
        self.scope = Scope(name: scope)
    }

    /// A batch of them; a reading whose name ends in `_total` is a sum that began at `start`.
    mutating func batch(_ readings: [Observation.Reading], start: UInt64, now: UInt64) -> MetricBatch {
        var parts = MetricBatch.Parts()
        for reading in readings {
            guard let id = series(reading) else { continue }
            parts.numbers.append(
                id,
                time: now,
                start: reading.name.hasSuffix("_total") ? start : 0,
                bits: reading.value.bitPattern,
                flags: []
            )
        }
        return MetricBatch(parts, epoch: 0)
    }

    private mutating func series(_ reading: Observation.Reading) -> SeriesID? {
        let key = Key(name: reading.name, labels: reading.attributes)
        if let id = known[key], table.touch(id) { return id }
        let isCounter = reading.name.hasSuffix("_total")
        let identity =
            isCounter
            ? MetricIdentity(
                scope: scope,
                name: reading.name,
                unit: "",
                kind: .sum,
                temporality: .cumulative,
                isMonotonic: true
            ) : MetricIdentity(scope: scope, name: reading.name, unit: "", kind: .gauge)
        let attributes = reading.attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
        let id = table.id(
            resource: resource,
            metric: table.metric(identity, description: ""),
            attributes: table.intern(attributes),
            lane: lane
        )
        known[key] = id
        return id
    }
}
