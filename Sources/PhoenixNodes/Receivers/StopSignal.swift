import PhoenixModel
import PhoenixRuntime

/// Tells a source, whatever it waits for, that it is to end: once raised it stays raised until it is lowered.
final class StopSignal: Sendable {
    private struct State {
        var isRaised = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextTicket: UInt64 = 0
    }
    private let state = Lock(State())

    var isRaised: Bool { state.withLock { $0.isRaised } }

    func raise() {
        let waiters = state.withLock { state in
            state.isRaised = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Takes the word back: who waits from now on waits for the next.
    func lower() { state.withLock { $0.isRaised = false } }

    /// Returns once the signal is raised, or the task cancelled.
    func wait() async {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRaised || Task.isCancelled { return true }
                    state.waiters[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }

    /// Sleeps; false when the signal was raised meanwhile. Throws `CancellationError` when the task is cancelled.
    func sleep(for duration: Duration, _ time: any TimeSource) async throws -> Bool {
        await withTaskGroup(of: Void.self) { group in
            // A sleep that was cut short ends like one that was slept out: who calls looks at the signal.
            group.addTask { try? await time.sleep(for: duration) }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
        return !isRaised
    }
}
