import Foundation
import Logging
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@testable import PhoenixNodes

/// The engine as a whole: over real sockets, on ports that the system chooses.
///
/// The limit is wide: all tests share a thread for each core, and a property test next door may hold them for minutes.
@Suite(.serialized, .timeLimit(.minutes(10))) struct EngineTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func graph(_ text: String) throws -> Graph {
        try GraphLoader(NodeSpecs(.standard), files: [:]).load(text: text).graph
    }
    private static let small = """
        graph: small
        version: 1
        engine: {listen: ["127.0.0.1:0"], event_loops: 1, instance: here}
        receivers: {synthetic: {hosts: 1, processes_per_host: 3}}
        exporters: {prometheus: {from: synthetic, listen: "127.0.0.1:0"}}
        """

    /// Runs a graph, does something while it serves, drains it.
    private static func serving(
        _ text: String,
        _ body: @escaping @Sendable (Engine, [Engine.Address]) async throws -> Void
    ) async throws -> DrainReport {
        let engine = try Engine(
            try graph(text),
            .standard,
            version: "1.2.3",
            logger: quiet,
            droppedLogLines: { 7 },
            // Other tests hold the threads of the pool.
            patience: .seconds(3600)
        )
        let (served, tell) = AsyncStream.makeStream(of: [Engine.Address].self)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await engine.run { tell.yield($0) }
                tell.finish()
            }
            var report = DrainReport()
            for await addresses in served {
                do { try await body(engine, addresses) } catch {
                    report = await engine.drain()
                    throw error
                }
                report = await engine.drain()
                break
            }
            try await group.waitForAll()
            return report
        }
    }

    private static func get(
        _ address: Engine.Address,
        _ path: String? = nil
    ) async throws -> (status: Int, body: String) {
        let url = try #require(URL(string: "http://\(address.address)\(path ?? address.path)"))
        let (data, response) = try await URLSession.shared.data(from: url)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }

    @Test func itTellsWhereItListensAndAnswersThere() async throws {
        let report = try await Self.serving(Self.small) { engine, addresses in
            #expect(addresses.map(\.path) == ["/health", "/metrics", "/ready", "/metrics"])
            #expect(addresses.map(\.node) == ["the engine", "the engine", "the engine", "prometheus"])
            #expect(addresses.allSatisfy { !$0.address.hasSuffix(":0") })
            let health = try await Self.get(addresses[0])
            #expect(health.status == 200)
            #expect(health.body.contains("\"status\":\"healthy\""))
            #expect(health.body.contains("\"version\":\"1.2.3\""))
            #expect(try await Self.get(addresses[0], "/").status == 200)
            #expect(try await Self.get(addresses[2]).body.contains("\"ready\":true"))
            #expect(try await Self.get(addresses[0], "/nothing").status == 404)
            let metrics = try await Self.get(addresses[1]).body
            #expect(
                metrics.contains(
                    "phoenix_build_info{version=\"1.2.3\",graph=\"small\",instance_name=\"here\"} 1"
                )
            )
            #expect(metrics.contains("phoenix_node_batches_out_total{node=\"synthetic\",port=\"out\"}"))
            #expect(metrics.contains("process_cpu_seconds_total "))
            #expect(metrics.contains("phoenix_log_lines_dropped_total 7"))
            #expect(metrics.contains("phoenix_http_refused_connections_total{reason=\"limit\"} 0"))
            #expect(metrics.contains("phoenix_tls_failures_total{reason=\"clear_text\"} 0"))
        }
        #expect(report.isClean)
    }

    @Test func aTakenPortIsToldInPlainWordsAndNothingStays() async throws {
        _ = try await Self.serving(Self.small) { _, addresses in
            let second = Self.small.replacing(
                "listen: \"127.0.0.1:0\"}",
                with: "listen: \"\(addresses[3].address)\"}"
            )
            let engine = try Engine(try Self.graph(second), .standard, version: "1", logger: Self.quiet)
            do {
                try await engine.run()
                Issue.record("it started")
            } catch let error as StartError {
                #expect(error.node == "prometheus")
                #expect("\(error)".contains("another process listens there already"))
                #expect("\(error)".contains(addresses[3].address))
            }
            #expect(await engine.readiness.phase == .ended)
        }
    }

    @Test func settingsOfTheEngineAreChecked() throws {
        let text = "graph: x\nversion: 1\nengine: {queue_batches: 0}\nreceivers: {synthetic: {}}"
        #expect(throws: GraphRefusal.self) { try Self.graph(text) }
    }
}
