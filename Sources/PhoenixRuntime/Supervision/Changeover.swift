import PhoenixGraph

/// The decisions of one change of a running graph, from the first node that it touches to its end.
///
/// Event in, actions out: no task, no clock. Until the probation is over every step can be undone, and a failure anywhere
/// leads to the same road back.
struct Changeover: Sendable {
    enum Phase: Sendable, Hashable {
        /// Live settings are changed, nodes made, addresses opened: nothing has been linked yet.
        case preparing
        /// The new graph is linked; requests that are on their way to old endpoints arrive there.
        case leading
        /// Old nodes drain and hand over.
        case handingOver
        /// The new graph runs; the old nodes are parked.
        case probation
        /// The old graph is linked again; requests are led back to it.
        case leadingBack
        /// Heirs hand back what they inherited, new nodes drain.
        case givingBack
        /// Those that did not give back in time were cancelled.
        case forcing
        case ended
    }
    enum Event: Sendable {
        case reconfigured(NodeID)
        case prepared(added: Set<NodeID>, replaced: Set<NodeID>, removed: Set<NodeID>)
        /// All requests are where the phase leads them.
        case led
        /// The heir of the name has taken over: forwards the new node, on the way back the old one.
        case succeeded(NodeID)
        /// A node without an heir has drained and is parked.
        case parked(NodeID)
        case failed(NodeID, String)
        /// Whether the old node goes on; false where it has begun to finish.
        case recalled(NodeID, Bool)
        /// Whether the node took its old settings back.
        case restored(NodeID, Bool)
        case overdue(Phase)
        case probationOver
        /// The engine drains, or another change begins: what runs is for good.
        case cutShort
    }
    enum Action: Sendable, Hashable {
        /// Link the new graph, run what is new, lead requests there.
        case lead
        /// Ask what is replaced or removed to go.
        case retire
        /// Tell when the deadline of the phase is over.
        case limit(Phase)
        /// Everything has been handed over; tell when the probation is over.
        case prove
        /// The change is for good: drop what is parked, close what nobody claims.
        case settle
        /// Link the old graph, lead requests back.
        case leadBack
        /// The old node has not handed over: it is to go on.
        case recall(NodeID)
        /// The old node inherits from its heir.
        case takeBack(NodeID)
        /// The removed node runs again.
        case revive(NodeID)
        /// The added node drains and goes.
        case dismiss(NodeID)
        /// The node gets its old settings.
        case restore(NodeID)
        case cancel(NodeID)
        /// The node, which is to go, is no longer waited for: what it has not read is given up.
        case cut(NodeID)
        case abandon(NodeID)
        /// The old graph runs as before.
        case giveUp
    }
    /// What went wrong, where.
    struct Cause: Sendable, Equatable {
        var phase: Phase
        var node: NodeID?
        var message: String
    }

    private(set) var phase = Phase.preparing
    private(set) var cause: Cause?
    /// The nodes that did not take their old settings back.
    private(set) var unrestored: Set<NodeID> = []
    private(set) var reconfigured: Set<NodeID> = []
    private(set) var added: Set<NodeID> = []
    private(set) var replaced: Set<NodeID> = []
    private(set) var removed: Set<NodeID> = []
    /// Of the replaced those whose heir runs, of the removed those that are parked.
    private var done: Set<NodeID> = []
    /// Of the removed those that run again: one that ends then has ended by itself.
    private(set) var revived: Set<NodeID> = []
    /// Whom the phase waits for.
    private(set) var pending: Set<NodeID> = []
    /// No way back any more.
    private var isForGood = false

