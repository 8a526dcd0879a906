public import PhoenixGraph
public import PhoenixRuntime

/// The graph of a running engine is changed.
extension Engine {
    /// Reads the graph anew from where it came, and changes to it.
    ///
    /// Throws `GraphRefusal` with the places of what is wrong, `ReloadError` where this is not the time, `ReloadFailure`
    /// when the change failed; the graph that ran serves on in every case, and all but the second is counted.
    public func reload(origin: String, settled: Bool = false) async throws -> Supervisor.ReloadReport {
        let read = self.origin.read
        return try await reload(to: read, origin: origin, settled: settled)
    }

    /// The same with a graph that was sent. The reading is not waited for once the task is cancelled.
    public func reload(
        to read: @escaping @Sendable () throws(GraphRefusal) -> LoadedGraph,
        origin: String,
        settled: Bool = false
    ) async throws -> Supervisor.ReloadReport {
        do {
            let report = try await change(to: read, origin: origin, settled: settled)
            services.logger.notice(
                "the graph was read anew",
                metadata: [
                    "origin": "\(origin)", "outcome": "\(report.record.outcome.rawValue)",
                    "generation": "\(report.record.generation)", "plan": "\(report.plan.text)",
                ]
            )
            await regainAddresses()
            return report
        } catch ReloadError.busy {
            throw ReloadError.busy
        } catch is CancellationError {
            // Whoever asked is told to end: no graph was refused.
            throw CancellationError()
        } catch {
            services.logger.error("the graph was not taken over: \(error)", metadata: ["origin": "\(origin)"])
            throw error
        }
    }
    private func change(
        to read: @escaping @Sendable () throws(GraphRefusal) -> LoadedGraph,
        origin: String,
        settled: Bool
    ) async throws -> Supervisor.ReloadReport {
        do {
            return try await withTaskExecutorPreference(commands) {
                await supervisor.started()
                let graph = try await checked(GraphReading.run(read))
                return try await supervisor.reload(
                    to: graph,
                    origin: origin,
                    limits: limits(of: graph),
                    settled: settled
                )
            }
        } catch let refusal as GraphRefusal {
            let first = refusal.diagnostics.first.map(\.description) ?? "it was refused"
            await supervisor.noteRefusal(origin: origin, message: first)
            throw refusal
        }
    }

    /// What a change to a graph would do; nothing is touched and nothing counted.
    public func plan(_ read: @escaping @Sendable () throws(GraphRefusal) -> LoadedGraph) async throws -> Plan
    {
        let graph = try await checked(GraphReading.run(read))
        return Plan(from: await supervisor.runningGraph, to: graph, catalog)
    }

    /// A graph that this engine can run without a restart.
    private func checked(_ loaded: LoadedGraph) async throws -> Graph {
        try Self.checked(loaded, against: await supervisor.runningGraph)
    }
    /// A graph as it is to be planned for an engine that runs another one: a section outside the nodes that says the same
    /// in other words has the words of the running one, since a plan compares those as they are written.
    ///
    /// Throws with each place where it asks for what a running engine cannot change.
    public static func checked(
        _ loaded: LoadedGraph,
        against running: Graph
    ) throws(GraphRefusal) -> Graph {
        let names = Set(running.settings.keys).union(loaded.graph.settings.keys)
        // For what is not in the file any more.
        let start = Mark(file: loaded.files.first ?? "the graph", line: 1, column: 1)
        let diagnostics = names.sorted().flatMap { name -> [Diagnostic] in
            let (old, new) = (running.settings[name], loaded.graph.settings[name])
            return switch name {
            case "engine": fixedSettings(old, new, start)
            case "memory_limiter": fixedSection(name, MemoryLimiterSettings.self, old, new, start)
            case "state": fixedSection(name, StateSettings.self, old, new, start)
            default: old == new ? [] : [fixed("`\(name)`", at: new?.mark ?? start)]
            }
        }
        guard diagnostics.isEmpty else {
            throw GraphRefusal(diagnostics, files: loaded.files, sources: loaded.sources)
        }
        var graph = loaded.graph
        // Of the others nothing may change, so nothing did.
        let isSameEngine = Self.settings(of: running) == Self.settings(of: graph)
        for name in names where name != "engine" || isSameEngine {
            let (old, new) = (running.settings[name], graph.settings[name])
            if old != new { graph.settings[name] = old }
        }
        return graph
    }
    /// A section that cannot change at all: what is only written otherwise is no change.
    private static func fixedSection<Config: NodeConfig>(
        _ name: String,
        _: Config.Type,
        _ old: ConfigTree?,
        _ new: ConfigTree?,
        _ start: Mark
    ) -> [Diagnostic] {
        var report = Report()
        let mark = new?.mark ?? start
        guard let (before, after) = decoded(Config.self, old, new, mark, &report) else {
            return report.diagnostics
        }
        return before == after ? [] : [fixed("`\(name)`", at: mark)]
    }
    private static func fixedSettings(_ old: ConfigTree?, _ new: ConfigTree?, _ start: Mark) -> [Diagnostic] {
        var report = Report()
        let mark = new?.mark ?? start
        guard let (before, after) = decoded(EngineSettings.self, old, new, mark, &report) else {
            return report.diagnostics
        }
        return EngineSettings.fields.filter { !$0.isLive && !$0.isEqual(before, after) }.map { field in
            let entry = new?.entries.first { $0.key == field.name }
            return fixed("`engine.\(field.name)`", at: entry?.keyMark ?? mark)
        }
    }
    /// The settings of before and after; the defaults for a section that is not written.
    private static func decoded<Config: NodeConfig>(
        _: Config.Type,
        _ old: ConfigTree?,
        _ new: ConfigTree?,
        _ mark: Mark,
        _ report: inout Report
    ) -> (before: Config, after: Config)? {
        guard let before = old.map({ Config.decode($0, at: mark, &report) }) ?? Config(),
            let after = new.map({ Config.decode($0, at: mark, &report) }) ?? Config()
        else { return nil }
        return (before, after)
    }
    private static func fixed(_ what: String, at mark: Mark) -> Diagnostic {
        Diagnostic(
            at: mark,
            "\(what) cannot change while the engine runs",
            mend: "write it as it was, or restart the process"
        )
    }

    /// Puts back the files of unix sockets that were taken away: a reload is what an operator asks for who finds one gone.
    private func regainAddresses() async {
        for error in await servers.regain() {
            services.logger.error("an address cannot be had again: \(error)")
        }
    }

    private func limits(of graph: Graph) -> ReloadLimits {
        let settings = Self.settings(of: graph)
        return ReloadLimits(handOver: settings.handOverTimeout, probation: settings.probation)
    }
    private static func settings(of graph: Graph) -> EngineSettings {
        var report = Report()
        let settings = graph.settings["engine"].flatMap { EngineSettings.decode($0, at: $0.mark, &report) }
        return settings ?? EngineSettings()
    }
    /// How long a drain may take, by the graph that runs now.
    public var drainTimeout: Duration {
        get async { Self.settings(of: await supervisor.runningGraph).drainTimeout }
    }
}
