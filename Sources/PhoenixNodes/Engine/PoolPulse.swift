import Logging
import PhoenixModel
import PhoenixRuntime

/// Whether the threads that nodes run on still give a turn to whoever comes.
///
/// A task there is asked again and again. It is asked from beside the pool, and how long it is silent can be read there: where
/// every thread of the pool is held, no point moves, though every address is open and what commands still answers.
final class PoolPulse: Sendable {
    private static let interval = Duration.seconds(1)
    /// What the silence means, for people.
    static let reason = """
        the threads that nodes run on do not answer: each is held by something that waits or computes, and no point moves; \
        take a stack of each thread and restart
        """
    private struct State {
        /// When the question was put that has no answer yet.
        var askedAt: Duration?
        var isTold = false
    }
    private let state = Lock(State())
    private let questions: AsyncStream<Void>
    private let question: AsyncStream<Void>.Continuation
    private let time: any TimeSource
    private let logger: Logger
    private let patience: Duration

    /// - Parameter patience: how long an answer may take before it counts as silence.
    init(_ time: any TimeSource, _ logger: Logger, patience: Duration) {
        (self.time, self.logger, self.patience) = (time, logger, patience)
        (questions, question) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// For how long there has been no answer; nil where that is not long enough to be told.
    var silence: Duration? {
        guard let askedAt = state.withLock({ $0.askedAt }) else { return nil }
        let silence = time.monotonic - askedAt
        return silence < patience ? nil : silence
    }
    /// Whether the silence is so long that it will not end: a loaded machine is none that hangs.
    var isDead: Bool { silence.map { $0 >= patience * 5 } ?? false }

    /// Answers until its task is cancelled; to be run where nodes run.
    func answer() async {
        for await _ in questions {
            let wasTold = state.withLock { state in
                defer { state = State() }
                return state.isTold
            }
            if wasTold { logger.notice("the threads that nodes run on answer again") }
        }
    }
    /// Asks until its task is cancelled; to be run beside the pool.
    func ask() async {
        while !Task.isCancelled {
            let now = time.monotonic
            let isFirst = state.withLock { state in
                guard state.askedAt == nil else { return false }
                state.askedAt = now
                return true
            }
            if isFirst { question.yield() } else { tell() }
            guard (try? await time.sleep(for: Self.interval)) != nil else { return }
        }
    }
    private func tell() {
        guard let silence else { return }
        let isNew = state.withLock { state in
            guard state.askedAt != nil, !state.isTold else { return false }
            state.isTold = true
            return true
        }
        guard isNew else { return }
        logger.error("\(Self.reason)", metadata: ["silent_seconds": "\(silence.components.seconds)"])
    }
}
