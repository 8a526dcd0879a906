import PhoenixModel

/// A bounded queue from senders that may not wait, such as event loops, to one reader that does.
///
/// Unlike an `AsyncStream` it outlives a reader that was cancelled.
final class WaitingRoom<Guest: Sendable>: Sendable {
    enum Outcome: Sendable { case taken, full, closed }
    private struct State {
        var guests: [Guest] = []
        var reader: CheckedContinuation<Guest?, Never>?
        var isClosed = false
    }
    private let state = Lock(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func offer(_ guest: Guest) -> Outcome {
        let (outcome, reader) = state.withLock { state -> (Outcome, CheckedContinuation<Guest?, Never>?) in
            if state.isClosed { return (.closed, nil) }
            if let reader = state.reader.take() { return (.taken, reader) }
            guard state.guests.count < limit else { return (.full, nil) }
            state.guests.append(guest)
            return (.taken, nil)
        }
        reader?.resume(returning: guest)
        return outcome
    }

    /// The next in order of arrival; nil once the room is closed and empty, or when the task is cancelled.
    ///
    /// One reader at a time.
    func next() async -> Guest? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isOver, guest) = state.withLock { state -> (Bool, Guest?) in
                    if Task.isCancelled { return (true, nil) }
                    if !state.guests.isEmpty { return (true, state.guests.removeFirst()) }
                    if state.isClosed { return (true, nil) }
                    state.reader = continuation
                    return (false, nil)
                }
                if isOver { continuation.resume(returning: guest) }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(returning: nil)
        }
    }

    /// Lets nobody in any more.
    func close() {
        let reader = state.withLock { state in
            state.isClosed = true
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }

    /// Lets guests in again.
    func open() { state.withLock { $0.isClosed = false } }

    /// Sends all away who wait.
    func clear() -> [Guest] {
        state.withLock { state in
            defer { state.guests = [] }
            return state.guests
        }
    }
}
