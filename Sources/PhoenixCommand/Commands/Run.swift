import ArgumentParser
import Logging
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime
import ServiceLifecycle

/// `phoenix run`: runs a graph until it is told to stop.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a graph until SIGTERM or SIGINT.",
        discussion: """
            Prints on standard output what it serves and where, as soon as all of it is open; logs go to standard \
            error. The first signal drains: sources stop, what they took flows to its end. A second one ends at once.
            """
    )

    @Argument(help: "The graph file; without one a demonstration runs.")
    var graph: String?
    @OptionGroup var overlays: Overlays
    @Option(help: "The least level that is logged.")
    var logLevel = LogLevel(.info)
    @Option(help: "How log lines look.")
    var logFormat = LogFormat.text
    @Option(help: "How long a stop waits for what is under way, such as 30s; the graph says it otherwise.")
    var drainTimeout: DurationArgument?

    @Flag(help: "Change the running graph when one of its files changes; SIGHUP does it once.")
    var watch = false

    func run() async throws {
        let loaded = try GraphSource(overlays).loadOrExit(graph)
        let logger = logFormat.logger(logLevel.level)
        let engine: Engine
        do {
            engine = try Engine(
                loaded.graph,
                PhoenixCommand.catalog,
                origin: GraphSource(overlays).origin(graph),
                version: Version.current,
                logger: logger
            )
        } catch let error as SettingsError {
            Terminal.note("\(error)")
            throw Outcome.refused.exitCode
        } catch {
            // The place for `state` cannot be had: the graph is right.
            Terminal.note("\(error)")
            throw Outcome.notStarted.exitCode
        }
        let service = EngineService(engine, drainTimeout: drainTimeout?.duration, logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: ImpatientStop(logger), successTerminationBehavior: .ignore),
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                    .init(
                        service: ReloadTriggers(
                            engine: engine,
                            files: loaded.files,
                            watches: watch,
                            logger: logger
                        ),
                        successTerminationBehavior: .ignore
                    ),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "phoenix.services") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        do { try await group.run() } catch {
            // What a node says may hold the place in the graph file: it goes first, as compilers do.
            Terminal.note("\(error)")
            throw Outcome.notStarted.exitCode
        }
        if service.outcome != .success { throw service.outcome.exitCode }
    }
}

/// A duration on the command line, written as in graph files.
struct DurationArgument: ExpressibleByArgument {
    var duration: Duration
    init(_ duration: Duration) { self.duration = duration }
    init?(argument: String) {
        guard let duration = Duration(written: argument) else { return nil }
        self.duration = duration
    }
    var defaultValueDescription: String { duration.text }
}
