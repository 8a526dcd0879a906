public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Caps how many series live: per metric, per attribute, in all. What is past a limit is added up in the overflow series of
/// its metric, so that no total changes and no point is dropped.
///
/// A limit counts live outputs; the overflow series, one for each metric (and for what `overflow_keep` keeps apart), come
/// on top. Source: OpenTelemetry metrics SDK, cardinality limits: first come, first served, and each measurement in exactly
/// one series.
public actor Limit: JournalingNode {
    public struct Config: NodeConfig {
        public var total: Int?
        public var perMetric: Int?
        public var metrics: [String: Int] = [:]
        public var attributes: [String: Int] = [:]
        public var neverLimit: Conditions?
        public var overflowKeep: [AttributeTarget] = []
        public var observeOnly = false
        public var gauges: [String: GaugeMerge] = [:]
        public var staleAfter = 2.5
        public var expiry = Duration.seconds(900)
        public var aliveWithin = Duration.seconds(300)
        public var pipeline = ""
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "total",
                \.total,
                live: true,
                "How many series may live in all; no limit if it is left out."
            ),
            Field("per_metric", \.perMetric, live: true, "How many series each metric may have."),
            Field("metrics", \.metrics, live: true, "The same for single metrics, by name."),
            Field(
                "attributes",
                \.attributes,
                "How many values an attribute may have, by its key: `key`, `resource:key` or `point:key`."
            ),
            Field(
                "never_limit",
                \.neverLimit,
                live: true,
                "Series for which these conditions hold always have a place; they count all the same."
            ),
            Field(
                "overflow_keep",
                \.overflowKeep,
                live: true,
                "Attributes that overflow series keep beside `otel.metric.overflow`: few values, since nothing limits them."
            ),
            Field(
                "observe_only",
                \.observeOnly,
                live: true,
                "Counts what would be past a limit, and passes everything on as it is."
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
                "How long a series that is not seen is remembered, and holds its place."
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
            if total == nil, perMetric == nil, metrics.isEmpty, attributes.isEmpty {
                report.add(
                    at: marks.node,
                    "nothing is limited",
                    mend: "add one of `total`, `per_metric`, `metrics`, `attributes`"
                )
            }
            let limits = [("total", total), ("per_metric", perMetric)].compactMap { name, limit in
                limit.map { (name, $0) }
            }
            let named = metrics.map { ("metrics", $0.value) } + attributes.map { ("attributes", $0.value) }
            for (name, limit) in limits + named where limit < 0 {
                report.add(
                    at: marks[name],
                    "a limit of \(limit) series",
                    mend: "write 0 for none, or a number above"
                )
            }
            neverLimit?.refuseNone("never_limit", at: marks["never_limit"], &report)
        }
    }
    public static let type = NodeType(.processor, "limit")
    public static let summary = "Caps how many series live, and adds up what is past it in overflow series."
    public static let ports = RelabelingPort.all + [.output(RelabelingPort.observations)]
    /// How many metrics are named that have most series past a limit.
    static let offenders = 10

    /// What an heir goes on with: the sums, and who has a place.
    public struct State: Weighed {
        let content: RelabelingState<LimitProgram>
        let book: LimitBook
        public var byteCount: Int { content.byteCount }
    }

    private var settings: Settings<Config>
    private let work: Relabeling<LimitProgram>
    private var book: LimitBook
    private let context: NodeContext

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (self.settings, self.context) = (settings, context)
        let book = LimitBook(settings.base, context.series)
        self.book = book
        let time = context.time
        work = Relabeling(
            Programs(settings) { LimitProgram($0, book) },
            context,
            pipeline: settings.base.pipeline
        ) { batch, program in
            program.book.watch(batch, program.config, at: Self.second(time))
        }
    }
    private static func second(_ time: any TimeSource) -> UInt32 {
        UInt32(clamping: time.monotonic.components.seconds) &+ 1
    }

    public func run() async throws { try await work.run { try await self.handle($0) } }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        guard book.counts(settings.base) else { return false }
        self.settings = settings
        work.replace(with: Programs(settings) { [book] in LimitProgram($0, book) })
        return true
    }

    public func flush() async throws { try await work.flush() }
    public func handOver() -> State? { State(content: work.state, book: book) }
    public func inherit(_ state: State) {
        if state.book.counts(settings.base) {
            book = state.book
            work.replace(with: Programs(settings) { [book] in LimitProgram($0, book) })
        }
        // Asked where they go before they are seen, they must not find room that others have.
        let second = Self.second(context.time)
        for id in state.content.withMemory({ $0.reaggregator.inputs }) {
            book.admit(id, settings.base, at: second)
        }
        work.inherit(state.content)
    }
    public static let stateVersion: UInt32 = 1
    public func picture() -> (any StatePicture)? { LimitPicture(sums: work.state.picture, book: book.picture) }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        let book = LimitBook(settings.base, context.series)
        try book.read(from: &reader, settings.base, at: second(context.time))
        let programs = Programs(settings) { LimitProgram($0, book) }
        return State(content: try .read(from: &reader, programs, context), book: book)
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
        old.base.limitedAttributes == new.base.limitedAttributes
            ? .everything
            : .part("all sums go on; who has a place is found out anew, since the limited attributes changed")
    }

    private func handle(_ event: RelabelingEvent) async throws {
        try await work.handle(event)
        guard case .tick = event else { return }
        try await context.wiring[RelabelingPort.observations].send(
            // A source of its own: of each source the newest observation counts.
            Observation(
                source: "\(context.id)/limit",
                timeUnixNano: context.time.unixNanoseconds,
                readings: book.readings(
                    of: settings.base.pipeline.isEmpty ? context.id : settings.base.pipeline
                )
            )
        )
    }
}
