import Foundation
import Logging
import PhoenixModel
import PhoenixNodes
import PhoenixRuntime
import ServiceLifecycle
import UnixSignals

/// An engine as a service: told to shut down, it drains.
final class EngineService: Service {
    private let engine: Engine
    /// Nil leaves it to the graph that runs when the drain begins.
    private let drainTimeout: Duration?
    private let logger: Logger
    private let log: LogWriter
    /// For standard output: who reads that and who reads the log are not the same.
    private let output = LogWriter(
        write: {
            _ = Terminal.write($0 + "\n", to: STDOUT_FILENO)
            return true
        },
        report: { _ in "" }
    )
    /// Where a stop is heard and carried out, also while the threads that nodes run on stand still.
    private let commands = CommandExecutor()
    /// What a stop waits for.
    private enum Stage: String {
        case start = "the start: a node that is made"
        case drain = "the drain"
        case end = "what comes after the drain: open connections, or the writing of the state"
    }
    private let stage = Lock(Stage.start)
    /// How many seconds after its limit a drain may end.
    private static let mostOverrun = 10
    /// How long what comes after it may take: a large state on a slow disk is written whole.
    private static let mostForTheEnd = Duration.seconds(60)
    private let result = Lock(Outcome.success)
    var outcome: Outcome { result.withLock { $0 } }

    init(_ engine: Engine, drainTimeout: Duration?, logger: Logger, log: LogWriter) {
        (self.engine, self.logger, self.log, self.drainTimeout) = (engine, logger, log, drainTimeout)
    }

    func run() async throws {
        // A drain before the engine runs would find nothing to end.
        let (served, tell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await self.engine.run { addresses in
                    self.greet(addresses)
                    tell.yield()
                }
            }
            group.addTask(executorPreference: commands) {
                // Not told: the engine has ended by itself.
                guard await self.isTold() else { return }
                self.endLate(after: self.drainTimeout ?? self.engine.settings.drainTimeout, from: .start)
                for await _ in served { break }
                if !Task.isCancelled { await self.drain() }
            }
            defer { group.cancelAll() }
            // The engine's end is the end, and it comes after that of a drain: a wait for a signal is let go.
            while try await group.next() != nil {
                if await engine.readiness.phase == .ended { group.cancelAll() }
            }
        }
        if engine.hasLostState { result.withLock { $0 = .cutOff } }
        logger.info("ended")
        output.flush()
    }

    private func greet(_ addresses: [Engine.Address]) {
        // Not by `Terminal.say`: a table that nobody reads is no reason to wait or to end, and it is no log line either.
        output.put(ServedTable(engine.graph.name, addresses).text)
        logger.info(
            "running",
            metadata: ["graph": "\(engine.graph.name)", "nodes": "\(engine.graph.vertices.count)"]
        )
    }

    /// Waits to be told to stop; false where the task was cancelled. Nothing here asks the pool for a turn, as whoever shuts
    /// down the services does, and the waiters of their library.
    private func isTold() async -> Bool {
        let (told, tell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        return await withGracefulShutdownHandler {
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    for await _ in told { return true }
                    return false
                }
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { return true }
                    return false
                }
                let isTold = await group.next() ?? false
                group.cancelAll()
                return isTold
            }
        } onGracefulShutdown: {
            tell.yield()
        }
    }

    private func drain() async {
        let limit = if let drainTimeout { drainTimeout } else { await engine.drainTimeout }
        logger.info("draining", metadata: ["within": "\(limit)"])
        stage.withLock { $0 = .drain }
        endLate(after: limit, from: .drain)
        let report = await engine.drain(within: limit)
        stage.withLock { $0 = .end }
        endLate(after: Self.mostForTheEnd, from: .end)
        guard !report.isClean else { return }
        result.withLock { $0 = .cutOff }
        logger.error(
            "drain was cut off",
            metadata: [
                "cut_off": "\(report.cutOff.joined(separator: ","))",
                "stuck": "\(report.stuck.joined(separator: ","))",
            ]
        )
        // What does not even end when it is cancelled would keep the process for ever.
        if !report.stuck.isEmpty {
            log.flush()
            exit(Outcome.cutOff.rawValue)
        }
    }
    /// Ends the process where a stage of the stop does not end: the drain, which has a limit of its own, or what follows it; or
    /// the start, where the engine never came to run.
    private func endLate(after limit: Duration, from first: Stage) {
        let wait = DispatchTimeInterval.seconds(Int(clamping: limit.components.seconds) + Self.mostOverrun)
        DispatchQueue(label: "phoenix.end").asyncAfter(deadline: .now() + wait) { [self] in
            let now = stage.withLock { $0 }
            // What came next has a limit of its own.
            if first != now { return }
            logger.error(
                "the process does not end: it is ended without more ado",
                metadata: ["waited_for": "\(now.rawValue)"]
            )
            log.flush()
            exit(Outcome.cutOff.rawValue)
        }
    }
}

/// Ends the process at the second signal, whatever still runs, and also while the threads that nodes run on stand still.
///
/// Services are shut down from the last to the first: this one stands before the engine, and so outlives its drain.
struct ImpatientStop: Service {
    private let logger: Logger
    private let log: LogWriter
    init(_ logger: Logger, log: LogWriter) { (self.logger, self.log) = (logger, log) }

    func run() async throws {
        let (over, end) = AsyncStream.makeStream(of: Void.self)
        await withTaskExecutorPreference(CommandExecutor()) {
            await withGracefulShutdownHandler {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await self.endAtTheSecond() }
                    group.addTask { for await _ in over { continue } }
                    await group.next()
                    group.cancelAll()
                }
            } onGracefulShutdown: {
                end.finish()
            }
        }
    }
    private func endAtTheSecond() async {
        let time = SystemTime()
        var requests = StopRequests()
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            guard requests.isAnother(at: time.monotonic) else { continue }
            logger.error("second signal: ended without draining")
            log.flush()
            exit(Outcome.cutOff.rawValue)
        }
    }
}

/// Tells a second request to stop from a copy of the first.
///
/// `timeout` signals its child and then its group, and a wrapper passes on what a terminal sends to all: such copies of one
/// request are milliseconds apart.
struct StopRequests {
    /// Within this time after the first signal another one is the same request.
    static let sameWithin = Duration.milliseconds(500)
    private var first: Duration?

    /// A signal came. Answers whether it asks once more.
    mutating func isAnother(at moment: Duration) -> Bool {
        guard let first else {
            first = moment
            return false
        }
        return moment - first >= Self.sameWithin
    }
}
