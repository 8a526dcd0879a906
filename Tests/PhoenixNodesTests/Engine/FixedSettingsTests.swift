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
            engine: {queue_bytes: 65536KiB, drain_timeout: 40s}
            """
        try Engine.check(try Self.loaded(other), against: try Self.loaded(Self.running).graph)
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
            try Engine.check(changed, against: running)
            Issue.record("it was taken")
        } catch {
            #expect(error.diagnostics.count == 1)
            let diagnostic = try #require(error.diagnostics.first)
            #expect(diagnostic.message.hasPrefix(message), "\(diagnostic)")
            #expect(diagnostic.mark.line == line, "\(diagnostic)")
        }
    }
}
