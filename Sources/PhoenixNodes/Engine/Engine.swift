public import Logging
import NIOCore
import NIOPosix
public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime
import PhoenixWire
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A graph with all that it takes to run: event loops, server, series table, supervisor, and the engine's own endpoints.
///
/// The `engine` and `memory_limiter` sections of the graph shape it. Runs once.
public final class Engine: Sendable {
    /// Where a node listens, for people.
    public struct Address: Sendable, Equatable {
        /// The node, or `the engine`.
        public var node: String
        /// Its type; nil for the engine.
        public var type: NodeType?
        /// `HTTP` or `gRPC`, and whether over TLS.
        public var speech: String
        /// The address as really bound.
        public var address: String
        public var path: String
        public var purpose: String
    }
    /// The graph that it began with.
    public let graph: Graph
    public let settings: EngineSettings
    /// Where its graph is read anew from.
    public let origin: GraphOrigin
    let catalog: NodeCatalog
    let supervisor: Supervisor
    let services: EngineServices
    private let endpoints = EngineEndpoints()
    private let pulse: PoolPulse
    private let admin: AdminAPI
    /// Nil where the graph names no file for it.
    private let keeper: StateKeeper?
    private let stateLoss = Lock(false)
    private let droppedLogLines: (@Sendable () -> Int)?
    private let loops: MultiThreadedEventLoopGroup
    /// Where commands run: beside the threads that points go through, so that they need not wait for those.
    let commands = CommandExecutor()
    private let server: HTTPServer
    private let failures: ConnectionFailures
    /// The addresses of `server`, also those that a reload moves.
    let servers: WireServerProvider

