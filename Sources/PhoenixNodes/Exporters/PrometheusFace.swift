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
    private let names: Names
    private let pipeline: String

    init(_ config: Prometheus.Config, _ store: ExpositionStore, _ context: NodeContext) {
        state = Lock(State(store: store))
        time = context.time
        names = Names(config)
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

    /// What the endpoint's own families are called: in the legacy alphabet, under the namespace as the names of series are.
    struct Names: Sendable {
        private static let own = [
            "phoenix_exposed_series", "phoenix_received_points_total", "phoenix_dropped_points_total",
            "phoenix_colliding_series_total", KPIBoard.latencyByEndpoint,
        ]
        private let namespace: String
        private let strategy: TranslationStrategy
        private let hasTargetInfo: Bool
        /// The name that the settings give to the number of series, by itself and under the namespace; empty without one.
        let active: [String]

        init(_ config: Prometheus.Config) {
            (namespace, hasTargetInfo) = (config.namespace, config.targetInfo)
            let strategy = config.translationStrategy.translation
            let names = ["", config.namespace].compactMap {
                strategy.plainName(config.activeSeriesMetric, under: $0)
            }
            active = names.first == names.last ? Array(names.prefix(1)) : names
            self.strategy = strategy
        }
        subscript(name: String) -> String { strategy.plainName(name, under: namespace) ?? name }
        /// Those that every endpoint with such settings has, whatever it calls the number of its series.
        var fixed: Set<String> {
            var names: Set<String> = ["phoenix_control", "phoenix_control_info"]
            if hasTargetInfo { names.formUnion(["target", "target_info"]) }
            return names.union(Self.taken(Self.own.map { self[$0] }))
        }
        /// Names that the series of the pipeline may not take.
        var reserved: Set<String> { fixed.union(Self.taken(active)) }
        /// The names, and those of their families.
        private static func taken(_ names: [String]) -> Set<String> {
            Set(names).union(names.filter { $0.hasSuffix("_total") }.map { String($0.dropLast(6)) })
        }
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
        var families = [
            PlainFamily(names["phoenix_exposed_series"], "Series exposed by this endpoint.", .gauge, active),
            PlainFamily(
                names["phoenix_received_points_total"],
                "Points that reached this endpoint.",
                .counter,
                Double(counts.received)
            ),
            PlainFamily(
                names["phoenix_dropped_points_total"],
                "Points that this endpoint dropped, by reason.",
                .counter,
                ExpositionDrop.allCases.map {
                    .init(Double(counts[$0]), [ExposedLabel("reason", $0.label)])
                }
            ),
            PlainFamily(
                names["phoenix_colliding_series_total"],
                "Series that had to share their exposed label set with another one.",
                .counter,
                Double(counts.collisions)
            ),
        ]
        let latencies = latencies.map {
            PlainFamily.Sample($0.seconds, [ExposedLabel("share", String($0.quantile))])
        }
        if !latencies.isEmpty {
            let name = names[KPIBoard.latencyByEndpoint]
            families.append(PlainFamily(name, "From receipt to exposition.", .gauge, latencies))
        }
        for name in names.active {
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
