import PhoenixModel
import PhoenixRuntime

/// What all observers and endpoints say of the pipelines, put together: readings in, one report out.
///
/// Of several sources the largest value counts: of two that see different parts, the cautious answer. What was not repeated
/// for `staleAfter` is nobody's word any more, so that a controller that hears nothing new is told nothing.
struct KPIBoard {
    static let exposedByEndpoint = "phoenix_exposed_series"
    static let received = "phoenix_received_points_total"
    static let dropped = "phoenix_dropped_points_total"
    static let latency = "phoenix_pipeline_latency_seconds"
    /// Another name than `latency`: an endpoint that exposes this board's metrics has a figure of its own beside them.
    static let latencyByEndpoint = "phoenix_exposed_latency_seconds"
    static let cpuSeconds = "process_cpu_seconds_total"
    static let residentBytes = "process_resident_memory_bytes"
    static let explosionCount = "phoenix_cardinality_explosion_alert_count"
    static let cost = "phoenix_current_hourly_cost_usd"
    static let estimate = "phoenix_pipeline_output_cardinality_estimate"
    /// The label that dashboards of the old system look at, with its spelling.
    static let oldLabels = [
        PipelineName.full: "full_fidelity", PipelineName.optimized: "optimised",
        PipelineName.experimental: "experimental",
    ]
    /// What the board calls that which endpoints say of themselves.
    private static let names = [exposedByEndpoint: KPIName.exposed, latencyByEndpoint: latency]
    private static let maximumReadings = 10_000

    struct Key: Hashable {
        var name: String
        var labels: [String: String]
    }
    private struct Said {
        var value: Double
        var at: Duration
    }
    /// CPU and memory of the process that is observed.
    struct Figures: Equatable {
        var cpuSeconds: Double?
        var residentBytes: Double?
    }
    struct Rules: Equatable {
        var staleAfter = Duration.seconds(60)
        var dollarsPerThousandSeriesHours = 0.05
        var memoryLimitBytes = 512.0 * 1024 * 1024
        var cores = 1
    }
    var rules: Rules
    private var said: [String: [Key: Said]] = [:]
    private var alerts: [String: (alerts: [Observation.Alert], at: Duration)] = [:]
    private var lastCPU: (seconds: Double, at: Duration)?
    private var utilization: Double?

    init(_ rules: Rules) { self.rules = rules }

    /// A whole snapshot of one observer: it replaces the one before.
    mutating func take(_ observation: Observation, at now: Duration) {
        guard said[observation.source] != nil || said.count < 256 else { return }
        var readings: [Key: Said] = [:]
        for reading in observation.readings.prefix(Self.maximumReadings) where reading.value.isFinite {
            readings[Self.key(reading)] = Said(value: reading.value, at: now)
        }
        said[observation.source] = readings
        alerts[observation.source] = observation.alerts.isEmpty ? nil : (observation.alerts, now)
    }
    /// One scraped reading; `isOver` where its series ended.
    mutating func take(_ reading: Observation.Reading, isOver: Bool, at now: Duration) {
        let key = Self.key(reading)
        guard !isOver, reading.value.isFinite else {
            said["scraped", default: [:]][key] = nil
            return
        }
        guard said["scraped"]?[key] != nil || said["scraped", default: [:]].count < Self.maximumReadings
        else { return }
        said["scraped", default: [:]][key] = Said(value: reading.value, at: now)
    }
    private static func key(_ reading: Observation.Reading) -> Key {
        var labels: [String: String] = [:]
        for label in [KPIName.pipelineLabel, KPIName.modeLabel, "share", "reason"] {
            labels[label] = reading.attributes[label]
        }
        return Key(name: names[reading.name] ?? reading.name, labels: labels)
    }

