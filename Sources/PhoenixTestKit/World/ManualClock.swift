import PhoenixModel
public import PhoenixRuntime

/// A clock that a test moves by hand; `World` moves it to the next sleeper when nobody works.
public final class ManualClock: TimeSource {
    private struct Sleeper {
        let ticket: UInt64
        let wakesAt: Duration
        let continuation: CheckedContinuation<Bool, Never>
    }
    private struct State {
        var now = Duration.zero
        var sleepers: [Sleeper] = []
        var nextTicket: UInt64 = 0
    }
    private let state = Lock(State())
    private let originUnixNano: UInt64

    /// Begins at a fixed moment of the world, 2024-01-01T00:00:00Z, so that texts of tests never change.
    public init(originUnixNano: UInt64 = 1_704_067_200_000_000_000) { self.originUnixNano = originUnixNano }

    public var monotonic: Duration { state.withLock { $0.now } }
    public var unixNanoseconds: UInt64 { originUnixNano &+ monotonic.nanoseconds }
    /// How many tasks sleep.
    public var sleeping: Int { state.withLock { $0.sleepers.count } }

    public func sleep(for duration: Duration) async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let isWoken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if duration <= .zero { return true }
                    state.sleepers.append(
                        Sleeper(ticket: ticket, wakesAt: state.now + duration, continuation: continuation)
                    )
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let sleeper: Sleeper? = state.withLock { state in
                guard let index = state.sleepers.firstIndex(where: { $0.ticket == ticket }) else {
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(returning: false)
        }
        if !isWoken { throw CancellationError() }
    }

    /// Moves time on and wakes those whose time has come, the earliest first.
    public func advance(by duration: Duration) { advance(to: monotonic + duration) }

    /// Moves time to the earliest sleeper; false when nobody sleeps.
    public func advanceToNext() -> Bool {
        guard let next = state.withLock({ $0.sleepers.map(\.wakesAt).min() }) else { return false }
        advance(to: next)
        return true
    }

    private func advance(to moment: Duration) {
        let woken = state.withLock { state in
            state.now = max(state.now, moment)
            let now = state.now
            let woken = state.sleepers.filter { $0.wakesAt <= now }
            state.sleepers.removeAll { $0.wakesAt <= now }
            return woken.sorted { ($0.wakesAt, $0.ticket) < ($1.wakesAt, $1.ticket) }
        }
        for sleeper in woken { sleeper.continuation.resume(returning: true) }
    }
}
