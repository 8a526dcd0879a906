public import PhoenixModel

/// The sending end of an output port: all the edges linked to it.
///
/// A message goes to every edge or to none: room is promised by each queue before one is given anything. A promise
/// holds no room meanwhile, so that senders cannot block one another in a circle; the price is that a queue may hold
/// one message more than its limits for each outlet with several edges. Messages of one outlet keep the order in
/// which they were sent. With no edge linked, sending succeeds, and the points are counted as dropped, `unlinked`.
public final class Outlet<Content: Message>: Sendable {
    private let state = Lock(OutletState<Content>())
    private let time: (any TimeSource)?
    /// The port's name in errors: `node.port`.
    public let name: String

    /// Without `time`, waits are not measured, and `send(_:within:)` waits only as long as `offer` does.
    public init(_ name: String = "out", time: (any TimeSource)? = nil) {
        (self.name, self.time) = (name, time)
    }

    /// Delivers to every linked edge and waits for the slowest: that wait *is* the backpressure.
    ///
    /// Throws `SendError` when a reader is gone, `CancellationError` when the task is cancelled while it waits; the
    /// message was then placed nowhere. Other calls may enter the node here: its state must be whole before it sends.
    @specialized(where Content == MetricBatch)
    public func send(_ message: Content) async throws {
        let bytes = message.byteCount
        let (attempt, ticket) = state.withLock { state in
            let attempt = state.isTaken ? .held : state.attempt(message, bytes: bytes)
            return switch attempt {
            case .delivered, .ended: (attempt, nil as UInt64?)
            case .full, .held: (attempt, state.enter())
            }
        }
        switch attempt {
        case .delivered: return
        case .ended: throw SendError(.ended, port: name)
        case .full, .held: try await sendInTurn(message, bytes: bytes, ticket)
        }
    }

    /// `send`, but throws `SendError` with code `deadline` when there was no room for so long.
    public func send(_ message: Content, within deadline: Duration) async throws {
        if offer(message) { return }
        guard let time else { throw SendError(.deadline, port: name) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.send(message)
                return true
            }
            group.addTask {
                try await time.sleep(for: deadline)
                return false
            }
            guard try await group.next() == false else { return group.cancelAll() }
            group.cancelAll()
            do {
                // The send may have come through while the clock spoke.
                if try await group.next() == true { return }
            } catch is CancellationError {}
            throw SendError(.deadline, port: name)
        }
    }

    /// Delivers to every linked edge at once, or answers false: for event loops, which may not wait.
    @specialized(where Content == MetricBatch)
    public func offer(_ message: Content) -> Bool {
        let bytes = message.byteCount
        return state.withLock { state in
            if state.mayOffer, case .delivered = state.attempt(message, bytes: bytes) { return true }
            state.refusedBytes = bytes
            return false
        }
    }

    /// Calls back once when an `offer` that was refused is worth repeating; from any thread, and it must not wait.
    ///
    /// One who was called back stands before all who come later, but must ask anew if refused again.
    public func onRoom(_ callback: @escaping @Sendable () -> Void) {
        let isRoom = state.withLock { state in
            state.callbacks.append(callback)
            return watch(&state)
        }
        if isRoom { runCallbacks() }
    }

    /// Arranges for a call when there may be room; true when there is.
    private func watch(_ state: inout OutletState<Content>) -> Bool {
        // Who has the turn, opens the gate or is woken at the watched queue runs the callbacks.
        if state.callbacks.isEmpty || state.isTaken || state.isHeld || state.watched != nil { return false }
        for index in state.edges.indices where !state.edges[index].hasPromise {
            let queue = state.edges[index].queue
            let wake: @Sendable (Passage) -> Void = { [weak self] in self?.roomAppeared(at: queue, $0) }
            let waiter = RoomWaiter<Content>(
                owner: id,
                bytes: state.refusedBytes,
                message: nil,
                wake: .callback(wake)
            )
            switch queue.enqueue(waiter) {
            case .granted: state.edges[index].hasPromise = true
            case nil:
                state.watched = queue
                return false
            // A reader that is gone leaves nothing to hope for until the port is linked anew.
            default: return false
            }
        }
        return true
    }
    private func roomAppeared(at queue: InletQueue<Content>, _ passage: Passage) {
        state.withLock { state in
            if state.watched === queue { state.watched = nil }
            if passage == .granted { state.notePromise(of: queue) }
        }
        runCallbacks()
    }
    private func runCallbacks() {
        for callback in state.withLock({ $0.takeCallbacks() }) { callback() }
    }

    /// The edges from now on, in place of those before.
    ///
    /// A send that waits is moved to the new edges; it was placed nowhere yet. Edges left out are detached, and end
    /// when this was their last sender. A new reader of modes is told the one that holds.
    public func relink(to queues: [InletQueue<Content>]) {
        let (old, new) = state.withLock { state in
            let old = state.edges.map(\.queue)
            let new = queues.filter { queue in !old.contains { $0 === queue } }
            for queue in new {
                queue.attach()
                if let latest = state.latest { queue.place(latest, bytes: latest.byteCount) }
            }
            state.edges = queues.map { queue in
                state.edges.first { $0.queue === queue } ?? .init(queue: queue)
            }
            return (old, new)
        }
        for queue in old {
            queue.recall(id, .moved)
            if !queues.contains(where: { $0 === queue }) { queue.detach() }
        }
        if !new.isEmpty || old.count != queues.count { runCallbacks() }
    }

    /// Takes nothing more: its node is gone or parked, and has no edges.
    public func seal() {
        let (waiter, queue) = state.withLock { state in
            state.isSealed = true
            return (state.gateWaiter.take(), state.waitsAt)
        }
        waiter?.resume(returning: .moved)
        queue?.recall(id, .moved)
    }
    /// Takes messages again: the node is no longer parked.
    public func unseal() { state.withLock { $0.isSealed = false } }

    /// Closes the gate: sends wait and offers are refused until `release()`.
    public func hold() {
        let waitsAt = state.withLock { state in
            state.isHeld = true
            return state.waitsAt
        }
        waitsAt?.recall(id, .moved)
    }
    /// Opens the gate.
    public func release() {
        let waiter = state.withLock { state in
            state.isHeld = false
            return state.gateWaiter.take()
        }
        waiter?.resume(returning: .moved)
        runCallbacks()
    }

    /// Whether anybody reads what is sent.
    public var isLinked: Bool { state.withLock { !$0.edges.isEmpty } }
    private var id: ObjectIdentifier { ObjectIdentifier(self) }
    var tally: EdgeTally { state.withLock { $0.tally } }
}

