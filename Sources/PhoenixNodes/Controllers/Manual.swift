public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Asks for the mode that a person names: in the graph file, or while it runs.
public actor Manual: Source, LastingNode {
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
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            EndpointPath.check(path, usual: Self().path, at: marks["path"], &report)
        }
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
        context.listen(address.text, paths: [config.path], api.endpoint("the mode", on: address))
    }

    public func run() async throws {
        // Followers that were linked since have not heard what an heir goes on with.
        if hasAsked { desk.repeat() } else { desk.ask(config.mode, because: config.reason) }
        hasAsked = true
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
    /// What was asked last, and in which settings. The version goes on growing in the heir, so that a decision is told from
    /// the one before.
    public struct State: Sendable {
        var version: UInt64
        var change: ModeChange?
        var settings: Config
    }
    public func handOver() -> State? {
        State(version: desk.version, change: desk.current, settings: config)
    }
    public func inherit(_ state: State) {
        desk.version = state.version
        // What was asked for while it ran stands, until the graph file says another mode.
        guard let change = state.change, state.settings.mode == config.mode,
            state.settings.reason == config.reason
        else { return }
        desk.resume(change)
        hasAsked = true
    }
    public static let stateVersion: UInt32 = 1
    public func picture() -> (any StatePicture)? {
        State(version: desk.version, change: desk.current, settings: config)
    }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        try State(from: &reader)
    }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        if old.base.mode != new.base.mode || old.base.reason != new.base.reason {
            return .part("what was asked for while it ran gives way to the mode that the graph file now says")
        }
        return .everything
    }
}

extension Manual.State: StatePicture {
    public func write(to writer: inout StateWriter) {
        writer.write(version)
        for text in [settings.mode.rawValue, settings.reason] { writer.write(text) }
        writer.write(change != nil)
        guard let change else { return }
        for text in [change.mode.rawValue, change.reason, change.correlationID] { writer.write(text) }
        writer.write(change.version)
        writer.write(change.timeUnixNano)
    }
    init(from reader: inout StateReader) throws {
        version = try reader.number()
        settings = Manual.Config()
        settings.mode = Mode(rawValue: try reader.text()) ?? settings.mode
        settings.reason = try reader.text()
        guard try reader.flag() else { return }
        let (mode, reason, correlation) = (try reader.text(), try reader.text(), try reader.text())
        let (version, time) = (try reader.number(), try reader.number())
        guard let mode = Mode(rawValue: mode) else { throw StateError.malformed(what: "a mode is none") }
        change = ModeChange(
            mode,
            because: reason,
            correlationID: correlation,
            version: version,
            timeUnixNano: time
        )
    }
}
