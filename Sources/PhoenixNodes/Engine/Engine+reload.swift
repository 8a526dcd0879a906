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

    /// The same with a graph that was sent.
    public func reload(
        to read: () throws(GraphRefusal) -> LoadedGraph,
        origin: String,
        settled: Bool = false
    ) async throws -> Supervisor.ReloadReport {
        do {
            return try await withTaskExecutorPreference(commands) {
                let graph = try await checked(read())
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
    public func plan(_ read: () throws(GraphRefusal) -> LoadedGraph) async throws -> Plan {
        let graph = try await checked(read())
        return Plan(from: await supervisor.runningGraph, to: graph, catalog)
    }

    /// A graph that this engine can run without a restart.
    private func checked(_ loaded: LoadedGraph) async throws -> Graph {
        let running = await supervisor.runningGraph
        let names = Set(running.settings.keys).union(loaded.graph.settings.keys)
        // For what is not in the file any more.
        let start = Mark(file: loaded.files.first ?? origin.path, line: 1, column: 1)
        let diagnostics = names.sorted().flatMap { name in
            name == "engine"
                ? Self.fixedSettings(running.settings[name], loaded.graph.settings[name], start)
                : Self.fixedSection(name, running.settings[name], loaded.graph.settings[name], start)
        }
        guard diagnostics.isEmpty else {
            throw GraphRefusal(diagnostics, files: loaded.files, sources: loaded.sources)
        }
        return loaded.graph
    }
    private static func fixedSection(
        _ name: String,
        _ old: ConfigTree?,
        _ new: ConfigTree?,
        _ start: Mark
    ) -> [Diagnostic] {
        guard old != new else { return [] }
        return [fixed("`\(name)`", at: new?.mark ?? start)]
    }
    private static func fixedSettings(_ old: ConfigTree?, _ new: ConfigTree?, _ start: Mark) -> [Diagnostic] {
        var report = Report()
        let mark = new?.mark ?? start
        guard let before = old.map({ EngineSettings.decode($0, at: mark, &report) }) ?? EngineSettings(),
            let after = new.map({ EngineSettings.decode($0, at: mark, &report) }) ?? EngineSettings()
        else { return report.diagnostics }
        return EngineSettings.fields.filter { !$0.isLive && !$0.isEqual(before, after) }.map { field in
            let entry = new?.entries.first { $0.key == field.name }
            return fixed("`engine.\(field.name)`", at: entry?.keyMark ?? mark)
        }
    }
    private static func fixed(_ what: String, at mark: Mark) -> Diagnostic {
        Diagnostic(
            at: mark,
            "\(what) cannot change while the engine runs",
            mend: "write it as it was, or restart the process"
        )
    }

    private func limits(of graph: Graph) -> ReloadLimits {
        var report = Report()
        let settings = graph.settings["engine"].flatMap { EngineSettings.decode($0, at: $0.mark, &report) }
        let limits = settings ?? EngineSettings()
        return ReloadLimits(handOver: limits.handOverTimeout, probation: limits.probation)
    }
}