/// The slow way: one sender at a time, in the order of their calls.
extension Outlet {
    @specialized(where Content == MetricBatch)
    private func sendInTurn(_ message: Content, bytes: Int, _ ticket: UInt64?) async throws {
        let began = time?.monotonic
        if let ticket, await !takeTurn(ticket) { throw CancellationError() }
        defer { passTurn(since: began) }
        while true {
            try Task.checkCancellation()
            switch await place(message, bytes: bytes) {
            case .delivered: return
            case .granted, .moved: continue
            case .cancelled: throw CancellationError()
            case .ended: throw SendError(.ended, port: name)
            }
        }
    }

    /// Places the message now, or waits until that is worth another try.
    @specialized(where Content == MetricBatch)
    private func place(_ message: Content, bytes: Int) async -> Passage {
        let (passage, queue) = await withTaskCancellationHandler {
            var waitedAt: InletQueue<Content>?
            let passage: Passage = await withCheckedContinuation { continuation in
                let now: Passage? = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    switch state.attempt(message, bytes: bytes) {
                    case .delivered: return .delivered
                    case .ended: return .ended
                    case .held: state.gateWaiter = continuation
                    case .full(let queue):
                        (state.waitsAt, waitedAt) = (queue, queue)
                        // With one edge the reader takes the message over itself; with several the sender must
                        // first have the promise of the others.
                        let handed = state.edges.count == 1 ? message : nil
                        return queue.enqueue(
                            RoomWaiter(owner: id, bytes: bytes, message: handed, wake: .task(continuation))
                        )
                    }
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
            return (passage, waitedAt)
        } onCancel: {
            let (waiter, queue) = state.withLock { ($0.gateWaiter.take(), $0.waitsAt) }
            waiter?.resume(returning: .cancelled)
            queue?.recall(id, .cancelled)
        }
        guard let queue else { return passage }
        state.withLock { state in
            state.waitsAt = nil
            if passage == .granted { state.notePromise(of: queue) }
            guard passage == .delivered else { return }
            // The reader took the message over.
            state.tally.batches += 1
            state.tally.points += message.pointCount
        }
        return passage
    }

    /// Waits for the turn; false when the task is cancelled before it comes.
    private func takeTurn(_ ticket: UInt64) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let isMine = state.withLock({ $0.wait(ticket, continuation) }) {
                    continuation.resume(returning: isMine)
                }
            }
        } onCancel: {
            state.withLock { $0.forget(ticket) }?.continuation?.resume(returning: false)
        }
    }

    private func passTurn(since began: Duration?) {
        let now = time?.monotonic
        let callbacks = state.withLock { state in
            if let began, let now { state.tally.nanosecondsBlocked += (now - began).nanoseconds }
            state.isOffersTurn = true
            return state.takeCallbacks()
        }
        for callback in callbacks { callback() }
        let (next, isRoom) = state.withLock { state in
            let next = state.passTurn()
            return (next, watch(&state))
        }
        next?.continuation?.resume(returning: true)
        if isRoom { runCallbacks() }
    }
}
