public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Watches how many series come in, of which metrics, labels and processes, and raises an alert when they explode.
///
/// Series are counted exactly, in sixteen bytes each; the values of labels are estimated to 1.6 % (`HyperLogLog`). A process is
/// *high-risk* when it alone has `high_risk_series` series, or `high_risk_growth` times those of one to two windows ago.
public actor Cardinality: Node {
    public struct Config: NodeConfig {
        public var every = Duration.seconds(5)
        public var aliveWithin = Duration.seconds(300)
        public var window = Duration.seconds(60)
        public var explosionGrowth = 3.0
        public var explosionSeries = 1000
        public var process: [AttributeTarget] = ["host.name", "process.executable.name"]
        public var highRiskSeries = 1000
        public var highRiskGrowth = 3.0
        public var highRiskLeast = 100
        public var top = 20
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("every", \.every, in: .milliseconds(100)...(.seconds(3600)), "How often it reports."),
            Field(
                "alive_within",
                \.aliveWithin,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series counts after its last point."
            ),
            Field(
                "window",
                \.window,
                in: .seconds(1)...(.seconds(86_400)),
                "Growth is measured against the series of so long ago."
            ),
            Field(
                "explosion_growth",
                \.explosionGrowth,
                in: 1.01...1_000_000,
                "The alert `cardinality_explosion` is raised when there are so many times the series of a window ago ..."
            ),
            Field(
                "explosion_series",
                \.explosionSeries,
                in: 1...100_000_000,
                "... and at least so many; growth is measured against no fewer."
            ),
            Field("process", \.process, "The attributes that tell one process from another."),
            Field(
                "high_risk_series",
                \.highRiskSeries,
                in: 1...100_000_000,
                "A process of so many series is high-risk."
            ),
            Field(
                "high_risk_growth",
                \.highRiskGrowth,
                in: 1.01...1_000_000,
                "So is one of so many times the series that it had one to two windows ago."
            ),
            Field(
                "high_risk_least",
                \.highRiskLeast,
                in: 1...100_000_000,
                "The growth of a process is measured against at least so many series."
            ),
            Field("top", \.top, in: 1...1000, "How many metrics, labels and processes are told by name."),
        ]
    }
    enum Port {
        static let input = InputPort<MetricBatch>("in", required: true)
    }
    public static let type = NodeType(.observer, "cardinality")
    public static let summary =
        "Watches how many series come in, of which metrics and labels, and raises an alert when they explode."
    public static let ports: [PortSpec] = [
        .input(Port.input), .output(ObserverPort.observations), .output(ObserverPort.metrics),
    ]
    /// So many series' labels are counted anew between two batches.
    private static let sliceSeries = 1024

    private let config: Config
    private let context: NodeContext
    private var census: CardinalityCensus
    private var report: CardinalityReport
    private var points: ReadingPoints
    private var recountAt = Duration.zero

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
        census = CardinalityCensus(context.series, process: settings.base.process)
        report = CardinalityReport(settings.base.rules)
        points = ReadingPoints(context.series, lane: context.id, since: context.time.unixNanoseconds)
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        let reader: @Sendable () async throws -> Void = {
            for await batch in input.messages { await self.take(batch) }
        }
        try await reporting(every: config.every, context.time, { try await self.tell() }, while: [reader])
    }

    private var seconds: UInt32 { UInt32(clamping: context.time.monotonic.components.seconds + 1) }
    private func take(_ batch: MetricBatch) { census.take(batch, at: seconds) }
    private func expire() {
        census.expire(at: seconds, window: UInt32(clamping: config.aliveWithin.components.seconds))
        guard context.time.monotonic >= recountAt else { return }
        recountAt = context.time.monotonic + config.window
        census.beginRecount()
    }
    private func recountSlice() -> Bool { census.recountSlice(Self.sliceSeries) }

    private func tell() async throws {
        expire()
        // Others enter between two slices: batches do not wait for the whole.
        while recountSlice() { await Task.yield() }
        let (readings, alerts) = report.make(census, at: context.time.monotonic)
        let now = context.time.unixNanoseconds
        if let batch = points.batch(readings, at: now) {
            try await context.wiring[ObserverPort.metrics].send(batch)
        }
        try await context.wiring[ObserverPort.observations].send(
            Observation(source: context.id, timeUnixNano: now, readings: readings, alerts: alerts)
        )
    }
}

extension Cardinality.Config {
    var rules: CardinalityReport.Rules {
        CardinalityReport.Rules(
            window: window,
            explosionGrowth: explosionGrowth,
            explosionSeries: explosionSeries,
            highRiskSeries: highRiskSeries,
            highRiskGrowth: highRiskGrowth,
            highRiskLeast: highRiskLeast,
            top: top
        )
    }
}
