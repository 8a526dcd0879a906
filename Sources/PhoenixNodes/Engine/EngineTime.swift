import Dispatch
import PhoenixModel
import PhoenixRuntime

/// The time of the world, which a deadline keeps also where the pool stands still.
///
/// A sleeper is woken by a thread of the pool that nodes share. What commands, on an executor of its own, is woken by a timer
/// beside it: the deadline of a drain is meant for nodes that hold the pool's threads.
struct EngineTime: TimeSource {
    private let system = SystemTime()
    private static let timer = DispatchQueue(label: "phoenix.time")

    var unixNanoseconds: UInt64 { system.unixNanoseconds }
    var monotonic: Duration { system.monotonic }

    func sleep(for duration: Duration) async throws {
        guard isBesidePool else { return try await system.sleep(for: duration) }
        let sleeper = Sleeper()
        let wait = DispatchTimeInterval.nanoseconds(Int(clamping: duration.nanoseconds))
        Self.timer.asyncAfter(deadline: .now() + wait) { sleeper.wake(isDue: true) }
        guard await sleeper.sleep() else { throw CancellationError() }
    }
    /// Whether the task that asks prefers an executor: none that runs nodes does.
    private var isBesidePool: Bool { withUnsafeCurrentTask { $0?.unownedTaskExecutor != nil } }
}

/// One task that sleeps until it is woken or cancelled.
private final class Sleeper: Sendable {
    private enum State {
        case awake
        case asleep(CheckedContinuation<Bool, Never>)
        case woken(isDue: Bool)
    }
    private let state = Lock(State.awake)

    func wake(isDue: Bool) {
        let sleeper: CheckedContinuation<Bool, Never>? = state.withLock { state in
            switch state {
            case .woken: return nil
            case .awake:
                state = .woken(isDue: isDue)
                return nil
            case .asleep(let sleeper):
                state = .woken(isDue: isDue)
                return sleeper
            }
        }
        sleeper?.resume(returning: isDue)
    }
    /// True once its time has come, false where it was cancelled before.
    func sleep() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let woken: Bool? = state.withLock { state in
                    if case .woken(let isDue) = state { return isDue }
                    state = .asleep(continuation)
                    return nil
                }
                if let woken { continuation.resume(returning: woken) }
            }
        } onCancel: {
            wake(isDue: false)
        }
    }
}
