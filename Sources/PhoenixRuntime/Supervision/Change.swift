import PhoenixGraph
import PhoenixModel

/// A change under way, with all that is needed to undo it.
struct Change: Sendable {
    /// Tells its signals from those of an older one; it is the generation that it makes.
    let serial: Int
    let origin: String
    let before: Graph
    let after: Graph
    let plan: Plan
    let limits: ReloadLimits
    let startUnixNano: UInt64
    let began: Duration
    var decisions = Changeover()
    /// New nodes that run as soon as they are linked.
    var fresh: [Assembly.Part] = []
    /// Made or parked nodes that wait for those that bear their name to hand over.
    var successors: [NodeID: Assembly.Part] = [:]
    var kept: [Supervision.Member] = []
    /// What handed over or drained, until the change is settled or undone.
    var parked: [NodeID: Assembly.Part] = [:]
    var endsBefore: [NodeID: EdgeEnds] = [:]
    /// What was handed over, where the heir cannot give its own back.
    var snapshots: [NodeID: any Sendable] = [:]
    /// The names whose heirs began anew: what they take in is no part of what the old ones know.
    var forgotten: Set<NodeID> = []
    /// What the inlets of a name had read when its heir began.
    var pointsAtSuccession: [NodeID: Int] = [:]
    /// The outlets whose gates are closed, by the heir that is to read what they feed.
    var gates: [NodeID: [any OutletEnd]] = [:]
    /// The inlets of nodes that go which the new graph no longer feeds: kept open until their nodes are asked to go, for a
    /// reader that was told the end does not come back when the change is undone before that.
    var keptOpen: [any QueueEnd] = []
    var stateBytes = 0
    var timers: [StopSignal] = []

    /// Opens the gates that were closed for a name, but for those that are closed for another as well.
    mutating func openGates(of id: NodeID) {
        guard let own = gates.removeValue(forKey: id) else { return }
        let others = Set(gates.values.joined().map { ObjectIdentifier($0) })
        for gate in own where !others.contains(ObjectIdentifier(gate)) { gate.release() }
    }
    mutating func openGates() { for id in gates.keys.sorted() { openGates(of: id) } }

    mutating func keepOpen(_ queues: [any QueueEnd]) {
        for queue in queues { queue.attach() }
        keptOpen += queues
    }
    /// What the graph no longer feeds ends.
    mutating func letEnd() {
        let queues = keptOpen
        keptOpen = []
        for queue in queues { queue.detach() }
    }

    func record(_ outcome: ReloadRecord.Outcome, generation: Int, at now: Duration) -> ReloadRecord {
        var record = ReloadRecord(
            outcome: outcome,
            generation: generation,
            origin: origin,
            startUnixNano: startUnixNano,
            duration: now - began,
            stateBytes: stateBytes
        )
        if let cause = decisions.cause { (record.message, record.node) = (cause.message, cause.node) }
        return record
    }
    var failure: ReloadFailure? {
        guard let cause = decisions.cause else { return nil }
        let step: ReloadFailure.Step =
            switch cause.phase {
            case .preparing: .make
            case .leading: .lead
            case .handingOver: .handOver
            default: .probation
            }
        return ReloadFailure(step, node: cause.node, cause.message)
    }
}

/// The answer to one who waits: given once, by whoever comes first.
final class Answer<Success: Sendable>: Sendable {
    private struct State {
        var result: Result<Success, any Error>?
        var waiter: CheckedContinuation<Success, any Error>?
    }
    private let state = Lock(State())

    func give(_ result: Result<Success, any Error>) {
        let waiter = state.withLock { state in
            guard state.result == nil else { return nil as CheckedContinuation<Success, any Error>? }
            state.result = result
            return state.waiter.take()
        }
        waiter?.resume(with: result)
    }
    /// Waits for the answer; at most one does.
    var value: Success {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.waiter = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        }
    }
}
