import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// Graph files with random slips pushed at a running engine: each is refused with a place inside the file, or taken over;
/// nothing ends, nothing falls, and points flow through it all.
@Suite struct MutatedGraphTests {
    /// What has come to the end of the running graph.
    final class Tally: Sendable {
        @TaskLocal static var current: Tally?
        private let ledger = Lock(IncreaseLedger())
        func book(_ batch: MetricBatch, _ table: SeriesTable) { ledger.withLock { $0.book(batch, table) } }
        var now: IncreaseLedger { ledger.withLock { $0 } }
    }
    actor Counted: Node {
        struct Config: NodeConfig {
            init() {}
            static let fields: [Field<Self>] = []
        }
        enum Port { static let input = InputPort<MetricBatch>("in", required: true) }
        static let type = NodeType(.exporter, "counted")
        static let summary = "Adds up what comes."
        static let ports: [PortSpec] = [.input(Port.input)]
        private let context: NodeContext
        private let tally: Tally?
        init(_ settings: Settings<Config>, _ context: NodeContext) throws {
            (self.context, tally) = (context, Tally.current)
        }
        func run() async throws {
            guard let input = context.wiring[Port.input] else { return }
            for await batch in input.messages { tally?.book(batch, context.series) }
        }
    }

    private static let catalog = NodeCatalog.standard + [Counted.self]
    private static let text = """
        graph: pushed
        version: 1
        receivers:
          made_up: {type: synthetic, hosts: 1, processes_per_host: 3, interval: 1s, restarts: 0, seed: 7}
        processors:
          named:
            type: classify
            from: made_up
            rules:
              - when: {attribute: process.executable.name, matches: java}
                set: {phoenix.priority: critical}
              - set: {phoenix.priority: low}
          merged:
            type: aggregate
            from: named
            drop: [process.pid, container.id]
            expiry: 15m
          top: {type: topk, from: named, k: 2, window: 20s, every: 5s}
        exporters:
          counted: {from: merged}
          others: {type: debug, from: [top, merged], verbosity: basic, sampling_initial: 0, sampling_thereafter: 0}

        """
    private static let bytes =
        Array(" \n\t:-[]{},&*#?|>%@`\"'!$~<=.0aZ_\\".utf8) + [0, 7, 0x80, 0xc3, 0xe2, 0xff]

    private static func mutated(_ random: inout SeededGenerator) -> [UInt8] {
        var text = Array(text.utf8)
        for _ in 0...Int.random(in: 0..<3, using: &random) {
            let place = Int.random(in: 0..<text.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text[place] = bytes.randomElement(using: &random) ?? 0
            case 1: text.insert(bytes.randomElement(using: &random) ?? 0, at: place)
            case 2: text.remove(at: place)
            default:
                let copy = text[place..<min(text.count, place + Int.random(in: 1..<30, using: &random))]
                text.insert(contentsOf: copy, at: Int.random(in: 0..<text.count, using: &random))
            }
        }
        return text
    }
    private static func load(_ text: [UInt8]) throws(GraphRefusal) -> Graph {
        let loader = GraphLoader(NodeSpecs(catalog)) { path in
            guard path == "graph.yaml" else { throw UnreadableFile("there is no such file") }
            return text
        }
        return try loader.load(path: "graph.yaml").graph
    }
    /// The graph of a file; nil where it is refused, with places inside the file.
    private static func taken(_ text: [UInt8]) throws -> Graph? {
        do throws(GraphRefusal) { return try load(text) } catch {
            try requirePlaces(error, in: text)
            return nil
        }
    }
    private static func requirePlaces(_ refusal: GraphRefusal, in text: [UInt8]) throws {
        try require(!refusal.diagnostics.isEmpty, "refused without a word")
        let lines = String(decoding: text, as: UTF8.self)
            .split(omittingEmptySubsequences: false) { $0.isNewline }
        for diagnostic in refusal.diagnostics {
            let mark = diagnostic.mark
            let isInside =
                mark.file == "graph.yaml" && (1...lines.count).contains(mark.line) && mark.column >= 1
                && mark.column <= lines[mark.line - 1].unicodeScalars.count + 1
            try require(isInside, "\(diagnostic)")
        }
    }

    @Test(arguments: 1...UInt64(10)) func pushedAtARunningEngine(seed: UInt64) throws {
        let tally = Tally()
        try Tally.$current.withValue(tally) {
            try World.run(seed: seed) { world in
                try await Tally.$current.withValue(tally) { try await Self.push(1000, world, tally) }
            }
        }
    }
    private static func push(_ rounds: Int, _ world: World, _ tally: Tally) async throws {
        let supervisor = Supervisor(
            catalog: catalog,
            services: EngineServices(time: world.clock, seed: world.seed)
        )
        let original = try load(Array(text.utf8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await supervisor.run(original) }
            defer { group.cancelAll() }
            var random = world.random
            var (refused, failed) = (0, 0)
            // What became of those that were taken.
            var outcomes: [String: Int] = [:]
            try await world.clock.sleep(for: .seconds(3))
            var before = tally.now
            for round in 0..<rounds {
                if let graph = try taken(mutated(&random)) {
                    do {
                        let outcome = try await supervisor.reload(to: graph).record.outcome
                        outcomes["\(outcome)", default: 0] += 1
                    } catch { failed += 1 }
                    do {
                        let back = try await supervisor.reload(to: original).record.outcome
                        outcomes["back \(back)", default: 0] += 1
                    } catch {
                        throw Unexpected("round \(round): the graph does not come back: \(error)")
                    }
                } else {
                    refused += 1
                }
                guard round % 20 == 19 else { continue }
                try await world.clock.sleep(for: .seconds(2))
                let now = tally.now
                let (old, new) = (before.totals["process.cpu.time"] ?? 0, now.totals["process.cpu.time"] ?? 0)
                try require(new > old, "round \(round): nothing came for two seconds (\(old), \(new))")
                before = now
            }
            try require(refused > rounds / 3, "only \(refused) of \(rounds) were refused: mutate more")
            print(
                "seed \(world.seed): \(refused) refused, taken \(outcomes.sorted { $0.key < $1.key }), \(failed) failed and undone"
            )
            let report = await supervisor.drain(within: .seconds(30))
            try require(report.isClean, "not drained: \(report)")
        }
    }
}
