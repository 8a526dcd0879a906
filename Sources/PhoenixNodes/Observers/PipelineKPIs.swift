import Foundation
public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Puts together what the nodes of all pipelines say of themselves, for controllers and dashboards.
///
/// In one process it hears the nodes' own observations; of another it reads the scraped endpoints: the readings are the same.
public actor PipelineKPIs: Node {
    public struct Config: NodeConfig {
        public var every = Duration.seconds(5)
        public var staleAfter = Duration.seconds(60)
        public var price = 0.05
        public var memoryLimit = ByteCount(512 << 20)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("every", \.every, in: .milliseconds(100)...(.seconds(3600)), "How often it reports."),
            Field(
                "stale_after",
                \.staleAfter,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "What was not said again for so long counts no more; with nothing left it is silent, so that a controller "
                    + "knows that it knows nothing."
            ),
            Field(
                "price",
                \.price,
                live: true,
                in: 0...1_000_000,
                "What a thousand series cost for an hour, in US dollars."
            ),
            Field(
                "memory_limit",
                \.memoryLimit,
                live: true,
                "The memory of which `phoenix_memory_utilization_ratio` is a share."
            ),
        ]
    }
    enum Port {
        static let input = InputPort<Observation>("in")
        /// What a `prometheus` receiver scraped from another process.
        static let scraped = InputPort<MetricBatch>("metrics")
    }
    public static let type = NodeType(.observer, "pipeline_kpis")
    public static let summary =
        "Puts together what pipelines admit, would admit and expose, and what they cost."
    public static let ports: [PortSpec] = [
        .input(Port.input), .input(Port.scraped), .output(ObserverPort.observations),
        .output(ObserverPort.metrics),
    ]

    private let context: NodeContext
    private let every: Duration
    private var board: KPIBoard
    private var scraped = ScrapedReadings()
    private var points: ReadingPoints

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        guard context.wiring[Port.input] != nil || context.wiring[Port.scraped] != nil else {
            throw NothingToObserve(
                node: context.id,
                ports: ["from: some_endpoint.observations", "metrics: some_receiver"]
            )
        }
        self.context = context
        every = settings.base.every
        board = KPIBoard(settings.base.rules)
        points = ReadingPoints(context.series, lane: context.id, since: context.time.unixNanoseconds)
    }

    public func run() async throws {
        let (input, scraped) = (context.wiring[Port.input], context.wiring[Port.scraped])
        var readers: [@Sendable () async throws -> Void] = []
        if let input {
            readers.append { for await observation in input.messages { await self.take(observation) } }
        }
        if let scraped { readers.append { for await batch in scraped.messages { await self.take(batch) } } }
        try await reporting(every: every, context.time, { try await self.report() }, while: readers)
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        guard settings.base.every == every else { return false }
        board.rules = settings.base.rules
        return true
    }

    private func take(_ observation: Observation) { board.take(observation, at: context.time.monotonic) }
    private func take(_ batch: MetricBatch) {
        for (reading, isOver) in scraped.readings(batch, context.series) {
            board.take(reading, isOver: isOver, at: context.time.monotonic)
        }
    }

    private func report() async throws {
        // What is scraped is another process: its figures count, not ours.
        let figures = context.wiring[Port.scraped] == nil ? ProcessFigures.current : nil
        let own = figures.map {
            KPIBoard.Figures(cpuSeconds: $0.cpuSeconds, residentBytes: $0.residentBytes)
        }
        let (readings, alerts) = board.report(at: context.time.monotonic, own: own)
        let now = context.time.unixNanoseconds
        if let batch = points.batch(readings, at: now) {
            try await context.wiring[ObserverPort.metrics].send(batch)
        }
        guard !readings.isEmpty else { return }
        try await context.wiring[ObserverPort.observations].send(
            Observation(source: context.id, timeUnixNano: now, readings: readings, alerts: alerts)
        )
    }
}

extension PipelineKPIs.Config {
    var rules: KPIBoard.Rules {
        KPIBoard.Rules(
            staleAfter: staleAfter,
            dollarsPerThousandSeriesHours: price,
            memoryLimitBytes: Double(memoryLimit.bytes),
            cores: ProcessInfo.processInfo.activeProcessorCount
        )
    }
}