    /// What is known at `now`; empty where nobody said anything of late. `own` are this process's figures, where it is the
    /// one that is observed.
    mutating func report(
        at now: Duration,
        own: Figures?
    ) -> (readings: [Observation.Reading], alerts: [Observation.Alert]) {
        forget(at: now)
        var known: [Key: Double] = [:]
        for readings in said.values {
            for (key, said) in readings { known[key] = max(known[key] ?? -.infinity, said.value) }
        }
        let alerts = Dictionary(
            self.alerts.values.flatMap(\.alerts).map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        ).values.sorted { $0.name < $1.name }
        guard !known.isEmpty || !alerts.isEmpty else { return ([], []) }
        return (readings(known, alerts, at: now, own), alerts)
    }
    private mutating func forget(at now: Duration) {
        let oldest = now - rules.staleAfter
        said = said.mapValues { $0.filter { $0.value.at >= oldest } }.filter { !$0.value.isEmpty }
        alerts = alerts.filter { $0.value.at >= oldest }
    }

    private mutating func readings(
        _ known: [Key: Double],
        _ alerts: [Observation.Alert],
        at now: Duration,
        _ own: Figures?
    ) -> [Observation.Reading] {
        var result: [Observation.Reading] = []
        func add(_ name: String, _ value: Double, _ labels: [String: String] = [:]) {
            result.append(Observation.Reading(name, value, labels))
        }
        var drops: [String: Double] = [:]
        for (key, value) in known {
            switch key.name {
            case KPIName.admitted, KPIName.wouldAdmit, KPIName.exposed, KPIName.intake, KPIName.intakeGrowth,
                KPIName.highRisk, Self.latency:
                add(key.name, value, key.labels)
            case Self.received: add("phoenix_pipeline_received_points_total", value, key.labels)
            case Self.dropped: drops[key.labels[KPIName.pipelineLabel] ?? "", default: 0] += value
            default: break
            }
        }
        for (pipeline, count) in drops {
            add("phoenix_pipeline_dropped_points_total", count, [KPIName.pipelineLabel: pipeline])
        }
        for pipeline in Set(known.keys.compactMap { $0.labels[KPIName.pipelineLabel] }) {
            let labels = [KPIName.pipelineLabel: pipeline]
            let exposed = known[Key(name: KPIName.exposed, labels: labels)]
            guard let series = exposed ?? known[Key(name: KPIName.admitted, labels: labels)] else { continue }
            let both = labels.merging(["phoenix_pipeline_label": Self.oldLabels[pipeline] ?? pipeline]) { $1 }
            add(Self.estimate, series, both)
            add(Self.cost, series / 1000 * rules.dollarsPerThousandSeriesHours, labels)
        }
        let raised = alerts.filter { $0.name == KPIName.explosionAlert }.count
        add(Self.explosionCount, max(Double(raised), known[Key(name: Self.explosionCount, labels: [:])] ?? 0))
        addProcess(known, at: now, own, &result)
        return result.sorted {
            ($0.name, "\($0.attributes.sorted { $0.key < $1.key })") < (
                $1.name, "\($1.attributes.sorted { $0.key < $1.key })"
            )
        }
    }

    private mutating func addProcess(
        _ known: [Key: Double],
        at now: Duration,
        _ own: Figures?,
        _ result: inout [Observation.Reading]
    ) {
        func scraped(_ name: String) -> Double? { known[Key(name: name, labels: [:])] }
        if let seconds = own?.cpuSeconds ?? scraped(Self.cpuSeconds) {
            if let last = lastCPU, now > last.at, seconds >= last.seconds {
                utilization =
                    (seconds - last.seconds) / (now - last.at).inSeconds / Double(max(1, rules.cores))
            }
            lastCPU = (seconds, now)
            if let utilization { result.append(.init(KPIName.cpuUtilization, min(max(utilization, 0), 1))) }
        } else if let value = scraped(KPIName.cpuUtilization) {
            result.append(.init(KPIName.cpuUtilization, value))
        }
        if let bytes = own?.residentBytes ?? scraped(Self.residentBytes) {
            result.append(.init("phoenix_memory_resident_bytes", bytes))
            if rules.memoryLimitBytes > 0 {
                result.append(.init(KPIName.memoryUtilization, min(bytes / rules.memoryLimitBytes, 1)))
            }
        } else if let value = scraped(KPIName.memoryUtilization) {
            result.append(.init(KPIName.memoryUtilization, value))
        }
    }
}
