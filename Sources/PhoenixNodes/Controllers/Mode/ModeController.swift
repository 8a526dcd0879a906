public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Steers the graph: hears how many series there are and would be, and asks for the mode that keeps them where they may be.
///
/// All deciding is `ControlLaw`'s, which `docs/control.md` explains.
public actor ModeController: LastingNode {
    /// What becomes of the mode when observations stop.
    public enum SafeMode: String, ChoiceValue { case hold, conservative, balanced, aggressive }
    /// When the experimental pipeline is exposed.
    public enum Exposed: String, ChoiceValue { case always, aggressive }
    public struct Config: NodeConfig {
        public var initial = Mode.conservative
        public var target = 20_000.0
        public var conservativeMax = 15_000.0
        public var aggressiveMin = 25_000.0
        public var hysteresis = 0.1
        public var interval = Duration.seconds(60)
        public var stability = Duration.seconds(120)
        public var calm: Duration?
        public var quiet: Duration?
        public var staleAfter: Duration?
        public var safeMode = SafeMode.hold
        public var kp = 0.5
        public var ki = 0.1
        public var kd = 0.05
        public var integralLimit = 10_000.0
        public var highRiskProcesses = 10
        public var experimental = Exposed.always
        public var correlationPrefix = "pv3ux"
        public var pipeline = PipelineName.optimized
        public var listen: ListenAddress?
        public var token: Secret?
        public init() {}
        public static let fields = steering + waiting + weighing + other
        public var claims: [Claim] { listen.map(ControlAPI.claims) ?? [] }
    }
    enum Port {
        static let input = InputPort<Observation>("in", required: true)
        static let edits = InputPort<ModeChange>("edits")
        static let output = OutputPort<ModeChange>("out")
        static let observations = OutputPort<Observation>("observations")
        static let metrics = OutputPort<MetricBatch>("metrics")
    }
    public static let type = NodeType(.controller, "mode")
    public static let summary = "Asks for the mode that keeps the series of a pipeline between thresholds."
    public static let ports: [PortSpec] = [
        .input(Port.input), .input(Port.edits), .output(Port.output), .output(Port.observations),
        .output(Port.metrics),
    ]
    /// How long the control file is waited for before the first mode: a disk answers within milliseconds, and a dead one
    /// must not leave the graph without a controller.
    private static let fileDeadline = Duration.seconds(2)
    /// The longest time between two reports, and between two looks at the clock.
    private static let reportInterval = Duration.seconds(5)
    private static let tickInterval = Duration.seconds(1)

    private var config: Config
    private let context: NodeContext
    private let desk: LawDesk
    private let api: ControlAPI?
    private var series: ReadingSeries

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
        let desk = LawDesk(settings.base.control, context, context.wiring[Port.output])
        self.desk = desk
        api = config.listen.map { address in
            let api = ControlAPI(desk, token: settings.base.token, context)
            api.attach(to: address, context)
            return api
        }
        series = ReadingSeries(context.series, lane: context.id, scope: "phoenix.control")
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        let desk = desk
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let edits = context.wiring[Port.edits] {
                group.addTask { for await change in edits.messages { desk.follow(change) } }
            }
            if let api {
                api.reopen()
                group.addTask { await api.serve() }
            }
            group.addTask { try await self.watch() }
            group.addTask { try await self.report() }
            for await observation in input.messages {
                desk.observe(observation)
                input.settle()
            }
            api?.close()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        config = settings.base
        desk.take(config.control)
        return true
    }
    /// Everything: the mode, an override with what is left of it, the sum of errors, the version, the history.
    public func handOver() -> ControlMemory? { ControlMemory(law: desk.memory) }
    public func inherit(_ memory: ControlMemory) { desk.inherit(memory.law) }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        .everything
    }

    public static let stateVersion: UInt32 = 1
    public func picture() -> (any StatePicture)? { KeptControl(desk.memory) }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> ControlMemory {
        let kept = try KeptControl(from: &reader)
        var law = ControlLaw(settings.base.control, at: context.time.moment)
        // A control file is newer than this, and its word is to be had in a moment.
        law.goOn(with: kept, decides: context.wiring[Port.edits] == nil, at: context.time.moment)
        return ControlMemory(law: law)
    }

    /// What may be asked from outside the graph.
    var controlDesk: LawDesk { desk }

    /// Lets the law see the time pass.
    private func watch() async throws {
        do {
            let start = context.time.monotonic
            desk.repeatCurrent()
            let waitsForFile = context.wiring[Port.edits] != nil
            while true {
                let isDue = !waitsForFile || context.time.monotonic - start >= Self.fileDeadline
                if !desk.isStarted, isDue { desk.start() }
                desk.tick()
                try await context.time.sleep(for: min(config.interval, Self.tickInterval))
            }
        } catch is CancellationError {
            // The observers have gone: nothing is left to decide.
        }
    }

    /// Shows what the law reads and holds, as observations and as metrics.
    private func report() async throws {
        do {
            while true {
                let (status, now) = (desk.status, context.time.unixNanoseconds)
                let readings = ControlReadings.readings(status)
                try await context.wiring[Port.observations].send(
                    Observation(source: context.id, timeUnixNano: now, readings: readings)
                )
                let metrics = context.wiring[Port.metrics]
                if metrics.isLinked {
                    let start = now &- status.uptime.nanoseconds
                    try await metrics.send(series.batch(readings, start: start, now: now))
                }
                try await context.time.sleep(for: min(config.interval, Self.reportInterval))
            }
        } catch is CancellationError {
            // As above.
        }
    }
}

/// What a `mode` controller remembers.
public struct ControlMemory: Sendable {
    let law: ControlLaw
}
