import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// What a `prometheus` exporter shows: its store, and beside it what it says of itself and of its controller.
///
/// Read by scrapes on event loops while the node writes: hence the lock.
final class PrometheusFace: Sendable {
    private struct State {
        var store: ExpositionStore
        /// What scrapes are shown in place of the store, while that takes over from it.
        var shown: ExpositionStore?
        var change: ModeChange?
        var latency = LatencyWindow()
    }
    private static let quantiles = [0.5, 0.95, 0.99]
    private let state: Lock<State>
    private let time: any TimeSource
    private let namespace: String
    private let activeSeriesMetric: String
    private let pipeline: String

    init(_ config: Prometheus.Config, _ store: ExpositionStore, _ context: NodeContext) {
        state = Lock(State(store: store))
        time = context.time
        (namespace, activeSeriesMetric) = (config.namespace, config.activeSeriesMetric)
        pipeline = config.pipeline.isEmpty ? context.id : config.pipeline
    }
    var store: ExpositionStore { state.withLock { $0.store } }
    /// - Parameter other: what scrapes see until `settle`: the store that this one takes over from.
    func inherit(_ store: ExpositionStore, showing other: ExpositionStore? = nil) {
        state.withLock { ($0.store, $0.shown) = (store, other) }
    }
    /// The store has everything now.
    func settle() { state.withLock { $0.shown = nil } }
    /// A batch is exposed now.
    func note(_ batch: MetricBatch) {
        guard batch.receivedAt != 0 else { return }
        let now = time.monotonic
        let latency = now - .nanoseconds(Int64(clamping: batch.receivedAt))
        state.withLock { $0.latency.note(latency, points: batch.count, at: now) }
    }
    /// Seconds from receipt to exposition, by quantile; empty where nothing came of late.
    private var latencies: [(quantile: Double, seconds: Double)] {
        let now = time.monotonic
        let seconds = state.withLock { $0.latency.quantiles(Self.quantiles, at: now) }
        return seconds.map { Array(zip(Self.quantiles, $0)) } ?? []
    }
    func follow(_ change: ModeChange) { state.withLock { $0.change = change } }

    /// Names that the series of the pipeline may not take.
    static func reservedNames(_ config: Prometheus.Config) -> Set<String> {
        var names: Set<String> = ["phoenix_control", "phoenix_control_info"]
        if config.targetInfo { names.formUnion(["target", "target_info"]) }
        let own = ownNames.map { prefixed($0, config.namespace) }
        for name in own + activeNames(config.activeSeriesMetric, config.namespace) {
            names.insert(name)
            if name.hasSuffix("_total") { names.insert(String(name.dropLast(6))) }
        }
        return names
    }
    private static let ownNames = [
        "phoenix_exposed_series", "phoenix_received_points_total", "phoenix_dropped_points_total",
        "phoenix_colliding_series_total", KPIBoard.latencyByEndpoint,
    ]
    private static func prefixed(_ name: String, _ namespace: String) -> String {
        namespace.isEmpty ? name : "\(namespace)_\(name)"
    }
    /// The configured name as it is, and under the namespace.
    private static func activeNames(_ name: String, _ namespace: String) -> [String] {
        guard !name.isEmpty else { return [] }
        return namespace.isEmpty ? [name] : [name, prefixed(name, namespace)]
    }

    /// What a scrape gets now.
    var contents: ExpositionHandler.Contents {
        let (store, change, isBorrowed) = state.withLock {
            ($0.shown ?? $0.store, $0.change, $0.shown != nil)
        }
        var own = families(store, change)
        // Names of another configuration may be those of series there.
        if isBorrowed { own.removeAll { store.claims($0.name) } }
        return ExpositionHandler.Contents(
            own,
            store,
            showsSeries: change?.exposure[pipeline] ?? true,
            now: time.monotonic
        )
    }
    private func families(_ store: ExpositionStore, _ change: ModeChange?) -> [PlainFamily] {
        let (counts, active) = (store.counts, Double(store.activeSeries))
        func own(_ name: String) -> String { Self.prefixed(name, namespace) }
        var families = [
            PlainFamily(own("phoenix_exposed_series"), "Series exposed by this endpoint.", .gauge, active),
            PlainFamily(
                own("phoenix_received_points_total"),
                "Points that reached this endpoint.",
                .counter,
                Double(counts.received)
            ),
            PlainFamily(
                own("phoenix_dropped_points_total"),
                "Points that this endpoint dropped, by reason.",
                .counter,
                ExpositionDrop.allCases.map {
                    .init(Double(counts[$0]), [ExposedLabel("reason", $0.label)])
                }
            ),
            PlainFamily(
                own("phoenix_colliding_series_total"),
                "Series that had to share their exposed label set with another one.",
                .counter,
                Double(counts.collisions)
            ),
        ]
        let latencies = latencies.map {
            PlainFamily.Sample($0.seconds, [ExposedLabel("share", String($0.quantile))])
        }
        if !latencies.isEmpty {
            let name = own(KPIBoard.latencyByEndpoint)
            families.append(PlainFamily(name, "From receipt to exposition.", .gauge, latencies))
        }
        for name in Self.activeNames(activeSeriesMetric, namespace) {
            families.append(PlainFamily(name, "Series exposed by this endpoint.", .gauge, active))
        }
        if let change {
            let labels = [
                ExposedLabel("mode", change.mode.rawValue),
                ExposedLabel("correlation_id", change.correlationID),
                ExposedLabel("config_version", String(change.version)),
            ]
            families.append(
                PlainFamily(
                    "phoenix_control_info",
                    "The operating point that the controller asks for.",
                    .info,
                    [.init(1, labels)]
                )
            )
        }
        return families
    }

    /// What the node observes of itself.
    var readings: [Observation.Reading] {
        let store = store
        let (counts, pipeline) = (store.counts, ["pipeline": pipeline])
        var readings = [
            Observation.Reading("phoenix_exposed_series", Double(store.activeSeries), pipeline),
            Observation.Reading("phoenix_received_points_total", Double(counts.received), pipeline),
        ]
        for latency in latencies {
            let labels = pipeline.merging(["share": String(latency.quantile)]) { first, _ in first }
            readings.append(Observation.Reading(KPIBoard.latencyByEndpoint, latency.seconds, labels))
        }
        for reason in ExpositionDrop.allCases where counts[reason] > 0 {
            let labels = pipeline.merging(["reason": reason.label]) { first, _ in first }
            readings.append(
                Observation.Reading("phoenix_dropped_points_total", Double(counts[reason]), labels)
            )
        }
        return readings
    }
}
