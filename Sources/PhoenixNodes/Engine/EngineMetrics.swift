import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// What the engine says of itself on its `/metrics`: nodes, queues, series, memory, the process.
struct EngineMetrics: Sendable {
    let services: EngineServices
    let server: HTTPServer
    let failures: ConnectionFailures
    let keeper: StateKeeper?
    /// Nil where the log does not say.
    let droppedLogLines: (@Sendable () -> Int)?

    func families(_ readiness: Readiness, _ reloads: ReloadLedger) -> [PlainFamily] {
        let own = vitals + table + Self.changes(reloads) + about(readiness)
        return own + ProcessFigures.current.families + failures.families + (keeper?.families ?? []) + log
    }

    private var vitals: [PlainFamily] {
        services.vitals.snapshot().families.map { family in
            // A node made anew under its old name may show a port twice; a scrape must not.
            var sums: [[ExposedLabel]: Double] = [:]
            for sample in family.samples {
                let labels = sample.labels.map { ExposedLabel($0.key, $0.value) }.sorted()
                sums[labels, default: 0] += sample.value
            }
            let samples = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { labels, value in
                PlainFamily.Sample(value, labels)
            }
            return PlainFamily(family.name, family.help, family.kind == .counter ? .counter : .gauge, samples)
        }
    }

    private var table: [PlainFamily] {
        let census = services.series.census
        return [
            PlainFamily(
                "phoenix_series_active",
                "Series that the engine knows.",
                .gauge,
                Double(census.series)
            ),
            PlainFamily(
                "phoenix_series_attribute_sets",
                "Distinct sets of attributes.",
                .gauge,
                Double(census.attributeSets)
            ),
            PlainFamily("phoenix_series_metrics", "Distinct metrics.", .gauge, Double(census.metrics)),
            PlainFamily(
                "phoenix_series_retired_total",
                "Series forgotten because they were silent.",
                .counter,
                Double(census.retired)
            ),
            PlainFamily(
                "phoenix_series_refused_total",
                "Series refused because the table was full.",
                .counter,
                Double(census.refused)
            ),
        ]
    }

    private var log: [PlainFamily] {
        guard let droppedLogLines else { return [] }
        return [
            PlainFamily(
                "phoenix_log_lines_dropped_total",
                "Log lines dropped, since nobody read the log or it could not be written.",
                .counter,
                Double(droppedLogLines())
            )
        ]
    }

    private static func changes(_ reloads: ReloadLedger) -> [PlainFamily] {
        let outcomes = ReloadRecord.Outcome.allCases.filter { $0 != .probation }.map { outcome in
            PlainFamily.Sample(
                Double(reloads.counts[outcome] ?? 0),
                [ExposedLabel("outcome", outcome.rawValue)]
            )
        }
        return [
            PlainFamily(
                "phoenix_graph_generation",
                "Which graph runs: 1 is the one that it started with.",
                .gauge,
                Double(reloads.generation)
            ),
            PlainFamily("phoenix_reloads_total", "Changes of the graph, by outcome.", .counter, outcomes),
            PlainFamily(
                "phoenix_reload_seconds_total",
                "Time that changes of the graph took, their probation included.",
                .counter,
                reloads.seconds
            ),
            PlainFamily(
                "phoenix_reload_last_seconds",
                "Time that the last change of the graph took; a refused one and one that changes nothing do not count.",
                .gauge,
                reloads.lastDuration.inSeconds
            ),
            PlainFamily(
                "phoenix_reload_state_bytes_total",
                "Memory of nodes that was handed to heirs.",
                .counter,
                Double(reloads.stateBytes)
            ),
            PlainFamily(
                "phoenix_reload_undone_points_total",
                "Points that new nodes had taken in when their change was undone and could not give back.",
                .counter,
                Double(reloads.pointsUndone)
            ),
        ]
    }

    private func about(_ readiness: Readiness) -> [PlainFamily] {
        let info = services.engine
        let start = Double(info.startUnixNano) / 1e9
        let labels = [
            ExposedLabel("version", info.version), ExposedLabel("graph", info.graph),
            ExposedLabel("instance_name", info.instance),
        ]
        return [
            PlainFamily("phoenix_build_info", "What runs here.", .gauge, [.init(1, labels)]),
            PlainFamily("process_start_time_seconds", "When the engine started, since 1970.", .gauge, start),
            PlainFamily(
                "phoenix_uptime_seconds",
                "How long the engine runs.",
                .gauge,
                max(0, Double(services.time.unixNanoseconds) / 1e9 - start)
            ),
            PlainFamily(
                "phoenix_engine_ready",
                "Whether every node does its work.",
                .gauge,
                readiness.isReady ? 1 : 0
            ),
            PlainFamily(
                "phoenix_http_connections",
                "Connections open now, on all addresses.",
                .gauge,
                Double(server.connectionCount)
            ),
        ]
    }
}
