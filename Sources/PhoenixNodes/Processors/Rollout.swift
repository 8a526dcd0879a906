public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Sends a stable share of the series by another way: what is new in a graph is tried on some, then on more.
///
/// Which series belong to the share is told by a hash of what they are, the same in every process: a greater share holds all
/// of a smaller one. A flag file says how great it is before the mode does, and the mode before the graph.
///
/// Both ways carry sums of the node's own, so that a series may change its way at any batch: what it grew by is counted on
/// one of them, and `out` and `share` together come to what came in. Where the ways meet again their series must differ:
/// let `mark` name an attribute.
public actor Rollout: LastingIdentityNode {
    public struct Config: NodeConfig {
        public var share = 0.0
        public var by: [AttributeTarget] = []
        public var when: Conditions = []
        public var salt = ""
        public var mark = ""
        public var flagFile = ""
        public var expiry = Duration.seconds(900)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("share", \.share, live: true, in: 0...1, "How great a part of the series goes to `share`."),
            Field(
                "by",
                \.by,
                live: true,
                "The attributes whose values decide, so that series that have them in common go together. All attributes of "
                    + "resource and point, but not the metric, where it is left out."
            ),
            Field(
                "when",
                \.when,
                live: true,
                "Only series for which these conditions hold may go to `share`."
            ),
            Field(
                "salt",
                \.salt,
                live: true,
                "Any text: two nodes with unlike ones choose unlike series, two with the same choose the same."
            ),
            Field(
                "mark",
                \.mark,
                live: true,
                "An attribute that series get on `share`, with the value `share`; none if it is left out."
            ),
            Field(
                "flag_file",
                \.flagFile,
                "A file that says the share, such as `0.25`, `25%`, `on` or `off`, in place of `share` in every mode. It is "
                    + "looked at every second; one that is wrong changes nothing, without one the graph counts. Where it "
                    + "does not answer at the start, points wait for it, for ten seconds at most."
            ),
            Field(
                "expiry",
                \.expiry,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered, so that it counts on where it stopped."
            ),
        ]
        public var claims: [Claim] { flagFile.isEmpty ? [] : [.readsFile(flagFile)] }
    }
    enum Port { static let share = OutputPort<MetricBatch>("share") }
    public static let type = NodeType(.processor, "rollout")
    public static let summary = "Sends a stable share of the series by another way."
    public static let ports = RelabelingPort.all + [.output(Port.share)]

    private var settings: Settings<Config>
    private let work: Relabeling<RolloutProgram>
    public var identities: any IdentityWork { work }
    private let context: NodeContext
    private var flag: FlagFile?
    private let files: FileThread
    /// What a look at the flag file found that took longer than it was waited for.
    private let late = Lock<(FlagFile, FlagFile.News)?>(nil)
    /// How long points wait for the flag file's first answer: which way they go is its to say.
    private static let firstPatience = Duration.seconds(10)
    private let shown: Gauge
    private let refused: Counter

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (self.settings, self.context) = (settings, context)
        let path = SharePath(context.wiring[Port.share], context)
        work = Relabeling(Programs(settings) { RolloutProgram($0) }, context, share: path)
        flag = settings.base.flagFile.isEmpty ? nil : FlagFile(settings.base.flagFile)
        files = FileThread(context, settings.base.flagFile)
        shown = context.vitals.gauge(
            "phoenix_rollout_flag_share",
            [:],
            "The share that the flag file says; -1 while it says none."
        )
        refused = context.vitals.counter(
            "phoenix_rollout_flag_refused_total",
            [:],
            "States of the flag file that could not be read and changed nothing."
        )
        shown.set(-1)
    }

    public func run() async throws {
        guard flag != nil else { return try await work.run { try await self.handle($0) } }
        let answered = StopSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.follow(answered) }
            if try await answered.sleep(for: Self.firstPatience, context.time) {
                context.logger.warning(
                    "the flag file does not answer: until it does the graph says the share"
                )
            }
            try await work.run { try await self.handle($0) }
            group.cancelAll()
        }
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        guard settings.base.flagFile == self.settings.base.flagFile else { return false }
        self.settings = settings
        decide()
        return true
    }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        try RelabelingState.read(from: &reader, Programs(settings) { RolloutProgram($0) }, context)
    }

    private func handle(_ event: RelabelingEvent) async throws {
        try await work.handle(event)
    }

    /// Looks at the flag file every second.
    private func follow(_ answered: StopSignal) async throws {
        while true {
            if let news = await look() {
                tell(news)
                answered.raise()
            }
            try await context.time.sleep(for: .seconds(1))
        }
    }
    /// Looks whether the flag file changed; nil where it does not answer.
    private func look() async -> FlagFile.News? {
        guard let flag else { return nil }
        let found = await files.run(keeping: late) { () -> (FlagFile, FlagFile.News) in
            var flag = flag
            let news = flag.look()
            return (flag, news)
        }
        guard let (flag, news) = found else { return nil }
        self.flag = flag
        return news
    }
    private func tell(_ news: FlagFile.News) {
        switch news {
        case .unchanged: return
        case .broken(let what):
            refused.add()
            context.logger.warning(
                "flag file refused",
                metadata: ["error": "\(what)", "effect": "the share stays"]
            )
            return
        case .share(let share):
            shown.set(share)
            context.logger.info("flag file applied", metadata: ["share": "\(share)"])
        case .gone:
            shown.set(-1)
            context.logger.info("no flag file: the graph says the share")
        }
        decide()
    }
    private func decide() {
        let share = flag?.share
        work.replace(with: Programs(settings) { RolloutProgram($0, share: share) })
    }
}
