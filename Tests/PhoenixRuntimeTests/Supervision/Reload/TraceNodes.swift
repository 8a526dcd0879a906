import PhoenixGraph
import PhoenixModel

@testable import PhoenixRuntime

/// Settings of the traced nodes: one of each kind.
struct TraceConfig: NodeConfig {
    /// Changed in place.
    var tag = 0
    /// Replaces the node, with its state.
    var size = 0
    /// Replaces the node, without its state.
    var salt = 0
    var port = 0
    static let fields: [Field<TraceConfig>] = [
        Field("tag", \.tag, live: true, "Live."), Field("size", \.size, "Replaces."),
        Field("salt", \.salt, "Forgets."),
        Field("port", \.port, "Where to listen; nowhere with 0."),
    ]
    static func inheritance(from old: Self, to new: Self) -> Inheritance {
        // From a larger salt to a smaller nothing is left: the way back of the way up.
        new.salt >= old.salt ? .everything : .nothing("the salt became less")
    }
}
struct TraceEndpoint: Endpoint {}

/// What a traced node is made with, and what it does at the steps of its life.
final class TraceSite: Sendable {
    let context: NodeContext
    let trace: Trace
    private let tag: Lock<Int>
    init(_ config: TraceConfig, _ context: NodeContext) throws {
        (self.context, trace, tag) = (context, Trace.of(context), Lock(config.tag))
        if trace.fails("init \(context.id)") { throw Planned() }
        if config.port > 0 { context.listen("h:\(config.port)", paths: ["/\(context.id)"], TraceEndpoint()) }
    }
    var output: Outlet<MetricBatch> { context.wiring[OutputPort<MetricBatch>("out")] }
    func begin() { trace.show(context.id, tag: tag.withLock { $0 }) }
    func mayRun(_ batch: MetricBatch? = nil) throws {
        // A message with which a node throws twice is given up by design: each may be thrown with once.
        if trace.fails("run \(context.id)", once: batch?.numbers.times[0]) { throw Planned() }
    }
    func reconfigure(_ config: TraceConfig) async -> Bool {
        if trace.fails("refuse \(context.id)") { return false }
        tag.withLock { $0 = config.tag }
        begin()
        // Takes the settings, and never says so.
        if trace.fails("hang \(context.id)") {
            await trace.hang { try? await context.time.sleep(for: .seconds(20)) }
        }
        return true
    }
}

/// Sends numbered messages until it is quiesced.
actor TraceFeed: Source {
    static let type = NodeType(.receiver, "feed")
    static let summary = "Sends numbered messages."
    static let ports: [PortSpec] = [.output(OutputPort<MetricBatch>("out"))]
    private let site: TraceSite
    private var isOver = false
    private var serial: UInt64 = 0
    init(_ settings: Settings<TraceConfig>, _ context: NodeContext) throws {
        site = try TraceSite(settings.base, context)
        site.trace.born(context.id)
    }
    deinit { site.trace.died(site.context.id) }
    func run() async throws {
        site.begin()
        while !isOver {
            try site.mayRun()
            try await site.trace.send(site.output, of: site.context.id)
            serial += 1
            site.trace.count(site.context.id, serial)
            try await site.context.time.sleep(for: .milliseconds(3))
        }
    }
    func quiesce() { isOver = true }
    func reopen() { isOver = false }
    func reconfigure(_ settings: Settings<TraceConfig>) async -> Bool {
        await site.reconfigure(settings.base)
    }
    func flush() { site.trace.forget(site.context.id) }
    func handOver() -> UInt64? { serial }
    func inherit(_ state: UInt64) { serial = max(serial, state) }
}

