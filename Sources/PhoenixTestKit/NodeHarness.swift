public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// One node with its ports in a test's hands: feed messages, read what comes out, drain.
///
/// ```swift
/// try World.run { world in
///     let harness = NodeHarness(world.clock)
///     harness.link(Filter.Port.input)
///     let output = harness.read(Filter.Port.output)
///     let filter = try harness.make(Filter.self, config)
///     try await harness.run(filter) { try await harness.feed(Filter.Port.input, batch) }
///     #expect(output.messages.count == 1)
/// }
/// ```
public final class NodeHarness: Sendable {
    /// What an output port sent, in order; grows while the node runs.
    public final class Output<Content: Message>: Sendable {
        private let collected = Lock([Content]())
        public var messages: [Content] { collected.withLock { $0 } }
        func append(_ message: Content) { collected.withLock { $0.append(message) } }
    }
    private struct State {
        var context: NodeContext
        var outlets: [String: any Sendable] = [:]
        /// Detach the test's senders, so that the node's inlets end.
        var ends: [@Sendable () -> Void] = []
        /// Give the context fresh inlets, and move the test's senders over to them.
        var renewals: [@Sendable (inout NodeContext) -> Void] = []
        /// Detach the node's outlets, so that the collectors end.
        var closes: [@Sendable () -> Void] = []
        var collectors: [@Sendable () async -> Void] = []
    }
    private let state: Lock<State>
    private let limits: QueueLimits

    public init(
        _ time: any TimeSource,
        id: NodeID = "node",
        limits: QueueLimits = QueueLimits(),
        seed: UInt64 = 1
    ) {
        self.limits = limits
        state = Lock(State(context: NodeContext(id: id, time: time, seed: seed)))
    }

    /// The context that nodes are made with; change it before `make`.
    public var context: NodeContext {
        get { state.withLock { $0.context } }
        set { state.withLock { $0.context = newValue } }
    }

    /// Links an input port to the test; one that is not linked is nil for the node.
    public func link<Content: Message>(_ port: InputPort<Content>) {
        let queue = InletQueue<Content>(limits: limits)
        let outlet = Outlet<Content>("test.\(port.name)", time: context.time)
        outlet.relink(to: [queue])
        state.withLock { state in
            state.context.wiring[port] = Inlet(queue)
            state.outlets[port.name] = outlet
            state.ends.append { outlet.relink(to: []) }
            state.renewals.append { [limits] context in
                let queue = InletQueue<Content>(limits: limits)
                outlet.relink(to: [queue])
                context.wiring[port] = Inlet(queue)
            }
        }
    }
    /// Links an output port to a collector, which reads as fast as it can.
    public func read<Content: Message>(_ port: OutputPort<Content>) -> Output<Content> {
        let output = Output<Content>()
        let queue = InletQueue<Content>(limits: limits)
        let outlet = Outlet<Content>("\(context.id).\(port.name)", time: context.time)
        outlet.relink(to: [queue])
        state.withLock { state in
            state.context.wiring[port] = outlet
            state.closes.append { outlet.relink(to: []) }
            state.collectors.append { for await message in Inlet(queue) { output.append(message) } }
        }
        return output
    }

    /// Makes a node with the ports linked so far.
    public func make<Kind: Node>(_ type: Kind.Type, _ config: Kind.Config = .init()) throws -> Kind {
        try Kind(Settings(config), context)
    }
    /// Makes a node with settings that differ by mode.
    public func make<Kind: Node>(_ type: Kind.Type, _ settings: Settings<Kind.Config>) throws -> Kind {
        try Kind(settings, context)
    }

    /// Sends to an input port; waits while it is full.
    public func feed<Content: Message>(_ port: InputPort<Content>, _ messages: Content...) async throws {
        guard let outlet = state.withLock({ $0.outlets[port.name] }) as? Outlet<Content> else {
            throw Unexpected("the port `\(port.name)` is not linked: call `link` before `make`")
        }
        for message in messages { try await outlet.send(message) }
    }

    /// Ends the input ports: what a drain does to a node.
    public func endInputs() {
        for end in state.withLock({ $0.ends }) { end() }
    }

    /// Runs a node while `body` plays the rest of the graph, then drains it: its inlets end, a source is quiesced, `run`
    /// returns, `flush` sends what is left, and every output is read to its end.
    public func run<Kind: Node>(_ node: Kind, _ body: () async throws -> Void) async throws {
        let (collectors, closes) = state.withLock { ($0.collectors, $0.closes) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for collector in collectors { group.addTask { await collector() } }
            group.addTask {
                // However it ends, the collectors must see their end, else the group would wait for ever.
                defer { for close in closes { close() } }
                try await node.run()
                try await node.flush()
            }
            do { try await body() } catch {
                group.cancelAll()
                throw error
            }
            endInputs()
            if let source = node as? any Source { await source.quiesce() }
            try await group.waitForAll()
        }
    }

    /// Runs a node, lets it take what is fed, and has it hand its state over instead of flushing.
    public func runToHandOver<Kind: Node>(
        _ node: Kind,
        _ body: () async throws -> Void
    ) async throws -> Kind.State? {
        let (collectors, closes) = state.withLock { ($0.collectors, $0.closes) }
        return try await withThrowingTaskGroup(of: Kind.State?.self) { group in
            for collector in collectors {
                group.addTask {
                    await collector()
                    return nil
                }
            }
            group.addTask {
                defer { for close in closes { close() } }
                try await node.run()
                return await node.handOver()
            }
            do { try await body() } catch {
                group.cancelAll()
                throw error
            }
            endInputs()
            if let source = node as? any Source { await source.quiesce() }
            var result: Kind.State?
            for try await state in group { result = state ?? result }
            return result
        }
    }

    /// Runs a line of nodes, each the heir of the one before, as reloads would: the old one reads what was sent to it and
    /// hands over, the heir inherits where the verdict allows and reads on. `body` plays the rest of the graph for each.
    public func relay<Kind: Node>(
        _ type: Kind.Type,
        _ line: [Settings<Kind.Config>],
        _ body: (_ leg: Int) async throws -> Void
    ) async throws {
        let (collectors, closes) = state.withLock { ($0.collectors, $0.closes) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for collector in collectors { group.addTask { await collector() } }
            defer { for close in closes { close() } }
            var node = try make(type, line[0])
            for leg in line.indices {
                let isLast = leg == line.count - 1
                let (old, heir) = (node, isLast ? nil : line[leg + 1])
                node = try await runLeg(old, line[leg], to: heir) { try await body(leg) } ?? node
            }
        }
    }
    /// Runs one of the line to its end; answers the heir, which has inherited.
    private func runLeg<Kind: Node>(
        _ node: Kind,
        _ settings: Settings<Kind.Config>,
        to next: Settings<Kind.Config>?,
        _ body: () async throws -> Void
    ) async throws -> Kind? {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await node.run() }
            try await body()
            if next == nil {
                endInputs()
            } else {
                state.withLock { state in for renew in state.renewals { renew(&state.context) } }
            }
            if let source = node as? any Source { await source.quiesce() }
            try await group.waitForAll()
        }
        guard let next else {
            try await node.flush()
            return nil
        }
        let heir = try make(Kind.self, next)
        let inherited = await node.handOver()
        switch Kind.inheritance(from: settings, to: next) {
        case .everything, .part: if let inherited { await heir.inherit(inherited) }
        case .nothing: break
        }
        return heir
    }
}
