import Dispatch
import Logging
import PhoenixModel
import PhoenixRuntime

/// Where a node does its work on files: on a thread of its own, so that a file that does not answer takes none from the pool
/// that all nodes share.
///
/// A network mount whose server is gone or a disk that dies may keep who asks for hours. A node waits for `patience` and goes
/// on without; the log says so once, and nothing more is begun before what is under way has ended. Where time is a test's,
/// the work is done at once, where it is asked for: nothing in such a world waits for another thread.
final class FileThread: Sendable {
    private struct State {
        /// Jobs begun and not ended: one, and behind it those of whoever came while it was waited for.
        var open = 0
        /// Whether a job took so long that the node went on without it.
        var isSilent = false
    }
    private let state = Lock(State())
    /// A serial queue: its thread is not of the pool.
    private let thread = DispatchQueue(label: "phoenix.file")
    /// Where all of the process learn that their time is over.
    private static let alarm = DispatchQueue(label: "phoenix.file.alarm")
    private let path: String
    private let patience: Duration
    private let logger: Logger
    private let isSimulated: Bool

    /// - Parameters:
    ///   - path: for the log.
    ///   - patience: how long a node waits for one job.
    init(_ context: NodeContext, _ path: String, patience: Duration = .seconds(2)) {
        (self.path, self.patience, logger) = (path, patience, context.logger)
        isSimulated = !(context.time is SystemTime || context.time is EngineTime)
    }

    /// Does a job; nil where it was not done in time, or not begun since an earlier one has not ended, or where the task was
    /// cancelled. What was begun goes on to its end all the same.
    func run<Result: Sendable>(_ job: @escaping @Sendable () -> Result) async -> Result? {
        if isSimulated { return job() }
        guard begin() else { return nil }
        let answer = LateAnswer<Result>()
        thread.async {
            let result = job()
            self.end()
            answer.settle(result)
        }
        Self.alarm.asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: patience.nanoseconds))) {
            // Not where it came, nor where nobody waits for it any more.
            guard answer.isOpen else { return }
            self.noteSilence()
            answer.settle(nil)
        }
        return await answer.wait()
    }
    /// The same for who must not lose what a job finds, however late: it is kept in `late`, and the next call answers it
    /// in place of a job of its own. One call at a time.
    func run<Result: Sendable>(
        keeping late: Lock<Result?>,
        _ job: @escaping @Sendable () -> Result
    ) async -> Result? {
        if let found = late.withLock({ $0.take() }) { return found }
        let answer = await run { () -> Result in
            // An earlier job has ended since.
            if let found = late.withLock({ $0 }) { return found }
            let found = job()
            late.withLock { $0 = found }
            return found
        }
        guard answer != nil else { return nil }
        return late.withLock { $0.take() }
    }

    private func begin() -> Bool {
        state.withLock { state in
            guard !state.isSilent else { return false }
            state.open += 1
            return true
        }
    }
    private func noteSilence() {
        let isNew = state.withLock { state in
            // It has ended between the alarm and now.
            guard state.open > 0, !state.isSilent else { return false }
            state.isSilent = true
            return true
        }
        guard isNew else { return }
        logger.error(
            "a file does not answer: the node goes on without it",
            metadata: [
                "file": "\(path)", "waited": "\(patience)",
                "remedy":
                    "see to the disk or the network mount that it is on; it is asked again once it answers",
            ]
        )
    }
    private func end() {
        let isOver = state.withLock { state in
            state.open -= 1
            guard state.isSilent, state.open == 0 else { return false }
            state.isSilent = false
            return true
        }
        if isOver { logger.notice("the file answers again", metadata: ["file": "\(path)"]) }
    }
}

/// An answer that is waited for by one task: it comes, or is given up.
private final class LateAnswer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value?, Never>)
        case settled(Value?)
    }
    private let state = Lock(State.open)

    /// Whether there is none yet.
    var isOpen: Bool {
        state.withLock { state in if case .settled = state { false } else { true } }
    }

    /// Gives the answer, where there is none yet.
    func settle(_ value: Value?) {
        let waiter: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .settled: return nil
            case .open:
                state = .settled(value)
                return nil
            case .awaited(let waiter):
                state = .settled(nil)
                return waiter
            }
        }
        waiter?.resume(returning: value)
    }

    /// Returns with the answer, or with nil when the task is cancelled.
    func wait() async -> Value? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
                let settled: Value?? = state.withLock { state in
                    if case .settled(let value) = state { return .some(value) }
                    state = .awaited(continuation)
                    return .none
                }
                if let settled { continuation.resume(returning: settled) }
            }
        } onCancel: {
            settle(nil)
        }
    }
}
