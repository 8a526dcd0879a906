import Logging
import PhoenixGraph
import PhoenixModel

/// One node takes over from another of the same name: the heir from the old one, or on the way back the old one from it.
extension Supervisor {
    /// What a hand-over moved.
    struct Moved: Sendable {
        var bytes = 0
        /// What was handed over, where it could not be had back.
        var snapshot: (any Sendable)?
    }

    func handOver(_ id: NodeID) {
        guard let living = living[id], let change, let heir = change.successors[id] else {
            // No heir any more: the change was undone while it made ready.
            flush(id)
            return
        }
        let (old, token, stop) = (living.part, living.token, living.stop)
        var verdict = inheritance(from: old.vertex, to: heir.vertex)
        if change.decisions.isUndoing {
            if change.forgotten.contains(id) {
                verdict = .nothing("it began anew, and the old node remembers more")
            }
        } else if Self.isNothing(verdict) {
            self.change?.forgotten.insert(id)
        }
        let isLost = Self.isNothing(inheritance(from: heir.vertex, to: old.vertex))
        let snapshot = change.decisions.isUndoing ? change.snapshots[id] : nil
        if change.decisions.isUndoing, Self.isNothing(verdict) { countUndone(id) }
        let (signal, logger, remembers) = (signal, services.logger, Plan.remembers(old.vertex, catalog))
        errands.add { [verdict] in
            let moved = Moving()
            do {
                try await stop.guarding {
                    if case .nothing(let why) = verdict {
                        if remembers {
                            logger.notice(
                                "state is forgotten",
                                metadata: ["node": "\(id)", "reason": "\(why)"]
                            )
                        }
                        try await old.node.flush()
                        if let snapshot { await heir.node.inherit(snapshot) }
                    } else if let state = await old.node.handOver() {
                        moved.note(state, keeps: isLost)
                        await heir.node.inherit(state)
                    }
                }
            } catch {
                logger.error("node did not hand over", metadata: ["node": "\(id)", "error": "\(error)"])
            }
            signal.yield(.handedOver(id, token, moved.value))
        }
    }
    private static func isNothing(_ verdict: Inheritance) -> Bool {
        if case .nothing = verdict { true } else { false }
    }
    private func inheritance(from old: Graph.Vertex, to new: Graph.Vertex) -> Inheritance {
        guard old.type == new.type else { return .nothing("the type changed") }
        // Both were read before, when their nodes were made.
        return (try? catalog[new.type]?.inheritance(old, new)) ?? .nothing("its settings cannot be read")
    }
    /// What the heir took in is forgotten with it.
    private func countUndone(_ id: NodeID) {
        let read = pointsRead(id) - (change?.pointsAtSuccession[id] ?? 0)
        ledger.pointsUndone += max(0, read)
        services.logger.warning(
            "what the new node had taken in is forgotten: the old one cannot inherit it",
            metadata: ["node": "\(id)", "points": "\(read)"]
        )
    }
    private func pointsRead(_ id: NodeID) -> Int {
        (assembly.ends[id]?.queues ?? [:]).values.reduce(0) { $0 + $1.pointsRead }
    }

    func noteHandover(_ id: NodeID, _ token: UInt64, _ moved: Moved) {
        guard living[id]?.token == token else { return }
        change?.stateBytes += moved.bytes
        if let snapshot = moved.snapshot, change?.decisions.isUndoing == false {
            change?.snapshots[id] = snapshot
        }
        perform(supervision.handle(.finished(id)))
    }

    func succeed(_ id: NodeID) {
        guard let heir = change?.successors.removeValue(forKey: id) else { return }
        let old = living[id]?.part
        if change?.decisions.isUndoing == true, change?.parked[id] != nil {
            change?.parked[id] = nil
            if let old { giveUp(old, besides: heir.ends) }
        } else {
            change?.parked[id] = old
            change?.pointsAtSuccession[id] = pointsRead(id)
            // A source's requests were led before it was asked to end.
            if heir.member.kind != .source, change?.decisions.isUndoing == false {
                services.listeners.switchOver([id])
            }
        }
        living[id] = newLiving(heir)
        for queue in heir.ends.queues.values { queue.resumeReading() }
        change?.openGates(of: id)
        perform(supervision.handle(.made([heir.member])))
        decide(.succeeded(id))
    }
    /// On the way back: what the heir had, and the old node has not, is no more.
    private func giveUp(_ part: Assembly.Part, besides other: EdgeEnds) {
        for outlet in part.ends.outlets(besides: other) {
            outlet.seal()
            outlet.relink(toEnds: [])
        }
        noteUnread(part.member.id, part.ends.queues(besides: other).reduce(0) { $0 + $1.discard() })
    }
    private func noteUnread(_ id: NodeID, _ points: Int) {
        guard points > 0 else { return }
        ledger.pointsUndone += points
        services.logger.warning(
            "a new node did not drain in time: what waited for it is given up",
            metadata: ["node": "\(id)", "points": "\(points)"]
        )
    }

    /// The node is gone: its readers see their end, its senders are refused. In a change it is parked first.
    func release(_ id: NodeID) {
        guard let part = living[id]?.part else { return }
        if change?.successors[id] != nil {
            // It ended by itself before it could hand over.
            return succeed(id)
        }
        living[id] = nil
        if let decisions = change?.decisions, decisions.phase != .ended, decisions.removed.contains(id),
            !decisions.revived.contains(id)
        {
            // Where the old graph is linked again the node comes back, and its readers must not think that nobody will.
            if graph.vertices[id] == nil { unlink(part.ends) }
            change?.parked[id] = part
            return decide(.parked(id))
        }
        if graph.vertices[id] != nil, part.node.lasting != nil { departed[id] = part }
        let lost = forget(id, part.ends)
        guard change?.decisions.added.contains(id) == true else { return }
        noteUnread(id, lost)
        decide(.parked(id))
    }

    /// Nothing is sent any more, and readers no longer wait for it.
    func unlink(_ ends: EdgeEnds) {
        for outlet in ends.outlets.values {
            outlet.seal()
            outlet.relink(toEnds: [])
        }
    }

    func newLiving(_ part: Assembly.Part) -> Living {
        tokens += 1
        return Living(part: part, token: tokens)
    }
}

/// What a hand-over has moved so far, also when it is broken off.
private final class Moving: Sendable {
    private let moved = Lock(Supervisor.Moved())
    var value: Supervisor.Moved { moved.withLock { $0 } }
    func note(_ state: any Sendable, keeps: Bool) {
        moved.withLock { moved in
            moved.bytes += (state as? any Weighed)?.byteCount ?? 0
            if keeps { moved.snapshot = state }
        }
    }
}
