import Logging
public import PhoenixGraph
import PhoenixModel

/// A running graph is changed: what did not change goes on undisturbed.
extension Supervisor {
    /// What an order to change was answered.
    public struct ReloadReport: Sendable {
        public var plan: Plan
        public var record: ReloadRecord
    }

    /// Changes the running graph into another; answers once every new node runs and every old one is parked.
    ///
    /// Live settings are changed, new nodes made and their addresses opened first. Then links move, the nodes that go drain
    /// and hand over, and their heirs read on from the same queues. An error before that leaves everything as it was; one
    /// after it, also in the probation that begins with the answer, brings the old nodes back. Throws `ReloadError` where
    /// there is nothing to change or another change is not done; one on probation is taken for good. Throws
    /// `ReloadFailure` when the change failed, with the old graph serving.
    ///
    /// - Parameter settled: answer only when the probation is over.
    public func reload(
        to graph: Graph,
        origin: String = "api",
        limits: ReloadLimits = ReloadLimits(),
        settled: Bool = false
    ) async throws -> ReloadReport {
        let (report, end) = try await run(graph, origin, limits)
        guard settled, let end else { return report }
        return ReloadReport(plan: report.plan, record: try await end.value)
    }
    /// Changes the graph up to the probation, and answers where its end will be told; nil where nothing changed.
    private func run(
        _ graph: Graph,
        _ origin: String,
        _ limits: ReloadLimits
    ) async throws -> (ReloadReport, Answer<ReloadRecord>?) {
        guard phase == .running else { throw ReloadError.notRunning }
        guard !isReloading else { throw ReloadError.busy }
        isReloading = true
        defer { isReloading = false }
        try await endProbation()
        let plan = Plan(from: self.graph, to: graph, catalog)
        guard !plan.isEmpty else { return (unchanged(plan, graph, origin), nil) }
        serials += 1
        let serial = serials
        change = Change(
            serial: serial,
            origin: origin,
            before: self.graph,
            after: graph,
            plan: plan,
            limits: limits,
            startUnixNano: services.time.unixNanoseconds,
            began: services.time.monotonic
        )
        do {
            try await prepare(plan, graph, limits)
            guard phase == .running else { throw ReloadError.notRunning }
        } catch {
            await retreat(error)
            throw error
        }
        let (running, end) = (Answer<ReloadRecord>(), Answer<ReloadRecord>())
        (runningAnswer, endAnswer) = (running, end)
        signal.yield(.prepared(serial))
        return (ReloadReport(plan: plan, record: try await running.value), end)
    }

    /// Waits until the engine runs its first graph, or has ended: before that there is nothing to compare with.
    public func started() async {
        guard phase == .idle || phase == .starting else { return }
        await withCheckedContinuation { startWaiters.append($0) }
    }
    func answerStarted() {
        for waiter in startWaiters { waiter.resume() }
        startWaiters = []
    }

    /// Waits until a change is no longer on probation; a new one in its place takes it for good at once.
    private func endProbation() async throws {
        guard let change else { return }
        guard change.decisions.phase == .probation || change.decisions.phase == .ended else {
            throw ReloadError.busy
        }
        let last = Answer<Void>()
        probationAnswer = last
        signal.yield(.change(change.serial, .cutShort))
        try await last.value
        guard phase == .running else { throw ReloadError.notRunning }
    }

    private func unchanged(_ plan: Plan, _ graph: Graph, _ origin: String) -> ReloadReport {
        // Places in the file may have moved.
        self.graph = graph
        let record = ReloadRecord(
            outcome: .unchanged,
            generation: ledger.generation,
            origin: origin,
            startUnixNano: services.time.unixNanoseconds,
            duration: .zero
        )
        ledger.add(record)
        return ReloadReport(plan: plan, record: record)
    }

    /// Notes that a graph was refused before it came to a change.
    public func noteRefusal(origin: String, message: String) {
        var record = ReloadRecord(
            outcome: .refused,
            generation: ledger.generation,
            origin: origin,
            startUnixNano: services.time.unixNanoseconds,
            duration: .zero
        )
        record.message = message
        ledger.add(record)
    }

