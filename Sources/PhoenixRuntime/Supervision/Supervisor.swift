import Logging
public import PhoenixGraph
import PhoenixModel

/// The one owner of the running nodes: carries out, in one task group, what `Supervision` decides.
public actor Supervisor {
    struct Living {
        var part: Assembly.Part
        let stop = StopSignal()
    }
    /// What happens to the engine. There are at most a few at once for each node and each call from outside.
    enum Signal: Sendable {
        case event(Supervision.Event)
        case drain(within: Duration)
        /// What was cancelled has had time enough to end.
        case graceOver
        case reload(Reload)
        /// The old nodes of a reload should have handed over by now.
        case overdue(Set<NodeID>)
    }

    let catalog: NodeCatalog
    let services: EngineServices
    let signals: AsyncStream<Signal>
    let signal: AsyncStream<Signal>.Continuation
    /// How long a cancelled node has to end.
    let grace: Duration

    var supervision = Supervision()
    var assembly = Assembly()
    var living: [NodeID: Living] = [:]
    var phase = Readiness.Phase.idle
    /// What runs, or is to run after the reload under way.
    var graph = Graph()
    /// The nodes that wait for those before them to hand over.
    var heirs: [NodeID: Assembly.Part] = [:]
    var isReloading = false
    var reloadWaiter: CheckedContinuation<Void, Never>?
    var drainWaiters: [CheckedContinuation<DrainReport, Never>] = []

    public init(catalog: NodeCatalog, services: EngineServices, grace: Duration = .seconds(2)) {
        (self.catalog, self.services, self.grace) = (catalog, services, grace)
        (signals, signal) = AsyncStream.makeStream(of: Signal.self)
    }

    /// What `/ready` answers.
    public var readiness: Readiness { Readiness(phase: phase, unready: supervision.unready) }

    /// Runs a graph until all its nodes have ended: after `drain`, or by themselves. Once in an engine's life.
    ///
    /// All nodes are made first: throws `StartError` or `ListenError` with nothing started. A node that fails later is
    /// run again after a delay that doubles, for ever: one node never ends the engine, readiness tells.
    /// `whenRunning` is called once, when every node is made, every address open and every node told to run.
    public func run(_ graph: Graph, whenRunning: @Sendable () -> Void = {}) async throws {
        guard phase == .idle else { return }
        phase = .starting
        do {
            try await start(graph)
        } catch {
            end()
            throw error
        }
        await withDiscardingTaskGroup { group in
            watchMemory(&group)
            if phase == .starting { phase = .running }
            perform(
                supervision.handle(.made(living.values.map(\.part.member).sorted { $0.id < $1.id })),
                &group
            )
            whenRunning()
            for await signal in signals {
                if case .event = signal, phase == .ended { continue }
                receive(signal, &group)
                if phase == .ended { break }
            }
            group.cancelAll()
        }
        await services.listeners.close(within: .zero)
        end()
    }

    /// Ends the engine from its sources to its sinks; answers once it has ended.
    ///
    /// Sources take in nothing more, what they took flows to its end, then those that attend are ended. At the deadline
    /// what still runs is cancelled and named in the report, with those that did not end even then.
    public func drain(within deadline: Duration) async -> DrainReport {
        if phase == .idle || phase == .ended { return DrainReport(cutOff: supervision.cutOff) }
        return await withCheckedContinuation { continuation in
            drainWaiters.append(continuation)
            signal.yield(.drain(within: deadline))
        }
    }

    private func start(_ graph: Graph) async throws {
        do {
            let parts = try assembly.make(graph.vertices.keys.sorted(), of: graph, from: catalog, services)
            try await services.listeners.commit()
            for part in parts { living[part.member.id] = Living(part: part) }
            assembly.link(graph)
            self.graph = graph
        } catch {
            services.listeners.abandon()
            throw Self.placed(error, in: graph)
        }
    }
    /// The error with the place of the node that it concerns.
    static func placed(_ error: any Error, in graph: Graph) -> any Error {
        guard let error = error as? ListenError, let vertex = graph.vertices[error.owner] else {
            return error
        }
        return StartError(node: error.owner, mark: vertex.mark, cause: error)
    }

    private func end() {
        phase = .ended
        living = [:]
        assembly = Assembly()
        heirs = [:]
        reloadWaiter.take()?.resume()
        answerDrains(DrainReport(cutOff: supervision.cutOff))
    }
    private func answerDrains(_ report: DrainReport) {
        for waiter in drainWaiters { waiter.resume(returning: report) }
        drainWaiters = []
    }

    private func receive(_ signal: Signal, _ group: inout DiscardingTaskGroup) {
        switch signal {
        case .event(.deadline):
            perform(supervision.handle(.deadline), &group)
            later(grace, .graceOver, &group)
        case .event(let event): perform(supervision.handle(event), &group)
        case .drain(let deadline):
            guard phase != .draining else { return }
            phase = .draining
            later(deadline, .event(.deadline), &group)
            perform(supervision.handle(.drain), &group)
        case .graceOver:
            services.logger.error("nodes do not end", metadata: ["nodes": "\(supervision.nodes)"])
            answerDrains(DrainReport(cutOff: supervision.cutOff, stuck: supervision.nodes))
        case .reload(let reload): apply(reload, &group)
        case .overdue(let ids):
            for id in ids where heirs[id] != nil { living[id]?.stop.set() }
        }
    }
}

