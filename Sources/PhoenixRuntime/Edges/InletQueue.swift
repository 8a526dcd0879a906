public import PhoenixModel

/// The bounded queue before an input port, shared by all outlets that are linked to it.
///
/// Unlike an `AsyncStream` it makes senders wait, and a reader that is cancelled or throws does not end it: it
/// outlives the node that reads it, and the next run finds every message that was not booked. It ends when the last
/// sender detaches. `metrics` wait in a FIFO; of `observation` the newest of each source counts, of `mode` the
/// newest, and a new reader is told it at once. It may hold one message more than its limits for each outlet that
/// feeds several queues, see `Outlet`.
public final class InletQueue<Content: Message>: Sendable {
    private let state: Lock<QueueState<Content>>
    /// Where the bytes that wait here are booked.
    private let account: AdmissionGate.Account?
    public let limits: QueueLimits

    public init(limits: QueueLimits = QueueLimits(), account: AdmissionGate.Account? = nil) {
        self.limits = limits
        self.account = account
        state = Lock(QueueState(limits: limits))
    }
    deinit { account?.subtract(state.withLock { $0.bytes }) }

    /// Applies one event, books the bytes, and wakes whom it answers.
    private func apply(_ event: (inout QueueState<Content>) -> QueueState<Content>.Wakeups) {
        let (wakeups, change) = state.withLock { state in
            let before = state.bytes
            return (event(&state), state.bytes - before)
        }
        book(change)
        wakeups.resume()
    }
    private func book(_ change: Int) { if change != 0 { account?.add(change) } }

    // MARK: the sending side; called by outlets, some of it under their lock

    func attach() { state.withLock { $0.attach() } }
    func detach() { apply { $0.detach() } }
    @specialized(where Content == MetricBatch)
    func mayPass(_ bytes: Int) -> Passage? { state.withLock { $0.mayPass(bytes) } }
    @specialized(where Content == MetricBatch)
    func enqueue(_ waiter: RoomWaiter<Content>) -> Passage? {
        let (passage, reader, change) = state.withLock { state in
            let before = state.bytes
            let (passage, reader) = state.enqueue(waiter)
            return (passage, reader, state.bytes - before)
        }
        book(change)
        reader?.continuation.resume()
        return passage
    }
    @specialized(where Content == MetricBatch)
    func recall(_ owner: ObjectIdentifier, _ passage: Passage) { apply { $0.recall(owner, passage) } }

    /// Places a message for which there is room, or was a promise of room.
    @specialized(where Content == MetricBatch)
    func place(_ message: Content, bytes: Int) {
        let (reader, change) = state.withLock { state in
            let before = state.bytes
            return (state.place(message, bytes: bytes), state.bytes - before)
        }
        book(change)
        reader?.continuation.resume()
    }

    /// `mayPass` and `place` in one step.
    @specialized(where Content == MetricBatch)
    func offer(_ message: Content, bytes: Int) -> Passage? {
        var change = 0
        var reader: QueueState<Content>.Reader?
        let passage: Passage? = state.withLock { state in
            let passage = state.mayPass(bytes)
            guard passage == .granted else { return passage }
            let before = state.bytes
            reader = state.place(message, bytes: bytes)
            change = state.bytes - before
            return .delivered
        }
        book(change)
        reader?.continuation.resume()
        return passage
    }

    // MARK: the reading side

    func beginReading() {
        apply { state in
            state.beginReading()
            return .init()
        }
    }

    /// The next message, or nil when the last sender has gone and nothing is left, or the task is cancelled.
    ///
    /// What it answers stays in hand until the next call, see `returnInHand`.
    @specialized(where Content == MetricBatch)
    func next() async -> Content? {
        while true {
            if Task.isCancelled {
                apply { $0.leave() }
                return nil
            }
            let (taken, wakeups, change) = state.withLock { state in
                let before = state.bytes
                let (taken, wakeups) = state.take()
                return (taken, wakeups, state.bytes - before)
            }
            book(change)
            wakeups.resume()
            switch taken {
            case .message(let message): return message
            case .ended:
                for call in state.withLock({ $0.takeDrainCalls() }) { call() }
                return nil
            case .empty(let ticket): await waitForMessage(ticket)
            }
        }
    }

    @specialized(where Content == MetricBatch)
    private func waitForMessage(_ ticket: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    !Task.isCancelled && state.wait(.init(ticket: ticket, continuation: continuation))
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.forget(ticket) }?.continuation.resume()
        }
    }

    /// Books the message in hand: it is not given again, whatever is thrown afterwards.
    func settle() { state.withLock { $0.settle() } }

    /// Gives back what a failed reader had in hand: to the front, or away if it was there for the second time.
    func returnInHand() -> Redelivery {
        let (redelivery, change) = state.withLock { state in
            let before = state.bytes
            return (state.returnInHand(), state.bytes - before)
        }
        book(change)
        return redelivery
    }

    /// Tells the reader the end, so that it can hand over; the queue and its senders go on.
    func stopReading() { apply { $0.stopReading() } }
    /// Lets the heir read.
    func resumeReading() { state.withLock { $0.resumeReading() } }

    /// Calls once when the reader has been told that nothing is left and nothing can come; from any thread.
    func whenDrained(_ call: @escaping @Sendable () -> Void) {
        if !state.withLock({ $0.whenDrained(call) }) { call() }
    }

    /// Ends the queue though senders may be attached: they are refused, what is here can still be read.
    public func shut() { apply { $0.shut() } }
    /// Gives up what is here and refuses what comes, since nobody will read any more; answers how many points that was.
    @discardableResult
    public func discard() -> Int {
        var lost = 0
        apply { state in
            let before = state.tally.dropped["ended", default: 0]
            defer { lost = state.tally.dropped["ended", default: 0] - before }
            return state.discard()
        }
        return lost
    }

    /// Whether nothing is left to read and nothing can come.
    public var isDrained: Bool { state.withLock { $0.isDrained } }
    /// Whether the reader has been told the end: nothing is left, or what is left is an heir's.
    var isReadOut: Bool { state.withLock { $0.isReadOut } }
    /// How many messages wait.
    public var count: Int { state.withLock { $0.entries.count } }
    /// The bytes of the messages that wait.
    public var byteCount: Int { state.withLock { $0.bytes } }
    /// How often a reader has thrown with the message that is in hand now.
    var attemptsInHand: Int { state.withLock { $0.inHand?.attempts ?? 0 } }
    var tally: EdgeTally { state.withLock { $0.tally } }
}
