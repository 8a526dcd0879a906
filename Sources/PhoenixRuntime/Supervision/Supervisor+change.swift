import Logging
import PhoenixGraph

/// What `Changeover` asks for, done. Everything here runs between two awaits of the supervisor.
extension Supervisor {
    func decide(_ event: Changeover.Event) {
        guard change != nil else { return }
        changeActions += change?.decisions.handle(event) ?? []
    }
    /// Does what was decided, and what is decided by doing it.
    func carryOut() {
        while !changeActions.isEmpty {
            let action = changeActions.removeFirst()
            services.logger.trace("\(action)")
            switch action {
            case .lead: lead()
            case .retire: retire()
            case .limit(let phase): limit(phase)
            case .prove: prove()
            case .settle: settle()
            case .leadBack: leadBack()
            case .recall(let id): recall(id)
            case .takeBack(let id): takeBack(id)
            case .revive(let id): revive(id)
            case .dismiss(let id):
                if living[id] == nil { decide(.parked(id)) }
                perform(supervision.handle(.retire(id, hasHeir: false)))
            case .restore(let id): restore(id)
            case .cancel(let id): living[id]?.stop.set()
            case .cut(let id): perform(supervision.handle(.cut(id)))
            case .abandon(let id):
                services.logger.error("a node does not end", metadata: ["node": "\(id)"])
                perform(supervision.handle(.abandon(id)))
            case .giveUp: giveUp()
            }
        }
    }

    func begin(_ serial: Int) {
        guard let change, change.serial == serial else { return }
        guard phase == .running else {
            endChange(.failure(ReloadError.notRunning))
            return
        }
        decide(
            .prepared(
                added: Set(change.fresh.map(\.member.id)),
                replaced: Set(change.successors.keys),
                removed: Set(change.plan.diff.changes.filter { $0.value == .remove }.keys)
            )
        )
    }

    // MARK: Forwards

    private func lead() {
        guard let change else { return }
        memoryMoves += 1
        self.change?.endsBefore = assembly.ends
        for part in change.fresh { living[part.member.id] = newLiving(part) }
        for part in change.fresh + change.successors.values { assembly.ends[part.member.id] = part.ends }
        closeGates()
        keepInletsOpen()
        assembly.link(change.after)
        adopt(change.after, change.kept)
        ledger.generation = change.serial
        perform(
            supervision.handle(.made(change.fresh.map(\.member))) + supervision.handle(.relinked(change.kept))
        )
        let sources = change.successors.values.filter { living[$0.member.id]?.part.member.kind == .source }
        let owners = Set(change.fresh.map(\.member.id) + sources.map(\.member.id))
        if services.listeners.switchOver(owners) { tellWhenQuiet() } else { decide(.led) }
    }
    /// Nobody sends to an inlet that only an heir has until the heir runs: should the old node go on instead, nobody would
    /// ever read it. A message goes to all edges of its outlet or to none, so the outlet waits.
    private func closeGates() {
        guard let change else { return }
        for (id, heir) in change.successors {
            let ports = heir.ends.dataPorts(besides: living[id]?.part.ends ?? EdgeEnds())
            let senders = change.after.links.filter { $0.to.node == id && ports.contains($0.to.port) }.map(
                \.from
            )
            let gates = Set(senders).compactMap { assembly.ends[$0.node]?.outlets[$0.port] }
            for gate in gates { gate.hold() }
            self.change?.gates[id] = gates
        }
    }
    private func keepInletsOpen() {
        guard let change else { return }
        for id in change.decisions.replaced.union(change.decisions.removed) {
            guard let own = living[id]?.part.ends else { continue }
            self.change?.keepOpen(own.queues(besides: change.successors[id]?.ends ?? EdgeEnds()))
        }
    }
    private func adopt(_ graph: Graph, _ kept: [Supervision.Member]) {
        self.graph = graph
        for member in kept {
            guard let vertex = graph.vertices[member.id] else { continue }
            living[member.id]?.part.vertex = vertex
            living[member.id]?.part.member = member
        }
    }
    private func tellWhenQuiet(
        after work: @escaping @Sendable () async -> Void = {}
    ) {
        guard let serial = change?.serial else { return }
        let (listeners, signal) = (services.listeners, signal)
        errands.add {
            await work()
            await listeners.quiet()
            signal.yield(.change(serial, .led))
        }
    }

