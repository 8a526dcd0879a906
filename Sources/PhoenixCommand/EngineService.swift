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
    private let drainTimeout: Duration
    private let logger: Logger
    private let result = Lock(Outcome.success)
    var outcome: Outcome { result.withLock { $0 } }

    init(_ engine: Engine, drainTimeout: Duration?, logger: Logger) {
        (self.engine, self.logger) = (engine, logger)
        self.drainTimeout = drainTimeout ?? engine.settings.drainTimeout
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
            group.addTask {
                for await _ in served { break }
                // Cancelled: the engine has ended by itself.
                guard (try? await gracefulShutdown()) != nil else { return }
                await self.drain()
            }
            defer { group.cancelAll() }
            // The engine's end is the end, and it comes after that of a drain: a wait for a signal is let go.
            while try await group.next() != nil {
                if await engine.readiness.phase == .ended { group.cancelAll() }
            }
        }
        logger.info("ended")
    }

    private func greet(_ addresses: [Engine.Address]) {
        Terminal.say(ServedTable(engine.graph.name, addresses).text)
        logger.info(
            "running",
            metadata: ["graph": "\(engine.graph.name)", "nodes": "\(engine.graph.vertices.count)"]
        )
    }

    private func drain() async {
        logger.info("draining", metadata: ["within": "\(drainTimeout)"])
        let report = await engine.drain(within: drainTimeout)
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
        if !report.stuck.isEmpty { exit(Outcome.cutOff.rawValue) }
    }
}

/// Ends the process at the second signal, whatever still runs.
///
/// Services are shut down from the last to the first: this one stands before the engine, and so outlives its drain.
struct ImpatientStop: Service {
    private let logger: Logger
    init(_ logger: Logger) { self.logger = logger }

    func run() async throws {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint).cancelOnGracefulShutdown() {
            count += 1
            guard count > 1 else { continue }
            logger.error("second signal: ended without draining")
            exit(Outcome.cutOff.rawValue)
        }
    }
}
