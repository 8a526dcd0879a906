import PhoenixModel

/// Stops one child of a task group, which by itself can only be cancelled whole.
final class StopSignal: Sendable {
    private struct State {
        var isSet = false
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Lock(State())

    func set() {
        let waiter = state.withLock { state in
            state.isSet = true
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Runs `work` until it ends or the signal is set, which cancels it.
    func guarding(_ work: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await work()
                return true
            }
            group.addTask {
                await self.wait()
                return false
            }
            // Whichever comes first; the work's own end is awaited in both cases.
            let isDone = try await group.next() ?? true
            group.cancelAll()
            if !isDone { try await group.waitForAll() }
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    if state.isSet || Task.isCancelled { return false }
                    state.waiter = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }
}