    /// Throws `SettingsError` where the engine's own sections do not fit; the loader found that before.
    ///
    /// - Parameters:
    ///   - origin: where the graph is read anew from.
    ///   - droppedLogLines: the lines that the log of `logger` has dropped so far, for the engine's metrics; nil where it
    ///     drops none, or does not know.
    ///   - patience: how long the threads that nodes run on may take for an answer before the engine is not ready.
    public init(
        _ graph: Graph,
        _ catalog: NodeCatalog,
        origin: GraphOrigin? = nil,
        version: String,
        logger: Logger,
        droppedLogLines: (@Sendable () -> Int)? = nil,
        patience: Duration = .seconds(2)
    ) throws {
        let settings: EngineSettings = try Self.section("engine", of: graph)
        let memory: MemoryLimiterSettings = try Self.section("memory_limiter", of: graph)
        (self.graph, self.settings, self.catalog) = (graph, settings, catalog)
        self.origin = origin ?? GraphOrigin(graph)
        self.droppedLogLines = droppedLogLines
        let loopCount = settings.eventLoops > 0 ? settings.eventLoops : System.coreCount
        loops = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)
        var configuration = HTTPConfiguration()
        DescriptorLimit.current?.bound(&configuration)
        let failures = ConnectionFailures(logger, limit: configuration.maxConnections)
        self.failures = failures
        server = HTTPServer(group: loops, configuration: configuration) { failures.note($0) }
        servers = WireServerProvider(server, failures)
        let time = EngineTime()
        pulse = PoolPulse(time, logger, patience: patience)
        let info = EngineInfo(
            graph: graph.name,
            version: version,
            instance: settings.instance.isEmpty ? Self.hostName : settings.instance,
            startUnixNano: time.unixNanoseconds
        )
        services = EngineServices(
            series: SeriesTable(capacity: settings.maxSeries, idleSeconds: settings.seriesIdleSeconds),
            time: time,
            listeners: Listeners(servers),
            gate: AdmissionGate(memory.limits),
            logger: logger,
            engine: info,
            limits: settings.queueLimits,
            commands: commands,
            residentCheckInterval: memory.checkInterval
        )
        supervisor = Supervisor(catalog: catalog, services: services)
        let state: StateSettings = try Self.section("state", of: graph)
        keeper = state.path.isEmpty ? nil : try StateKeeper(state, services)
        endpoints.attach(to: settings.listen, services.listeners)
        let asked = EngineReference()
        admin = AdminAPI({ asked.engine }, settings.admin, time: time, logger: logger)
        admin.attach(to: settings.adminAddresses, services.listeners)
        asked.engine = self
    }

    private static func section<Config: NodeConfig>(_ name: String, of graph: Graph) throws -> Config {
        guard let tree = graph.settings[name] else { return Config() }
        var report = Report()
        guard let config = Config.decode(tree, at: tree.mark, &report) else {
            throw SettingsError(report.diagnostics)
        }
        return config
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Runs the graph until it is drained, or all its nodes have ended by themselves.
    ///
    /// Throws `StartError` or `ListenError` with nothing started. `whenServing` is called once every address is open and
    /// every node runs.
    public func run(whenServing: @escaping @Sendable ([Address]) -> Void = { _ in }) async throws {
        do {
            try await runAll(whenServing)
        } catch {
            await keeper?.neverRan()
            await closeLoops()
            throw error
        }
        await closeLoops()
    }

    private func runAll(_ whenServing: @escaping @Sendable ([Address]) -> Void) async throws {
        let metrics = EngineMetrics(
            services: services,
            server: server,
            failures: failures,
            keeper: keeper,
            droppedLogLines: droppedLogLines
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.keepTime() }
            group.addTask(executorPreference: commands) {
                await self.endpoints.answer(self.supervisor, metrics, self.pulse)
            }
            group.addTask { await self.pulse.answer() }
            group.addTask(executorPreference: commands) { await self.pulse.ask() }
            group.addTask(executorPreference: commands) { await self.admin.routed.serve() }
            if let keeper {
                group.addTask(executorPreference: commands) { await keeper.run(self.supervisor) }
            }
            defer { group.cancelAll() }
            try await supervisor.run(
                graph,
                whenRunning: { whenServing(self.addresses) },
                restoring: { nodes in await self.keeper?.restore(nodes) }
            )
        }
        // All tasks have ended: nobody else writes.
        if let keeper, let memories = await supervisor.memories {
            let saving = await keeper.save(memories.nodes, isFinal: true)
            stateLoss.withLock { $0 = saving != .written }
        }
    }

    /// Moves the clock of the series table, retires what was silent, gives back what was freed, and tells of connections that
    /// came to nothing.
    private func keepTime() async throws {
        let start = services.time.monotonic
        defer { failures.tell(at: services.time.monotonic, isLast: true) }
        while !Task.isCancelled {
            let seconds = (services.time.monotonic - start).components.seconds
            services.series.advance(to: UInt32(clamping: seconds + 1))
            if seconds % 10 == 9 { FreedMemory.giveBack() }
            failures.tell(at: services.time.monotonic)
            // Cancelled: the engine has ended.
            guard (try? await services.time.sleep(for: .seconds(1))) != nil else { return }
        }
    }

    private func closeLoops() async {
        do { try await loops.shutdownGracefully() } catch {
            services.logger.warning("event loops did not end", metadata: ["error": "\(error)"])
        }
    }

    /// Ends the engine from its sources to its sinks; answers once it has ended, or when what is left cannot be ended.
    public func drain(within deadline: Duration? = nil) async -> DrainReport {
        await withTaskExecutorPreference(commands) {
            let limit = if let deadline { deadline } else { await drainTimeout }
            return await supervisor.drain(within: limit)
        }
    }

    /// Whether the state could not be written when all nodes had ended, so that what came since the last writing is lost; the
    /// log names it.
    public var hasLostState: Bool { stateLoss.withLock { $0 } }

    /// How far the engine came.
    public var readiness: Readiness { get async { await supervisor.readiness } }

    /// What the engine and its nodes count, now.
    public var vitals: VitalsSnapshot { services.vitals.snapshot() }

    /// Where the engine and its nodes listen now, the engine first.
    public var addresses: [Address] {
        let all = services.listeners.served.map { served in
            let endpoint = served.endpoint as? any DescribedEndpoint
            return Address(
                node: served.owner,
                type: graph.vertices[served.owner]?.type,
                speech: (endpoint?.speech ?? served.protocolName)
                    + (served.protocolName == TLSEndpoint.protocolName ? " over TLS" : ""),
                address: served.address,
                path: served.path,
                purpose: endpoint?.purpose ?? ""
            )
        }
        return all.filter { !$0.purpose.isEmpty }.sorted {
            ($0.type == nil ? 0 : 1) < ($1.type == nil ? 0 : 1)
        }
    }
}

/// The engine that the admin API speaks of, which is made after it.
private final class EngineReference: Sendable {
    private struct Holder: Sendable { weak var engine: Engine? }
    private let holder = Lock(Holder())
    var engine: Engine? {
        get { holder.withLock { $0.engine } }
        set { holder.withLock { $0.engine = newValue } }
    }
}