/// Passes messages on under numbers of its own, one behind.
actor TraceHop: Node {
    struct State: Sendable, Weighed {
        var held: Int
        var counted: UInt64
        var byteCount: Int { 16 }
    }
    static let type = NodeType(.processor, "hop")
    static let summary = "Passes messages on."
    static let input = InputPort<MetricBatch>("in", required: true)
    static let aux = InputPort<MetricBatch>("aux")
    static let ports: [PortSpec] = [.input(input), .input(aux), .output(OutputPort<MetricBatch>("out"))]
    private let site: TraceSite
    private var memory = State(held: 0, counted: 0)
    init(_ settings: Settings<TraceConfig>, _ context: NodeContext) throws {
        site = try TraceSite(settings.base, context)
        site.trace.born(context.id)
    }
    deinit { site.trace.died(site.context.id) }
    func run() async throws {
        site.begin()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for port in [Self.input, Self.aux] {
                guard let inlet = site.context.wiring[port] else { continue }
                group.addTask { [self] in
                    for await batch in inlet.messages {
                        try await take(batch, Graph.Port(site.context.id, port.name))
                        inlet.settle()
                        try await pass(1)
                    }
                }
            }
            // The first that throws ends the others.
            while try await group.next() != nil {}
        }
    }
    private func take(_ batch: MetricBatch, _ port: Graph.Port) throws {
        try site.mayRun(batch)
        site.trace.receive(batch, at: port)
        memory.held += 1
        memory.counted += 1
        site.trace.count(site.context.id, memory.counted)
    }
    private func pass(_ rest: Int) async throws {
        while memory.held > rest {
            memory.held -= 1
            do { try await site.trace.send(site.output, of: site.context.id) } catch {
                memory.held += 1
                throw error
            }
        }
    }
    func flush() async throws {
        try await pass(0)
        // Who comes after begins anew, unless this one comes back.
        site.trace.forget(site.context.id)
    }
    func reconfigure(_ settings: Settings<TraceConfig>) async -> Bool {
        await site.reconfigure(settings.base)
    }
    func handOver() -> State? { memory }
    func inherit(_ state: State) { memory = state }
    static func inheritance(from old: Settings<TraceConfig>, to new: Settings<TraceConfig>) -> Inheritance {
        TraceConfig.inheritance(from: old.base, to: new.base)
    }
}

/// Ends the way of messages.
actor TraceSink: Node {
    static let type = NodeType(.exporter, "end")
    static let summary = "Takes messages."
    static let input = InputPort<MetricBatch>("in", required: true)
    static let ports: [PortSpec] = [.input(input)]
    private let site: TraceSite
    private var counted: UInt64 = 0
    init(_ settings: Settings<TraceConfig>, _ context: NodeContext) throws {
        site = try TraceSite(settings.base, context)
        site.trace.born(context.id)
    }
    deinit { site.trace.died(site.context.id) }
    func run() async throws {
        site.begin()
        guard let input = site.context.wiring[Self.input] else { return }
        for await batch in input {
            try site.mayRun(batch)
            site.trace.receive(batch, at: Graph.Port(site.context.id, "in"))
            counted += 1
            site.trace.count(site.context.id, counted)
        }
    }
    func flush() { site.trace.forget(site.context.id) }
    func reconfigure(_ settings: Settings<TraceConfig>) async -> Bool {
        await site.reconfigure(settings.base)
    }
    func handOver() -> UInt64? { counted }
    func inherit(_ state: UInt64) { counted = state }
    static func inheritance(from old: Settings<TraceConfig>, to new: Settings<TraceConfig>) -> Inheritance {
        TraceConfig.inheritance(from: old.base, to: new.base)
    }
}

/// A hop of another type: what replaces it, or is replaced by it, inherits nothing.
actor TraceDetour: Node {
    static let type = NodeType(.processor, "detour")
    static let summary = "Passes messages on at once."
    static let input = InputPort<MetricBatch>("in", required: true)
    static let ports: [PortSpec] = [.input(input), .output(OutputPort<MetricBatch>("out"))]
    private let site: TraceSite
    private var held = 0
    init(_ settings: Settings<TraceConfig>, _ context: NodeContext) throws {
        site = try TraceSite(settings.base, context)
        site.trace.born(context.id)
    }
    deinit { site.trace.died(site.context.id) }
    func run() async throws {
        site.begin()
        try await pass()
        guard let input = site.context.wiring[Self.input] else { return }
        for await batch in input {
            try site.mayRun(batch)
            site.trace.receive(batch, at: Graph.Port(site.context.id, "in"))
            held += 1
            input.settle()
            try await pass()
        }
    }
    private func pass() async throws {
        while held > 0 {
            try await site.trace.send(site.output, of: site.context.id)
            held -= 1
        }
    }
    func flush() async throws {
        try await pass()
    }
    func reconfigure(_ settings: Settings<TraceConfig>) async -> Bool {
        await site.reconfigure(settings.base)
    }
}

let traceCatalog: NodeCatalog = [TraceDetour.self, TraceFeed.self, TraceHop.self, TraceSink.self]
