public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Asks for the mode that a person names: in the graph file, or while it runs.
public actor Manual: Source {
    public struct Config: NodeConfig {
        public var mode = Mode.balanced
        public var reason = "set in the graph file"
        public var listen: ListenAddress?
        public var path = "/api/v1/mode"
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("mode", \.mode, live: true, "The mode that is asked for, until another is told."),
            Field("reason", \.reason, live: true, "Why, for those who see the mode change."),
            Field(
                "listen",
                \.listen,
                "Where the mode can be asked for over HTTP; nowhere if it is left out."
            ),
            Field("path", \.path, "The path of `GET`, `PUT` and `POST` there."),
        ]
        public var claims: [Claim] {
            listen.map { [.listen(address: $0.text, protocol: "http", path: path)] } ?? []
        }
    }
    enum Port { static let output = OutputPort<ModeChange>("out") }
    public static let type = NodeType(.controller, "manual")
    public static let summary = "Asks for the mode that a person names."
    public static let ports: [PortSpec] = [.output(Port.output)]

    private var config: Config
    private var hasAsked = false
    private let desk: ModeDesk
    private let api: RoutedAPI?
    private let stop = StopSignal()

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        config = settings.base
        desk = ModeDesk(context, context.wiring[Port.output])
        api = config.listen == nil ? nil : ModePath(desk, path: config.path, context).api
        guard let address = config.listen, let api else { return }
        context.listen(address.text, paths: [config.path], api.endpoint("the mode"))
    }

    public func run() async throws {
        if !hasAsked {
            desk.ask(config.mode, because: config.reason)
            hasAsked = true
        }
        await withTaskGroup(of: Void.self) { group in
            if let api {
                api.reopen()
                group.addTask { await api.serve() }
            }
            await stop.wait()
            api?.close()
        }
    }
    public func quiesce() { stop.raise() }
    public func reopen() {
        stop.lower()
        api?.reopen()
    }

    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        let isChanged = settings.base != config
        config = settings.base
        if isChanged, hasAsked { desk.ask(config.mode, because: config.reason) }
        return true
    }
    /// The version goes on growing in the heir, so that a decision is told from the one before.
    public func handOver() -> UInt64? { desk.version }
    public func inherit(_ version: UInt64) { desk.version = version }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        .everything
    }
}
