import PhoenixModel
public import PhoenixRuntime

/// A small world for concurrent code: one seed decides in which order ready jobs run, and time jumps to the next
/// sleeper only when nobody works.
///
/// It runs the real actors and tasks on one thread. A failure bears the seed that repeats it.
public struct World: Sendable {
    public let seed: UInt64
    public let clock: ManualClock

    /// A generator of the test's own, determined by the seed.
    public var random: SeededGenerator { SeededGenerator(seed: seed &+ 1) }

    /// Runs `body` to its end in a world of its own. Throws `WorldError` when it stalls, and with what `body` throws.
    @discardableResult
    public static func run<Result: Sendable>(
        seed: UInt64 = 1,
        _ body: @escaping @Sendable (World) async throws -> Result
    ) throws -> Result {
        let executor = SimulationExecutor(seed: seed)
        let world = World(seed: seed, clock: ManualClock())
        let outcome = Lock<Swift.Result<Result, any Error>?>(nil)
        // The one task without a parent: this function is where the simulated world begins.
        let task = Task(executorPreference: executor) {
            do {
                let result = try await body(world)
                outcome.withLock { $0 = .success(result) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        var jobs = 0
        while outcome.withLock({ $0 == nil }) {
            if executor.step() {
                jobs += 1
                guard jobs < maximumJobs else {
                    throw WorldError(seed: seed, cause: nil, what: "runs for ever")
                }
                continue
            }
            guard world.clock.advanceToNext() else {
                // Cancelled, so that nothing is left behind; what ignores even that is a leak to be seen.
                task.cancel()
                while executor.step() {}
                throw WorldError(seed: seed, cause: nil, what: "stalled: every task waits for another")
            }
        }
        // What the end of the body left to do: the last steps of its tasks.
        while executor.step() {}
        switch outcome.withLock({ $0 }) {
        case .success(let result)?: return result
        case .failure(let error)?: throw WorldError(seed: seed, cause: error, what: "failed")
        case nil: throw WorldError(seed: seed, cause: nil, what: "ended without a result")
        }
    }

    /// Runs `body` once for each seed, until one fails.
    public static func run(
        seeds: Range<UInt64>,
        _ body: @escaping @Sendable (World) async throws -> Void
    ) throws {
        for seed in seeds { try run(seed: seed, body) }
    }

    private static let maximumJobs = 50_000_000
}

/// A body that failed in a world, with the seed that repeats it.
public struct WorldError: Error, CustomStringConvertible {
    public var seed: UInt64
    public var cause: (any Error)?
    public var what: String
    public var description: String { "seed \(seed): \(what)" + (cause.map { ": \($0)" } ?? "") }
}

/// An expectation inside a world that does not hold: thrown, so that the seed comes with it.
public struct Unexpected: Error, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// Throws `Unexpected` unless `condition` holds.
public func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Unexpected(what()) }
}
