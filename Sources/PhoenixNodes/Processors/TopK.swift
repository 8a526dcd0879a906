public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Shows the first K of each group apart and adds up the rest as "others": exactly, and with all their metrics.
///
/// Who is in is decided by one ranking metric over a sliding window; one who is in stays until another beats it by a
/// margin. Every output is a sum of the node's own: who goes out leaves its outputs standing and counts on in the others.
public actor TopK: JournalingNode {
    /// What of the ranking metric counts.
    public enum Measure: String, ChoiceValue {
        /// What it grew by in the window.
        case increase
        /// Its newest value.
        case value
    }
    public struct Config: NodeConfig {
        public var k = 10
        public var metric = "process.cpu.time"
        public var measure = Measure.increase
        public var window = Duration.seconds(300)
        public var every = Duration.seconds(15)
        public var margin = 0.1
        public var entity: [AttributeTarget] = ["host.name", "process.pid"]
        public var group: [AttributeTarget] = ["host.name"]
        public var keep: [AttributeTarget] = []
        public var others: [AttributeTarget] = ["host.name"]
        public var exempt: Conditions?
        public var gauges: [String: GaugeMerge] = [:]
        public var staleAfter = 2.5
        public var expiry = Duration.seconds(900)
        public var aliveWithin = Duration.seconds(300)
        public var pipeline = ""
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("k", \.k, live: true, in: 0...100_000, "How many entities of each group are shown apart."),
            Field(
                "by",
                \.metric,
                live: true,
                "The metric that ranks them, of any kind: histograms and summaries by their counts."
            ),
            Field("measure", \.measure, live: true, "What of the metric counts."),
            Field(
                "window",
                \.window,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "The time over which an increase is taken, by the node's clock; exact to a twentieth of it."
            ),
            Field(
                "every",
                \.every,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How often they are ranked anew."
            ),
            Field("margin", \.margin, live: true, in: 0...10, "The share by which a challenger must win."),
            Field("entity", \.entity, "The attributes that tell one entity from another."),
            Field("group", \.group, "The attributes of the groups within which entities are ranked."),
            Field(
                "keep",
                \.keep,
                live: true,
                "The attributes that those who are in keep; if none is said, all."
            ),
            Field(
                "others",
                \.others,
                live: true,
                "The attributes that the others keep, beside `phoenix.others`."
            ),
            Field(
                "exempt",
                \.exempt,
                live: true,
                "Entities for which these conditions hold are always in, beyond K."
            ),
            Field(
                "gauges",
                \.gauges,
                live: true,
                "How gauges that meet are merged, by metric, as in `aggregate`."
            ),
            Field(
                "stale_after",
                \.staleAfter,
                live: true,
                in: 1...1000,
                "For how many of its own intervals a gauge counts after its last point."
            ),
            Field(
                "expiry",
                \.expiry,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered, so that it counts on where it stopped."
            ),
            Field(
                "alive_within",
                \.aliveWithin,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long an input counts for the series that are admitted after its last point: as long as the endpoint "
                    + "shows what does not come any more."
            ),
            Field(
                "pipeline",
                \.pipeline,
                "The pipeline's name to observers and controllers. The node's id where it is left out."
            ),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            exempt?.refuseNone("exempt", at: marks["exempt"], &report)
        }
    }
    public static let type = NodeType(.processor, "topk")
    public static let summary =
        "Shows the first K entities of each group apart and adds up the rest, exactly."
    public static let ports = RelabelingPort.all + [.output(RelabelingPort.observations)]

    /// What an heir goes on with: the sums, and who is among the first.
    public struct State: Weighed {
        let content: RelabelingState<TopKProgram>
        let league: League
        public var byteCount: Int { content.byteCount }
    }

    private var settings: Settings<Config>
    private let work: Relabeling<TopKProgram>
    private var league: League

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        self.settings = settings
        let league = League(settings.base, context.series, context.time)
        self.league = league
        work = Relabeling(
            TopKProgram.all(settings, league),
            context,
            pipeline: settings.base.pipeline
        ) { batch, program in
            program.league.watch(batch, program.config, cuts: program.cuts)
        }
    }

    public func run() async throws { try await work.run { try await self.handle($0) } }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        // Who is who cannot change under a ranking that goes on.
        guard league.ranks(settings.base) else { return false }
        self.settings = settings
        work.replace(with: TopKProgram.all(settings, league))
        return true
    }

    public func flush() async throws { try await work.flush() }
    public func handOver() -> State? { State(content: work.state, league: league) }
    public func inherit(_ state: State) {
        if state.league.ranks(settings.base) {
            league = state.league
            work.replace(with: TopKProgram.all(settings, league))
        } else {
            league.learn(state.content.withMemory { $0.reaggregator.inputs })
        }
        work.inherit(state.content)
    }
    public static let stateVersion: UInt32 = 1
    public func picture() -> (any StatePicture)? {
        TopKPicture(sums: work.state.picture, standings: league.picture)
    }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        let league = League(settings.base, context.series, context.time)
        try league.read(from: &reader, settings.base.rules)
        let programs = Programs(settings) { TopKProgram($0, league) }
        return State(content: try .read(from: &reader, programs, context), league: league)
    }
    public func note(in journal: any StateJournal) { work.state.note(in: journal) }
    public static func read(
        journal reader: inout StateReader,
        into state: State,
        _ context: NodeContext
    ) throws {
        try state.content.read(journal: &reader)
    }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        let changed = [
            old.base.entity == new.base.entity ? nil : "`entity`",
            old.base.group == new.base.group ? nil : "`group`",
        ].compactMap { $0 }
        guard !changed.isEmpty else { return .everything }
        return .part(
            "all sums go on; who is among the first K is found out anew, since \(changed.joined(separator: " and ")) changed"
        )
    }

    private func handle(_ event: RelabelingEvent) async throws { try await work.handle(event) }
}
