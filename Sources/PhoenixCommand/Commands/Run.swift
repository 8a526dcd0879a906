import ArgumentParser
import Logging
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `phoenix run`: runs a graph until it is told to stop.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a graph until SIGTERM or SIGINT.",
        discussion: """
            Prints on standard output what it serves and where, as soon as all of it is open; logs go to standard \
            error. The first signal drains: sources stop, what they took flows to its end. A second one, half a second \
            later or more, ends at once.
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
        Self.ignoreSignals()
        let signatures = SignatureLog()
        let loaded = try GraphSource(overlays).loadOrExit(graph, signatures)
        let log = logFormat.writer()
        defer { log.flush() }
        let logger = logFormat.logger(logLevel.level, to: log)
        Self.raiseDescriptorLimit(logger)
        let engine: Engine
        do {
            engine = try Engine(
                loaded.graph,
                PhoenixCommand.catalog,
                origin: GraphSource(overlays).origin(graph),
                version: Version.current,
                logger: logger,
                droppedLogLines: { log.dropped }
            )
        } catch let error as SettingsError {
            log.put("\(error)")
            throw Outcome.refused.exitCode
        } catch {
            // The place for `state` cannot be had: the graph is right.
            log.put("\(error)")
            throw Outcome.notStarted.exitCode
        }
        let service = EngineService(engine, drainTimeout: drainTimeout?.duration, logger: logger, log: log)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: ImpatientStop(logger, log: log), successTerminationBehavior: .ignore),
                    .init(
                        service: ReloadTriggers(
                            engine: engine,
                            files: loaded.files,
                            signatures: signatures.signatures,
                            watches: watch,
                            logger: logger
                        ),
                        successTerminationBehavior: .ignore
                    ),
                    // The last is told first: no reload holds up a drain.
                    .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "phoenix.services") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        do { try await group.run() } catch {
            // What a node says may hold the place in the graph file: it goes first, as compilers do.
            log.put("\(error)")
            throw Outcome.notStarted.exitCode
        }
        if service.outcome != .success { throw service.outcome.exitCode }
    }

    /// Before the engine is made, which takes no more connections than there are descriptors for.
    private static func raiseDescriptorLimit(_ logger: Logger) {
        guard let limit = DescriptorLimit.raise() else { return }
        logger.debug(
            "the limit of open files",
            metadata: [
                "before": "\(limit.before.soft)", "after": "\(limit.after.soft)",
                "hard": "\(limit.after.hard)",
            ]
        )
    }

    /// Lets no signal end the process that is not meant to.
    ///
    /// A SIGHUP that comes before `ReloadTriggers` takes it over is lost: whether the graph is read before the change that it
    /// tells of, or after, nobody knows. A reader of the output that goes away is no reason to end either.
    private static func ignoreSignals() {
        signal(SIGHUP, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
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