    private func prepare(_ plan: Plan, _ graph: Graph, _ limits: ReloadLimits) async throws {
        var changes = plan.diff.changes
        // Live settings first: what a node does not take in place makes it go.
        for (id, kind) in changes.sorted(by: { $0.key < $1.key }) {
            guard case .reconfigure(let names) = kind, let vertex = graph.vertices[id] else { continue }
            guard let node = living[id]?.part.node else {
                changes[id] = .replace(names)
                continue
            }
            do {
                let takes = try await limited(limits.step) { try await node.reconfigure(vertex) }
                if takes { decide(.reconfigured(id)) } else { changes[id] = .replace(names) }
            } catch {
                // It may have taken some: it is told the old ones like those that took all.
                decide(.reconfigured(id))
                throw ReloadFailure(
                    .reconfigure,
                    node: id,
                    "`\(id)` did not take its settings: \(error)",
                    cause: error
                )
            }
        }
        let (fresh, successors) = try make(changes, graph)
        change?.kept = kept(changes, graph)
        change?.fresh = fresh
        change?.successors = successors
        let removed = changes.filter { $0.value == .remove }.keys
        for id in Array(successors.keys) + removed { services.listeners.detach(id) }
        let (listeners, logger) = (services.listeners, services.logger)
        do {
            if try listeners.hasToOpen() {
                try await limited(limits.step) {
                    try await listeners.open { logger.error("an address cannot be had again: \($0)") }
                }
            }
        } catch {
            let placed = Self.placed(error, in: graph)
            let owner = (error as? ListenError)?.owner
            throw ReloadFailure(.listen, node: owner, "\(placed)", cause: placed)
        }
    }

    private func make(
        _ changes: [NodeID: GraphDiff.Change],
        _ graph: Graph
    ) throws -> (fresh: [Assembly.Part], successors: [NodeID: Assembly.Part]) {
        var (added, replaced): ([NodeID], [NodeID]) = ([], [])
        for (id, kind) in changes.sorted(by: { $0.key < $1.key }) {
            switch kind {
            case .add: added.append(id)
            // One that has ended by itself leaves nothing to inherit.
            case .replace: if living[id] == nil { added.append(id) } else { replaced.append(id) }
            case .remove, .keep, .reconfigure: continue
            }
        }
        do {
            let fresh = try assembly.make(added, of: graph, from: catalog, services)
            let heirs = try assembly.make(replaced, of: graph, from: catalog, services)
            let successors = heirs.map { ($0.member.id, $0) }
            return (fresh, [NodeID: Assembly.Part](uniqueKeysWithValues: successors))
        } catch {
            throw ReloadFailure(.make, node: error.node, "\(error)", cause: error)
        }
    }
    private func kept(_ changes: [NodeID: GraphDiff.Change], _ graph: Graph) -> [Supervision.Member] {
        changes.keys.sorted().compactMap { id in
            switch changes[id] {
            case .keep, .reconfigure: Self.member(id, in: graph, catalog)
            default: nil
            }
        }
    }
    static func member(_ id: NodeID, in graph: Graph, _ catalog: NodeCatalog) -> Supervision.Member? {
        guard let vertex = graph.vertices[id], let factory = catalog[vertex.type] else { return nil }
        let ports = Set(graph.links.filter { $0.to.node == id }.map(\.to.port))
        return Assembly.member(id, factory, ports, in: graph)
    }

    /// Nothing was linked yet: old settings are told again, what was opened is closed, what was made is dropped.
    private func retreat(_ error: any Error) async {
        guard let change else { return }
        for id in change.decisions.reconfigured.sorted() {
            guard let vertex = change.before.vertices[id], let node = living[id]?.part.node else { continue }
            let isRestored = try? await limited(change.limits.step) { try await node.reconfigure(vertex) }
            if isRestored != true { noteUnrestored(id) }
        }
        let (listeners, logger) = (services.listeners, services.logger)
        await listeners.close(
            listeners.undo(),
            whenLost: { logger.error("an address cannot be had again: \($0)") }
        )
        var record = change.record(.failed, generation: ledger.generation, at: services.time.monotonic)
        record.message = "\((error as? ReloadFailure)?.message ?? "\(error)")"
        record.node = (error as? ReloadFailure)?.node
        ledger.add(record)
        self.change = nil
    }
    func noteUnrestored(_ id: NodeID) {
        services.logger.error(
            "a node keeps the settings of a change that was undone: it did not take the old ones back",
            metadata: ["node": "\(id)"]
        )
        // What runs is told as it is: the next change to the old settings replaces the node.
        if let vertex = change?.after.vertices[id] {
            graph.vertices[id] = vertex
            living[id]?.part.vertex = vertex
        }
    }

    /// Does work in the engine's own tasks, so that what never ends cannot hold the caller beyond the deadline.
    private func limited<Success: Sendable>(
        _ limit: Duration,
        _ work: @escaping @Sendable () async throws -> Success
    ) async throws -> Success {
        guard phase != .ended else { throw ReloadError.notRunning }
        let answer = Answer<Success>()
        tokens += 1
        let (time, key) = (services.time, tokens)
        openAnswers[key] = { answer.give(.failure(ReloadError.notRunning)) }
        defer { openAnswers[key] = nil }
        let timer = StopSignal()
        errands.add {
            do { answer.give(.success(try await work())) } catch { answer.give(.failure(error)) }
            timer.set()
        }
        errands.add {
            do { try await timer.guarding { try await time.sleep(for: limit) } } catch { return }
            answer.give(.failure(OverdueError(limit: limit)))
        }
        return try await answer.value
    }
}