    var isUndoing: Bool { phase == .leadingBack || phase == .givingBack || phase == .forcing }
    /// Whether a failure of the node condemns the change.
    private func isWatched(_ id: NodeID) -> Bool {
        added.contains(id) || reconfigured.contains(id) || (replaced.contains(id) && done.contains(id))
    }

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .reconfigured(let id): reconfigured.insert(id)
        case .prepared(let added, let replaced, let removed):
            guard phase == .preparing else { return [] }
            (self.added, self.replaced, self.removed) = (added, replaced, removed)
            phase = .leading
            return [.lead, .limit(.leading)]
        case .led: return arrive()
        case .succeeded(let id): return succeed(id)
        case .parked(let id): return park(id)
        case .failed(let id, let message):
            guard isWatched(id) else { return [] }
            return condemn(id, message)
        case .recalled(let id, let goesOn): return goesOn ? finish(id) : []
        case .restored(let id, let isRestored):
            if !isRestored { unrestored.insert(id) }
            return finish(id)
        case .overdue(let phase):
            guard phase == self.phase else { return [] }
            return overdue()
        case .probationOver:
            return phase == .probation ? settle() : []
        case .cutShort:
            isForGood = true
            return phase == .probation ? settle() : []
        }
        return []
    }

    private mutating func condemn(_ id: NodeID?, _ message: String) -> [Action] {
        guard !isForGood, cause == nil else { return [] }
        switch phase {
        // Decided where the road forks: on arrival.
        case .preparing, .leading: cause = Cause(phase: phase, node: id, message: message)
        case .handingOver, .probation:
            cause = Cause(phase: phase, node: id, message: message)
            return turnBack()
        case .leadingBack, .givingBack, .forcing, .ended: return []
        }
        return []
    }
    private mutating func turnBack() -> [Action] {
        phase = .leadingBack
        pending = []
        return [.leadBack, .limit(.leadingBack)]
    }

    private mutating func arrive() -> [Action] {
        switch phase {
        case .leading:
            guard cause == nil else { return turnBack() }
            phase = .handingOver
            pending = replaced.union(removed).subtracting(done)
            return [.retire] + (pending.isEmpty ? prove() : [.limit(.handingOver)])
        case .leadingBack:
            phase = .givingBack
            pending = replaced.union(removed).union(added).union(reconfigured)
            let actions =
                replaced.sorted().map { done.contains($0) ? Action.takeBack($0) : .recall($0) }
                + removed.sorted().map { done.contains($0) ? Action.revive($0) : .recall($0) }
                + added.sorted().map { .dismiss($0) } + reconfigured.sorted().map { .restore($0) }
            revived = removed.intersection(done)
            pending.subtract(revived)
            return actions + (pending.isEmpty ? giveUp() : [.limit(.givingBack)])
        case .preparing, .handingOver, .probation, .givingBack, .forcing, .ended: return []
        }
    }

    private mutating func succeed(_ id: NodeID) -> [Action] {
        switch phase {
        case .givingBack, .forcing:
            // It was too late to recall the old node: its heir is asked at once to hand back.
            if done.insert(id).inserted { return [.takeBack(id)] }
            return finish(id)
        default:
            done.insert(id)
            return phase == .handingOver ? finish(id) : []
        }
    }
    private mutating func park(_ id: NodeID) -> [Action] {
        switch phase {
        case .givingBack, .forcing:
            let comesBack = removed.contains(id) && revived.insert(id).inserted
            return (comesBack ? [.revive(id)] : []) + finish(id)
        default:
            done.insert(id)
            return phase == .handingOver ? finish(id) : []
        }
    }

    /// The phase no longer waits for a node.
    private mutating func finish(_ id: NodeID) -> [Action] {
        guard pending.remove(id) != nil, pending.isEmpty else { return [] }
        switch phase {
        case .handingOver: return prove()
        case .givingBack, .forcing: return giveUp()
        case .preparing, .leading, .probation, .leadingBack, .ended: return []
        }
    }
    private mutating func prove() -> [Action] {
        phase = .probation
        return isForGood ? [.prove] + settle() : [.prove]
    }
    private mutating func settle() -> [Action] {
        phase = .ended
        return [.settle]
    }
    private mutating func giveUp() -> [Action] {
        phase = .ended
        return [.giveUp]
    }

    private mutating func overdue() -> [Action] {
        switch phase {
        case .leading, .leadingBack:
            if phase == .leading {
                _ = condemn(nil, "requests on their way to old endpoints did not arrive in time")
            }
            return arrive()
        case .handingOver:
            let names = pending.sorted().map { "`\($0)`" }.joined(separator: ", ")
            return condemn(pending.min(), "\(names) did not drain and hand over in time")
        case .givingBack:
            phase = .forcing
            return pending.sorted().map { reconfigured.contains($0) ? .cancel($0) : .cut($0) } + [
                .limit(.forcing)
            ]
        case .forcing: return pending.sorted().map { .abandon($0) }
        case .preparing, .probation, .ended: return []
        }
    }
}