/// What `Supervision` asks for, done.
extension Supervisor {
    func perform(_ actions: [Supervision.Action], _ group: inout DiscardingTaskGroup) {
        for action in actions {
            switch action {
            case .run(let id): run(id, &group)
            case .runLater(let id, let delay):
                services.vitals.node(id).countRestart()
                later(delay, .event(.delayOver(id)), &group)
            case .quiesce(let id): quiesce(id, &group)
            case .pause(let id):
                for queue in (assembly.ends[id]?.queues ?? [:]).values { queue.stopReading() }
                quiesceIfSource(id, &group)
            case .flush(let id): flush(id, &group)
            case .handOver(let id): handOver(id, &group)
            case .succeed(let id): succeed(id, &group)
            case .release(let id): release(id)
            case .cancel(let id): living[id]?.stop.set()
            case .finish: phase = .ended
            }
        }
    }

    private func run(_ id: NodeID, _ group: inout DiscardingTaskGroup) {
        guard let living = living[id], let ends = assembly.ends[id] else { return }
        let (time, signal, logger) = (services.time, signal, services.logger)
        group.addTask {
            let began = time.monotonic
            do {
                try await living.stop.guarding(living.part.node.run)
                let ran = time.monotonic - began
                signal.yield(.event(.returned(id, isDrained: ends.isDrained, after: ran)))
            } catch {
                let returned = ends.queues.mapValues { $0.returnInHand() }
                let setAside = returned.filter { $0.value == .setAside }.keys.sorted()
                logger.warning(
                    "node failed",
                    metadata: ["node": "\(id)", "error": "\(error)", "set_aside": "\(setAside)"]
                )
                signal.yield(.event(.failed(id, after: time.monotonic - began)))
            }
        }
    }

    /// A source is told; an attendant's inlets end as well, for that is what it waits for.
    private func quiesce(_ id: NodeID, _ group: inout DiscardingTaskGroup) {
        if living[id]?.part.member.kind == .attendant {
            for queue in (assembly.ends[id]?.queues ?? [:]).values { queue.shut() }
        }
        quiesceIfSource(id, &group)
    }
    func quiesceIfSource(_ id: NodeID, _ group: inout DiscardingTaskGroup) {
        guard let quiesce = living[id]?.part.node.quiesce else { return }
        group.addTask { await quiesce() }
    }

    private func flush(_ id: NodeID, _ group: inout DiscardingTaskGroup) {
        guard let living = living[id] else { return }
        let (signal, logger) = (signal, services.logger)
        group.addTask {
            do { try await living.stop.guarding(living.part.node.flush) } catch {
                logger.error("node did not flush", metadata: ["node": "\(id)", "error": "\(error)"])
            }
            signal.yield(.event(.finished(id)))
        }
    }

    /// The node is gone: its readers see their end, its senders are refused.
    private func release(_ id: NodeID) {
        guard let ends = assembly.ends[id] else { return }
        for outlet in ends.outlets.values { outlet.relink(toEnds: []) }
        for queue in ends.queues.values { queue.discard() }
        living[id] = nil
        assembly.forget(id)
        if graph.vertices[id] == nil { services.vitals.forget(id) }
    }

    func later(_ delay: Duration, _ what: Signal, _ group: inout DiscardingTaskGroup) {
        let (time, signal) = (services.time, signal)
        group.addTask {
            // Cancelled: the engine has ended, and nobody waits for the signal.
            guard (try? await time.sleep(for: delay)) != nil else { return }
            signal.yield(what)
        }
    }

    /// Reads the resident size from time to time, where there is a limit for it.
    private func watchMemory(_ group: inout DiscardingTaskGroup) {
        let (time, gate, interval) = (services.time, services.gate, services.residentCheckInterval)
        guard gate.limits.residentBytes != .max else { return }
        group.addTask {
            while !Task.isCancelled {
                if let bytes = ResidentSize.bytes { gate.noteResident(bytes: bytes) }
                guard (try? await time.sleep(for: interval)) != nil else { return }
            }
        }
    }
}
