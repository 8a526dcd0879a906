public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Asks for the mode that a person names: in the graph file, or while it runs.
public actor Manual: Source {
    public struct Config: NodeConfig {
        public var mode = Mode.balanced
        public var reason = "set in the graph file"
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("mode", \.mode, live: true, "The mode that is asked for, until another is told."),
            Field("reason", \.reason, live: true, "Why, for those who see the mode change."),
        ]
    }
    enum Port { static let output = OutputPort<ModeChange>("out") }
    public static let type = NodeType(.controller, "manual")
    public static let summary = "Asks for the mode that a person names."
    public static let ports: [PortSpec] = [.output(Port.output)]

    private var config: Config
    private var version: UInt64 = 0
    private var hasAsked = false
    private let context: NodeContext
    private let stop = StopSignal()

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
    }

    public func run() async throws {
        if !hasAsked { try await ask(config.mode, because: config.reason) }
        await stop.wait()
    }
    public func quiesce() { stop.raise() }

    public func reconfigure(_ settings: Settings<Config>) async -> Bool {
        let isChanged = settings.base != config
        config = settings.base
        guard isChanged, hasAsked else { return true }
        do { try await ask(config.mode, because: config.reason) } catch {
            context.logger.warning("the mode \(config.mode) reached nobody: \(error)")
        }
        return true
    }
    /// The version goes on growing in the heir, so that a decision is told from the one before.
    public func handOver() -> UInt64? { version }
    public func inherit(_ version: UInt64) { self.version = version }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        .everything
    }

    /// Asks all who follow for a mode; the newest of several decisions counts.
    func ask(_ mode: Mode, because reason: String) async throws {
        version += 1
        let change = ModeChange(
            mode,
            because: reason,
            correlationID: "\(context.id)-\(version)",
            version: version,
            timeUnixNano: context.time.unixNanoseconds
        )
        try await context.wiring[Port.output].send(change)
        hasAsked = true
    }
}
