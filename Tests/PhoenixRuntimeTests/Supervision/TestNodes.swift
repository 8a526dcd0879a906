import PhoenixGraph
import PhoenixModel
import PhoenixTestKit

@testable import PhoenixRuntime

struct NoConfig: NodeConfig {
    static let fields: [Field<NoConfig>] = []
}

/// What the nodes of one test have done, by the engine's graph name: nodes know no globals but this test's board.
final class Board: Sendable {
    let events = Shared([String]())
    let failures = Shared([String: Int]())
    let blocked = Shared(Set<String>())
    let points = Shared(0)
    static let boards = Shared([String: Board]())
    static func make(_ name: String) -> Board {
        let board = Board()
        boards.change { $0[name] = board }
        return board
    }
    static func of(_ context: NodeContext) -> Board { boards.value[context.engine.graph] ?? Board() }
    func note(_ event: String) { events.change { $0.append(event) } }
    /// Whether the node is to fail now; counts down.
    func fails(_ id: String) -> Bool {
        var fails = false
        failures.change { left in
            guard let count = left[id], count > 0 else { return }
            (left[id], fails) = (count - 1, true)
        }
        return fails
    }
}

struct Planned: Error {}

func batch(_ points: Int) -> MetricBatch {
    var parts = MetricBatch.Parts()
    for slot in 0..<points {
        parts.numbers.append(
            SeriesID(slot: UInt32(slot), generation: 0),
            time: 0,
            start: 0,
            bits: 0,
            flags: PointFlags(rawValue: 0)
        )
    }
    return MetricBatch(parts)
}

/// Sends a batch of one point each 10 ms until it is quiesced.
actor Ticker: Source {
    typealias Config = NoConfig
    static let type = NodeType(.receiver, "ticker")
    static let summary = "Sends a batch of one point each 10 ms."
    static let output = OutputPort<MetricBatch>("out")
    static let ports: [PortSpec] = [.output(output)]
    private let context: NodeContext
    private var isOver = false
    init(_ settings: Settings<NoConfig>, _ context: NodeContext) throws {
        self.context = context
        if Board.of(context).fails("\(context.id).init") { throw Planned() }
        if Board.of(context).blocked.value.contains("\(context.id).listens") {
            context.listen("127.0.0.1:80", paths: ["/"], Nothing())
        }
    }
    struct Nothing: Endpoint {}
    func run() async throws {
        while !isOver {
            try await context.wiring[Self.output].send(batch(1))
            Board.of(context).note("sent")
            try await context.time.sleep(for: .milliseconds(10))
        }
    }
    func quiesce() { isOver = true }
    func reopen() { isOver = false }
    func flush() { Board.of(context).note("\(context.id) flushed") }
}

/// Passes batches on, or fails when told to; holds the last batch until it flushes.
actor Relay: LastingNode {
    typealias Config = NoConfig
    static let type = NodeType(.processor, "relay")
    static let summary = "Passes batches on, one behind."
    static let input = InputPort<MetricBatch>("in", required: true)
    static let mode = InputPort<ModeChange>("mode")
    static let output = OutputPort<MetricBatch>("out")
    static let ports: [PortSpec] = [.input(input), .input(mode), .output(output)]
    typealias State = MetricBatch
    private let context: NodeContext
    private var held: MetricBatch?
    init(_ settings: Settings<NoConfig>, _ context: NodeContext) throws { self.context = context }
    func run() async throws {
        guard let input = context.wiring[Self.input] else { return }
        for await batch in input {
            if Board.of(context).fails(context.id) { throw Planned() }
            if Board.of(context).blocked.value.contains(context.id) {
                try await context.time.sleep(for: .seconds(100_000))
            }
            let last = held
            held = batch
            if let last { try await context.wiring[Self.output].send(last) }
        }
        Board.of(context).note("\(context.id) ended")
    }
    func flush() async throws {
        if let held { try await context.wiring[Self.output].send(held) }
        held = nil
        Board.of(context).note("\(context.id) flushed")
    }
    func handOver() -> MetricBatch? { held }
    func inherit(_ state: MetricBatch) { held = state }
    static let stateVersion: UInt32 = 1
    func picture() -> (any StatePicture)? { nil }
    static func read(
        from reader: inout StateReader,
        _ settings: Settings<NoConfig>,
        _ context: NodeContext
    ) throws -> MetricBatch { batch(0) }
}

