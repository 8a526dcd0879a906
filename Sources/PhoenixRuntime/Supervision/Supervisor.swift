import Logging
public import PhoenixGraph
import PhoenixModel

/// The one owner of the running nodes: carries out what `Supervision` decides.
public actor Supervisor {
    struct Living {
        var part: Assembly.Part
        /// Tells it from others of its name that lived before: what those still say is of no concern.
        let token: UInt64
        /// Of the run, flush or hand-over under way; each run has its own.
        var stop = StopSignal()
    }
    /// What happens to the engine. There are at most a few at once for each node and each call from outside.
    enum Signal: Sendable {
        case event(Supervision.Event)
        /// What happened to a node that lives, or lived.
        case node(NodeID, UInt64, Supervision.Event)
        case drain(within: Duration)
        /// What was cancelled has had time enough to end.
        case graceOver
        /// The new nodes of a change are made and their addresses open.
        case prepared(Int)
        case change(Int, Changeover.Event)
        case handedOver(NodeID, UInt64, Moved)
        /// A node that is to hand over has read what its heir has no inlet for.
        case readOut(NodeID, UInt64)
        /// A change is over, and what nobody claims any more is closed.
        case settled(Int, Result<ReloadRecord, any Error>)
    }

    let catalog: NodeCatalog
    let services: EngineServices
    let signals: AsyncStream<Signal>
    let signal: AsyncStream<Signal>.Continuation
    /// The runs of nodes.
    let nodes = Errands()
    /// What nodes are told to do beside, and deadlines: what nobody in the supervisor may wait for.
    let errands = Errands()
    /// How long a cancelled node has to end.
    let grace: Duration

    var supervision = Supervision()
    var assembly = Assembly()
    var living: [NodeID: Living] = [:]
    var phase = Readiness.Phase.idle
    /// What runs, or is to run after the change under way.
    var graph = Graph()
    /// The change under way, its probation included.
    var change: Change?
    var changeActions: [Changeover.Action] = []
    var isReloading = false
    var ledger = ReloadLedger()
    var serials = 1
    /// The generation to go back to.
    var generationBefore = 1
    var tokens: UInt64 = 0
    /// Who waits for a change to run, for it to be over, and for it to make way for another.
    var runningAnswer: Answer<ReloadRecord>?
    var endAnswer: Answer<ReloadRecord>?
    var probationAnswer: Answer<Void>?
    var openAnswers: [UInt64: () -> Void] = [:]
    /// Those that ended while the graph had them, for what they remember.
    var departed: [NodeID: Assembly.Part] = [:]
    /// How often memories began to go from node to node.
    var memoryMoves = 0
    var drainWaiters: [CheckedContinuation<DrainReport, Never>] = []
    var startWaiters: [CheckedContinuation<Void, Never>] = []

    public init(catalog: NodeCatalog, services: EngineServices, grace: Duration = .seconds(2)) {
        (self.catalog, self.services, self.grace) = (catalog, services, grace)
        (signals, signal) = AsyncStream.makeStream(of: Signal.self)
    }

    /// What `/ready` answers.
    public var readiness: Readiness { Readiness(phase: phase, unready: supervision.unready) }
    /// What runs.
    public var runningGraph: Graph { graph }
    /// The changes so far.
    public var reloads: ReloadLedger {
        var ledger = ledger
        if let change, change.decisions.phase == .probation {
            ledger.onProbation = change.record(
                .probation,
                generation: change.serial,
                at: services.time.monotonic
            )
        }
        return ledger
    }

    /// Runs a graph until all its nodes have ended: after `drain`, or by themselves. Once in an engine's life.
    ///
    /// All nodes are made first: throws `StartError` or `ListenError` with nothing started. A node that fails later is
    /// run again after a delay that doubles, for ever: one node never ends the engine, readiness tells.
    /// `restoring` is called once every node is made, before any is told to run. `whenRunning` is called once, when every
    /// node is made, every address open and every node told to run.
    public func run(
        _ graph: Graph,
        whenRunning: @escaping @Sendable () -> Void = {},
        restoring: @Sendable ([LastingMemory]) async -> Void = { _ in }
    ) async throws {
        guard phase == .idle else { return }
        phase = .starting
        do {
            try await start(graph, restoring)
        } catch {
            end()
            throw error
        }
        await withDiscardingTaskGroup { group in
            group.addTask(on: services.commands) { await self.command(whenRunning) }
            group.addTask(on: services.commands) { [errands] in await errands.run() }
            await nodes.run()
        }
        await services.listeners.close(within: .zero)
        end()
    }

    /// Has all nodes run, and does what is to be done until the last one has ended.
    private func command(_ whenRunning: @Sendable () -> Void) async {
        watchMemory()
        if phase == .starting { phase = .running }
        answerStarted()
        perform(supervision.handle(.made(living.values.map(\.part.member).sorted { $0.id < $1.id })))
        if !Task.isCancelled { whenRunning() }
        for await signal in signals {
            receive(signal)
            carryOut()
            if phase == .ended { break }
        }
        nodes.close()
        errands.close()
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

    private func start(_ graph: Graph, _ restoring: ([LastingMemory]) async -> Void) async throws {
        do {
            let parts = try assembly.make(graph.vertices.keys.sorted(), of: graph, from: catalog, services)
            await restoring(parts.compactMap(\.node.lasting))
            try await services.listeners.commit()
            for part in parts {
                living[part.member.id] = newLiving(part)
                assembly.ends[part.member.id] = part.ends
            }
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
        answerStarted()
        // What was cut off remembers all the same.
        let cutOff = (change?.parked ?? [:]).merging(living.mapValues(\.part)) { _, living in living }
        departed.merge(cutOff.filter { $0.value.node.lasting != nil }) { _, last in last }
        departed = departed.filter { graph.vertices[$0.key] != nil }
        living = [:]
        assembly = Assembly()
        endChange(.failure(ReloadError.notRunning))
        for answer in openAnswers.values { answer() }
        answerDrains(DrainReport(cutOff: supervision.cutOff))
    }
    private func answerDrains(_ report: DrainReport) {
        for waiter in drainWaiters { waiter.resume(returning: report) }
        drainWaiters = []
    }

    private func receive(_ signal: Signal) {
        switch signal {
        case .event(.deadline):
            perform(supervision.handle(.deadline))
            later(grace, .graceOver)
        case .event(let event): perform(supervision.handle(event))
        case .node(let id, let token, let event):
            guard living[id]?.token == token else { return }
            let actions = supervision.handle(event)
            if actions.contains(where: { if case .runLater = $0 { true } else { false } }) {
                let why =
                    if case .failed(_, _, _, let error) = event { error } else {
                        "it returned before its input ended"
                    }
                decide(.failed(id, "`\(id)` failed: \(why)"))
            }
            perform(actions)
        case .prepared(let serial): begin(serial)
        case .change(let serial, let event): if change?.serial == serial { decide(event) }
        case .handedOver(let id, let token, let moved): noteHandover(id, token, moved)
        case .readOut(let id, let token):
            guard living[id]?.token == token, supervision.isPausing(id) else { return }
            pause(id)
        case .settled(let serial, let result): if change?.serial == serial { endChange(result) }
        case .drain(let deadline):
            guard phase != .draining else { return }
            phase = .draining
            later(deadline, .event(.deadline))
            decide(.cutShort)
            perform(supervision.handle(.drain))
        case .graceOver:
            services.logger.error("nodes do not end", metadata: ["nodes": "\(supervision.nodes)"])
            answerDrains(DrainReport(cutOff: supervision.cutOff, stuck: supervision.nodes))
        }
    }
}

/// What `Supervision` asks for, done.
extension Supervisor {
    func perform(_ actions: [Supervision.Action]) {
        for action in actions {
            switch action {
            case .run(let id): run(id)
            case .runLater(let id, let delay):
                services.vitals.node(id).countRestart()
                later(delay, .event(.delayOver(id)))
            case .quiesce(let id): quiesce(id)
            case .pause(let id): pause(id)
            case .interrupt(let id): for queue in queues(of: id) { queue.stopReading() }
            case .resume(let id): for queue in queues(of: id) { queue.resumeReading() }
            case .flush(let id): flush(id)
            case .handOver(let id): handOver(id)
            case .succeed(let id): succeed(id)
            case .release(let id): release(id)
            case .cancel(let id): living[id]?.stop.set()
            case .finish: phase = .ended
            }
        }
    }

    private func run(_ id: NodeID) {
        // One that was cancelled so that a change could be undone, and that stays, runs as before.
        self.living[id]?.stop = StopSignal()
        guard let living = living[id] else { return }
        let (time, signal, logger, ends) = (services.time, signal, services.logger, living.part.ends)
        nodes.add {
            let began = time.monotonic
            do {
                try await living.stop.guarding(living.part.node.run)
                let ran = time.monotonic - began
                signal.yield(.node(id, living.token, .returned(id, isDrained: ends.isDrained, after: ran)))
            } catch {
                let returned = ends.queues.mapValues { $0.returnInHand() }
                let setAside = returned.filter { $0.value == .setAside }.keys.sorted()
                logger.warning(
                    "node failed",
                    metadata: ["node": "\(id)", "error": "\(error)", "set_aside": "\(setAside)"]
                )
                let ran = time.monotonic - began
                signal.yield(
                    .node(id, living.token, .failed(id, isDrained: ends.isDrained, after: ran, "\(error)"))
                )
            }
        }
    }

    private func queues(of id: NodeID) -> [any QueueEnd] {
        (living[id]?.part.ends.queues ?? [:]).map(\.value)
    }

    /// A source is told; an attendant's inlets end as well, for that is what it waits for.
    private func quiesce(_ id: NodeID) {
        guard let part = living[id]?.part else { return }
        if part.member.kind == .attendant {
            // What is shut is shut for good, and a removed node may have to come back.
            let isRemoved = change?.decisions.removed.contains(id) ?? false
            for queue in part.ends.queues.values { isRemoved ? queue.stopReading() : queue.shut() }
        }
        tell(part, toEnd: true)
    }
    /// What its heir reads too is left to it; what is linked to nobody any more is read to its end first. Until then it reads
    /// everything: who still sends there may send elsewhere too, and would wait for room where nobody reads.
    private func pause(_ id: NodeID) {
        guard let living = living[id] else { return }
        let (part, token, signal) = (living.part, living.token, signal)
        let heir = change?.successors[id]?.ends
        if let heir, let unread = part.ends.unread(besides: heir) {
            unread.whenDrained { signal.yield(.readOut(id, token)) }
            return
        }
        let shared = heir.map { part.ends.shared(with: $0) } ?? Array(part.ends.queues.values)
        for queue in shared { queue.stopReading() }
        tell(part, toEnd: true)
    }
    func tell(_ part: Assembly.Part, toEnd: Bool) {
        guard let orders = part.orders else { return }
        orders.order(toEnd: toEnd)
        errands.add { await orders.tell() }
    }

    func flush(_ id: NodeID) {
        guard let living = living[id] else { return }
        let (signal, logger) = (signal, services.logger)
        errands.add {
            do { try await living.stop.guarding(living.part.node.flush) } catch {
                logger.error("node did not flush", metadata: ["node": "\(id)", "error": "\(error)"])
            }
            signal.yield(.node(id, living.token, .finished(id)))
        }
    }

    func later(_ delay: Duration, _ what: Signal) {
        let (time, signal) = (services.time, signal)
        errands.add {
            // Cancelled: the engine has ended, and nobody waits for the signal.
            guard (try? await time.sleep(for: delay)) != nil else { return }
            signal.yield(what)
        }
    }

    /// Reads the resident size from time to time, where there is a limit for it.
    private func watchMemory() {
        let (time, gate, interval) = (services.time, services.gate, services.residentCheckInterval)
        guard gate.limits.residentBytes != .max else { return }
        errands.add {
            while !Task.isCancelled {
                if let bytes = ResidentSize.bytes { gate.noteResident(bytes: bytes) }
                guard (try? await time.sleep(for: interval)) != nil else { return }
            }
        }
    }
}