    private func retire() {
        guard let change else { return }
        self.change?.letEnd()
        for id in change.decisions.replaced.sorted() {
            // One that has ended meanwhile leaves nothing to inherit.
            if living[id] == nil { succeed(id) }
            perform(supervision.handle(.retire(id, hasHeir: true)))
        }
        for id in change.decisions.removed.sorted() {
            if living[id] == nil { decide(.parked(id)) }
            perform(supervision.handle(.retire(id, hasHeir: false)))
        }
    }

    private func prove() {
        guard let change else { return }
        laterInChange(change.limits.probation, .probationOver)
        let now = services.time.monotonic
        runningAnswer?.give(.success(change.record(.probation, generation: change.serial, at: now)))
        runningAnswer = nil
    }

    private func settle() {
        guard let change else { return }
        for (id, part) in change.parked {
            let heir = assembly.ends[id]
            for outlet in part.ends.outlets(
                besides: graph.vertices[id] == nil ? EdgeEnds() : heir ?? EdgeEnds()
            ) {
                outlet.seal()
                outlet.relink(toEnds: [])
            }
            if graph.vertices[id] == nil, living[id] == nil { forget(id, part.ends) }
        }
        let record = change.record(.taken, generation: change.serial, at: services.time.monotonic)
        end(change, .success(record), closing: services.listeners.settle())
    }
    /// The change is over once the addresses that nobody claims any more can be had again.
    private func end(
        _ change: Change,
        _ result: Result<ReloadRecord, any Error>,
        closing servers: [any OpenServer]
    ) {
        guard !servers.isEmpty else { return endChange(result) }
        let (listeners, signal, serial) = (services.listeners, signal, change.serial)
        errands.add { [logger = services.logger] in
            await listeners.close(
                servers,
                whenFree: { signal.yield(.settled(serial, result)) },
                whenLost: { logger.error("an address cannot be had again: \($0)") }
            )
        }
    }
    /// The name and its edges are no more; answers the points that were still to be read.
    @discardableResult
    func forget(_ id: NodeID, _ ends: EdgeEnds) -> Int {
        unlink(ends)
        let lost = ends.queues.values.reduce(0) { $0 + $1.discard() }
        assembly.ends[id] = nil
        if graph.vertices[id] == nil { services.vitals.forget(id) }
        return lost
    }

    // MARK: Backwards

    private func leadBack() {
        guard let change else { return }
        services.logger.warning(
            "the change is undone",
            metadata: [
                "node": "\(change.decisions.cause?.node ?? "")",
                "reason": "\(change.decisions.cause?.message ?? "")",
            ]
        )
        memoryMoves += 1
        for (id, ends) in change.endsBefore { assembly.ends[id] = ends }
        assembly.link(change.before)
        self.change?.letEnd()
        unlinkGates()
        self.change?.openGates()
        adopt(change.before, change.kept.compactMap { Self.member($0.id, in: change.before, catalog) })
        ledger.generation = generationBefore
        perform(supervision.handle(.relinked(change.kept.compactMap { living[$0.id]?.part.member })))
        // Endpoints of old sources hold requests back until they run again.
        let parked = change.parked.values.compactMap { $0.orders }
        let leaving = change.decisions.replaced.union(change.decisions.removed)
            .filter { change.parked[$0] == nil }.compactMap { living[$0]?.part.orders }
        let listeners = services.listeners
        for orders in parked + leaving { orders.order(toEnd: false) }
        tellWhenQuiet {
            for orders in parked + leaving { await orders.tell() }
            listeners.switchBack()
        }
    }

