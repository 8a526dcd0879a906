/// Work that is run as it is asked for, each in a task of its own below the task that calls `run`, and on its executor.
///
/// Whoever asks needs no task group, and may be on another executor.
struct Errands: Sendable {
    private let asked: AsyncStream<@Sendable () async -> Void>
    private let ask: AsyncStream<@Sendable () async -> Void>.Continuation

    init() { (asked, ask) = AsyncStream.makeStream() }

    /// Runs the work once, cancelled where `close` is called before it begins; never where it was called, or `run` cancelled,
    /// before.
    func add(_ work: @escaping @Sendable () async -> Void) { ask.yield(work) }
    /// Nothing more is taken, and what still runs is cancelled.
    func close() { ask.finish() }

    /// Runs what is asked for until `close`, or until the task is cancelled; answers when all of it has ended.
    @concurrent func run() async {
        await withDiscardingTaskGroup { group in
            for await work in asked { group.addTask { await work() } }
            group.cancelAll()
        }
    }
}

extension DiscardingTaskGroup {
    /// Adds a task that prefers an executor; without one it runs where the parent does, which a preference for nil is not.
    mutating func addTask(on executor: (any TaskExecutor)?, _ work: @escaping @Sendable () async -> Void) {
        guard let executor else { return addTask { await work() } }
        addTask(executorPreference: executor) { await work() }
    }
}
