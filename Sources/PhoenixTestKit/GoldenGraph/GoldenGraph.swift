import Foundation
import Logging
import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// A graph with what goes in and what must come out: a test that anyone who can write a graph can write.
///
/// A directory with `graph.yaml`, which holds a `given` receiver and one `expect` exporter or several, `given.txt` (see
/// `GivenScript`) and `expect.txt`: the batches that came to each `expect`, what each `prometheus` exporter exposes at every
/// `scrape` and at the end (text, OpenMetrics, points dropped), then the points that nodes dropped, by reason.
/// In the graph `${env:CASE}` is the directory, for nodes that read files.
/// It runs the real nodes in a `World`: under one seed, with time that jumps when nobody works.
public struct GoldenGraph: Sendable {
    public var name: String
    public var graph: String
    public var given: String
    public var expected: String
    /// Where files of the case's own lie; empty for one that is only text.
    public var directory = ""

    public init(name: String, graph: String, given: String, expected: String) {
        (self.name, self.graph, self.given, self.expected) = (name, graph, given, expected)
    }
    /// Reads a case from its directory; without `expect.txt` nothing is expected.
    public init(directory: String) throws {
        func text(_ file: String) throws -> String {
            try String(contentsOfFile: directory + "/" + file, encoding: .utf8)
        }
        self.init(
            name: String(directory.split(separator: "/").last ?? "graph"),
            graph: try text("graph.yaml"),
            given: try text("given.txt"),
            expected: (try? text("expect.txt")) ?? ""
        )
        self.directory = URL(fileURLWithPath: directory).standardizedFileURL.path
    }

    /// What a case came to.
    public struct Outcome: Sendable {
        public var expected: String
        public var actual: String
        public var isPassed: Bool { expected == actual }
        /// The first line that differs, for a message.
        public var difference: String? {
            let pairs = zip(lines(expected) + ["(end)"], lines(actual) + ["(end)"]).enumerated()
            return pairs.first { $0.element.0 != $0.element.1 }.map { index, pair in
                "line \(index + 1): expected `\(pair.0)`, got `\(pair.1)`"
            }
        }
        private func lines(_ text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// Runs the case with the node types of `catalog` and the two of its own.
    ///
    /// Throws `GraphRefusal` for a graph that does not load and `WorldError` for one that does not run.
    public func run(_ catalog: NodeCatalog, seed: UInt64 = 1) throws -> Outcome {
        let catalog = catalog + [Given.self, Expect.self]
        let variables = directory.isEmpty ? [:] : ["CASE": directory]
        let loaded = try GraphLoader(NodeSpecs(catalog.specs), variables: variables, files: [:]).load(
            text: graph,
            name: "graph.yaml"
        )
        let stage = GoldenStage(given: given)
        let dropped = try World.run(seed: seed) { world in
            try await GoldenStage.$current.withValue(stage) {
                try await Self.run(loaded.graph, catalog, stage, world)
            }
        }
        let actual = [stage.transcript, dropped].filter { !$0.isEmpty }.joined(separator: "\n\n")
        return Outcome(expected: Self.plain(expected), actual: Self.plain(actual))
    }

    private static func run(
        _ graph: Graph,
        _ catalog: NodeCatalog,
        _ stage: GoldenStage,
        _ world: World
    ) async throws -> String {
        var logger = Logger(label: "golden") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let services = EngineServices(
            time: world.clock,
            seed: world.seed,
            listeners: stage.listeners,
            logger: logger
        )
        let supervisor = Supervisor(catalog: catalog, services: services)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await supervisor.run(graph) }
            group.addTask {
                await stage.finished()
                // Time passes only when nobody works: after this everything has arrived.
                try await world.clock.sleep(for: .milliseconds(1))
                let report = await supervisor.drain(within: .seconds(30))
                try require(report.isClean, "these nodes did not end: \(report)")
            }
            try await group.waitForAll()
        }
        let drops = services.vitals.snapshot().families.first {
            $0.name == "phoenix_node_points_dropped_total"
        }
        let lines = (drops?.samples ?? []).filter { $0.value > 0 && $0.labels["reason"] != "unlinked" }.map {
            sample in
            "dropped \(Int(sample.value)) by \(sample.labels["node"] ?? "?"): \(sample.labels["reason"] ?? "?")"
        }
        return lines.sorted().joined(separator: "\n")
    }

    /// Without comments and space at the ends.
    private static func plain(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !$0.hasPrefix("#")
        }
        return lines.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
