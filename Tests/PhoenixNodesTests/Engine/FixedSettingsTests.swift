import PhoenixGraph
import PhoenixRuntime
import Testing

@testable import PhoenixNodes

/// What cannot change while the engine runs, and what is only written otherwise.
@Suite struct FixedSettingsTests {
    private static func loaded(_ sections: String) throws -> LoadedGraph {
        let text = """
            graph: x
            version: 1
            receivers: {synthetic: {}}
            exporters: {debug: {from: synthetic}}
            \(sections)
            """
        return try GraphLoader(NodeSpecs(.standard), files: [:]).load(text: text)
    }
    private static let running = """
        engine: {queue_bytes: 64MiB, drain_timeout: 30s}
        memory_limiter: {limit: 1GiB, retry_after: 1s}
        state: {path: /var/lib/phoenix/state}
        """

    @Test func anotherWayToWriteTheSameIsNoChange() throws {
        let other = """
            state: {interval: 10000ms, path: "/var/lib/phoenix/state"}
            memory_limiter: {limit: 1024MiB}
            engine: {queue_bytes: 65536KiB, drain_timeout: 30000ms, max_series: 16_777_216}
            """
        let running = try Self.loaded(Self.running).graph
        let graph = try Engine.checked(try Self.loaded(other), against: running)
        #expect(Plan(from: running, to: graph, .standard).text == "nothing changes")
        #expect(graph == running)
    }
    /// Sections that are not written at all have their defaults.
    @Test func whatSaysTheDefaultsIsNoChange() throws {
        let (bare, spelledOut) = (
            try Self.loaded(""), try Self.loaded("memory_limiter: {limit: 0}\nengine: {probation: 2000ms}")
        )
        for (old, new) in [(bare, spelledOut), (spelledOut, bare)] {
            let graph = try Engine.checked(new, against: old.graph)
            #expect(Plan(from: old.graph, to: graph, .standard).isEmpty)
        }
    }
    @Test func whatMayChangeIsPlannedAlone() throws {
        let running = try Self.loaded(Self.running).graph
        let other = Self.running.replacing("drain_timeout: 30s", with: "drain_timeout: 40s")
            .replacing("limit: 1GiB", with: "limit: 1024MiB")
        let graph = try Engine.checked(try Self.loaded(other), against: running)
        #expect(Plan(from: running, to: graph, .standard).diff.settings == ["engine"])
    }
    @Test(arguments: [
        ("limit: 1GiB", "limit: 1025MiB", "`memory_limiter` cannot change", 6),
        ("retry_after: 1s", "retry_after: 2s", "`memory_limiter` cannot change", 6),
        ("state}", "state2}", "`state` cannot change", 7),
        ("state}", "state, interval: 11s}", "`state` cannot change", 7),
        ("queue_bytes: 64MiB", "queue_bytes: 65MiB", "`engine.queue_bytes` cannot change", 5),
        ("state: {path: /var/lib/phoenix/state}", "", "`state` cannot change", 1),
        ("memory_limiter: {limit: 1GiB, retry_after: 1s}", "", "`memory_limiter` cannot change", 1),
    ])
    func aRealChangeIsRefusedAtItsPlace(_ old: String, _ new: String, _ message: String, _ line: Int) throws {
        let running = try Self.loaded(Self.running).graph
        let changed = try Self.loaded(Self.running.replacing(old, with: new))
        do throws(GraphRefusal) {
            let graph = try Engine.checked(changed, against: running)
            Issue.record("it was taken: \(graph.settings)")
        } catch {
            #expect(error.diagnostics.count == 1)
            let diagnostic = try #require(error.diagnostics.first)
            #expect(diagnostic.message.hasPrefix(message), "\(diagnostic)")
            #expect(diagnostic.mark.line == line, "\(diagnostic)")
        }
    }
}