    /// The heirs behind gates that are still closed never ran, and nobody reads what only they have. Outlets that the old graph
    /// does not know, and so did not link anew, would send there: they send nowhere, as if their nodes had never been.
    private func unlinkGates() {
        guard let change else { return }
        let old = assembly.ends.filter { change.before.vertices[$0.key] != nil }
        let linked = Set(old.values.flatMap { $0.outlets.values.map { ObjectIdentifier($0) } })
        for gate in change.gates.values.joined() where !linked.contains(ObjectIdentifier(gate)) {
            gate.relink(toEnds: [])
        }
    }

    private func recall(_ id: NodeID) {
        guard living[id] != nil, supervision.mayBeRecalled(id) else {
            decide(.recalled(id, false))
            return
        }
        // The heir will never run: who waits at it is answered.
        if let heir = change?.successors.removeValue(forKey: id) { tell(heir, toEnd: true) }
        perform(supervision.handle(.recall(id)))
        decide(.recalled(id, true))
    }

    private func takeBack(_ id: NodeID) {
        guard let part = change?.parked[id] else {
            decide(.succeeded(id))
            return
        }
        change?.successors[id] = part
        if living[id] == nil { succeed(id) }
        perform(supervision.handle(.retire(id, hasHeir: true)))
    }

    private func revive(_ id: NodeID) {
        guard let part = change?.parked.removeValue(forKey: id) else { return }
        living[id] = newLiving(part)
        assembly.ends[id] = part.ends
        assembly.link(graph)
        for queue in part.ends.queues.values { queue.resumeReading() }
        perform(supervision.handle(.made([part.member])))
    }

    private func restore(_ id: NodeID) {
        guard let change, let vertex = change.before.vertices[id], let node = living[id]?.part.node else {
            decide(.restored(id, true))
            return
        }
        let (signal, serial) = (signal, change.serial)
        errands.add {
            let isRestored = (try? await node.reconfigure(vertex)) ?? false
            signal.yield(.change(serial, .restored(id, isRestored)))
        }
    }

    private func giveUp() {
        guard let change else { return }
        for id in change.decisions.unrestored.sorted() { noteUnrestored(id) }
        let failure = change.failure ?? ReloadFailure(.handOver, node: nil, "it was given up")
        end(change, .failure(failure), closing: services.listeners.undo())
    }

    /// The change is over: those who wait are told, and the next may begin.
    func endChange(_ result: Result<ReloadRecord, any Error>) {
        guard let change else { return }
        self.change?.openGates()
        self.change?.letEnd()
        for timer in change.timers { timer.set() }
        switch result {
        case .success(let record): ledger.add(record)
        case .failure:
            ledger.add(change.record(.undone, generation: ledger.generation, at: services.time.monotonic))
        }
        if case .success = result { generationBefore = change.serial }
        self.change = nil
        changeActions = []
        runningAnswer.take()?.give(result)
        endAnswer.take()?.give(result)
        probationAnswer.take()?.give(.success(()))
    }

    // MARK: Time

    private func limit(_ phase: Changeover.Phase) {
        guard let change else { return }
        let limit: Duration =
            switch phase {
            case .handingOver: change.limits.handOver
            case .givingBack: change.limits.giveBack
            case .forcing: grace
            default: change.limits.step
            }
        laterInChange(limit, .overdue(phase))
    }
    private func laterInChange(
        _ delay: Duration,
        _ event: Changeover.Event
    ) {
        guard let serial = change?.serial else { return }
        let timer = StopSignal()
        change?.timers.append(timer)
        let (time, signal) = (services.time, signal)
        errands.add {
            // Stopped: the change is over.
            do {
                try await timer.guarding {
                    try await time.sleep(for: delay)
                    signal.yield(.change(serial, event))
                }
            } catch { return }
        }
    }
}