/// Passes on what comes to either of its inlets.
actor Joint: Node {
    typealias Config = NoConfig
    static let type = NodeType(.processor, "joint")
    static let summary = "Passes on what comes to either of its inlets."
    static let input = InputPort<MetricBatch>("in", required: true)
    static let other = InputPort<MetricBatch>("other")
    static let output = OutputPort<MetricBatch>("out")
    static let ports: [PortSpec] = [.input(input), .input(other), .output(output)]
    private let context: NodeContext
    init(_ settings: Settings<NoConfig>, _ context: NodeContext) throws { self.context = context }
    func run() async throws {
        let (inlets, output) = ([Self.input, Self.other].compactMap { context.wiring[$0] }, context.wiring[Self.output])
        try await withThrowingTaskGroup { group in
            for inlet in inlets { group.addTask { for await batch in inlet { try await output.send(batch) } } }
            try await group.waitForAll()
        }
    }
}

/// Counts points, and observes what it counted.
actor Sink: Node {
    typealias Config = NoConfig
    static let type = NodeType(.exporter, "sink")
    static let summary = "Counts points."
    static let input = InputPort<MetricBatch>("in", required: true)
    static let observations = OutputPort<Observation>("observations")
    static let ports: [PortSpec] = [.input(input), .output(observations)]
    private let context: NodeContext
    init(_ settings: Settings<NoConfig>, _ context: NodeContext) throws { self.context = context }
    func run() async throws {
        guard let input = context.wiring[Self.input] else { return }
        for await batch in input {
            Board.of(context).points.add(batch.count)
            let observation = Observation(
                source: context.id,
                timeUnixNano: context.time.unixNanoseconds,
                readings: [.init("x", 1)]
            )
            try await context.wiring[Self.observations].send(observation)
        }
        Board.of(context).note("\(context.id) ended")
    }
}

/// Turns observations into modes, and shows them as metrics too: a loop that a drain must open.
actor Governor: Node {
    typealias Config = NoConfig
    static let type = NodeType(.controller, "governor")
    static let summary = "Turns observations into modes."
    static let input = InputPort<Observation>("in", required: true)
    static let mode = OutputPort<ModeChange>("mode")
    static let metrics = OutputPort<MetricBatch>("metrics")
    static let ports: [PortSpec] = [.input(input), .output(mode), .output(metrics)]
    private let context: NodeContext
    init(_ settings: Settings<NoConfig>, _ context: NodeContext) throws { self.context = context }
    func run() async throws {
        guard let input = context.wiring[Self.input] else { return }
        for await _ in input {
            try await context.wiring[Self.mode].send(ModeChange(.balanced, because: "test"))
        }
        try await context.wiring[Self.metrics].send(batch(1))
        Board.of(context).note("\(context.id) ended")
    }
}

let testCatalog: NodeCatalog = [Governor.self, Sink.self, Joint.self, Relay.self, Ticker.self]

extension Graph {
    /// A graph of test nodes; links are written `a.out > b.in`.
    static func test(_ nodes: [String: NodeType], _ links: String...) -> Graph {
        let mark = Mark(file: "test.yaml", line: 1, column: 1)
        var graph = Graph(name: "test")
        for (id, type) in nodes {
            let config = ConfigTree(.map([]), at: mark)
            graph.vertices[id] = Vertex(id: id, type: type, config: config, modes: [:], mark: mark)
        }
        func port(_ text: Substring) -> Port {
            let parts = text.split(separator: ".")
            return Port(String(parts[0]), String(parts[1]))
        }
        for link in links {
            let ends = link.replacing(" ", with: "").split(separator: ">")
            graph.links.insert(Link(from: port(ends[0]), to: port(ends[1])))
        }
        return graph
    }
}

/// An engine in a world, with its board.
struct Engine: Sendable {
    let board: Board
    let services: EngineServices
    let supervisor: Supervisor
    init(_ world: World, listeners: Listeners = Listeners(), batches: Int = 64) {
        let name = "\(UInt64.random(in: .min ... .max))"
        board = Board.make(name)
        services = EngineServices(
            time: world.clock,
            seed: world.seed,
            listeners: listeners,
            engine: EngineInfo(graph: name),
            limits: QueueLimits(batches: batches)
        )
        supervisor = Supervisor(catalog: testCatalog, services: services)
    }
    /// Runs the graph while `body` acts, until it has ended.
    func run(_ graph: Graph, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await supervisor.run(graph) }
            do { try await body() } catch {
                group.cancelAll()
                throw error
            }
            try await group.waitForAll()
        }
    }
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double {
        services.vitals.snapshot().value(name, labels) ?? 0
    }
}
