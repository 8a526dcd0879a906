import DequeModule
import PhoenixModel

/// The decisions of an outlet: whose turn it is, and whether a message can be placed on every edge.
struct OutletState<Content: Message> {
    struct Edge {
        let queue: InletQueue<Content>
        /// The queue has promised room for one message. A promise holds no room, so it may be kept for any time:
        /// two outlets with the same queues, or a reader that feeds a queue before it, cannot block each other.
        var hasPromise = false
    }
    /// A sender behind another of the same outlet.
    struct Turn {
        let ticket: UInt64
        /// Nil until the sender has come to wait.
        var continuation: CheckedContinuation<Bool, Never>?
    }
    enum Attempt {
        case delivered
        case ended
        /// The queue that has no room.
        case full(InletQueue<Content>)
        /// The gate is closed.
        case held
    }
    typealias Callback = @Sendable () -> Void

    var edges: [Edge] = []
    /// The gate: closed while a graph is changed.
    var isHeld = false
    /// The node is gone or parked: nothing is taken any more, so that no sender believes a message placed.
    var isSealed = false
    /// Whether a sender has the turn, and so waits for room or the gate. At most one message of an outlet does:
    /// this keeps their order and bounds how far a promise can overshoot a queue.
    var isTaken = false
    /// Between two turns event loops may offer, so that a long line does not keep them out.
    var isOffersTurn = false
    var mayOffer: Bool { !isTaken || isOffersTurn }
    var line = Deque<Turn>()
    var nextTicket: UInt64 = 0
    /// The ticket that got the turn before its sender had come to wait.
    var called: UInt64?
    /// The sender that has the turn and waits for the gate.
    var gateWaiter: CheckedContinuation<Passage, Never>?
    /// The queue at which the sender that has the turn waits.
    var waitsAt: InletQueue<Content>?
    var callbacks: [Callback] = []
    /// The queue that will tell when there is room for the callbacks.
    var watched: InletQueue<Content>?
    var refusedBytes = 0
    /// The newest mode, told to edges that are linked later.
    var latest: Content?
    var tally = EdgeTally()

    /// Places the message on every edge, or on none.
    mutating func attempt(_ message: Content, bytes: Int) -> Attempt {
        if isSealed { return .ended }
        if isHeld { return .held }
        if edges.count == 1, !edges[0].hasPromise {
            switch edges[0].queue.offer(message, bytes: bytes) {
            case .delivered: break
            case nil: return .full(edges[0].queue)
            default: return .ended
            }
        } else {
            if let failure = collect(bytes) { return failure }
            for index in edges.indices {
                edges[index].queue.place(message, bytes: bytes)
                edges[index].hasPromise = false
            }
        }
        // What is observed or decided is for whoever listens: that nobody does loses no point.
        if edges.isEmpty, Content.kind == .metrics { tally.drop(message.pointCount, reason: "unlinked") }
        tally.batches += 1
        tally.points += message.pointCount
        if Content.kind == .mode { latest = message }
        return .delivered
    }

    /// Asks every edge for a promise of room; nil when all have given it.
    private mutating func collect(_ bytes: Int) -> Attempt? {
        for index in edges.indices where !edges[index].hasPromise {
            switch edges[index].queue.mayPass(bytes) {
            case .granted: edges[index].hasPromise = true
            case nil: return .full(edges[index].queue)
            default: return .ended
            }
        }
        return nil
    }

    mutating func notePromise(of queue: InletQueue<Content>) {
        for index in edges.indices where edges[index].queue === queue { edges[index].hasPromise = true }
    }

    /// Takes the turn, and answers nil, or a place behind those that wait for it.
    ///
    /// In one step with the attempt that failed: a sender that came later must not find its place taken, or left.
    mutating func enter() -> UInt64? {
        guard isTaken else {
            isTaken = true
            return nil
        }
        nextTicket += 1
        line.append(Turn(ticket: nextTicket, continuation: nil))
        return nextTicket
    }
    /// The sender waits; answers at once whether it has the turn where that is known.
    mutating func wait(_ ticket: UInt64, _ continuation: CheckedContinuation<Bool, Never>) -> Bool? {
        if called == ticket {
            called = nil
            return true
        }
        guard let index = line.firstIndex(where: { $0.ticket == ticket }) else { return false }
        line[index].continuation = continuation
        return nil
    }
    mutating func forget(_ ticket: UInt64) -> Turn? {
        guard let index = line.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return line.remove(at: index)
    }
    /// Gives the turn to the next in line.
    mutating func passTurn() -> Turn? {
        isOffersTurn = false
        let next = line.popFirst()
        isTaken = next != nil
        if let next, next.continuation == nil { called = next.ticket }
        return next
    }
    mutating func takeCallbacks() -> [Callback] {
        defer { callbacks = [] }
        return callbacks
    }
}
