public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Compares what pipelines let out with what went into them: whether totals are the same, and what the reduction cost.
///
/// All streams are added up by metric and by window of their receiver's epochs. In each window every increase must be the
/// same (`phoenix_conservation_error` is 0); the share of it that is told under names of its own, rather than as others or
/// overflow, is the signal that was preserved. One observer for up to three pipelines, since adding up the whole stream is
/// most of the cost.
public actor Fidelity: Node {
    public struct Config: NodeConfig {
        public var pipelines: [String] = []
        public var every = Duration.seconds(5)
        public var window = Duration.seconds(10)
        public var slack = Duration.seconds(5)
        public var patience = Duration.seconds(60)
        public var warmup = Duration.seconds(60)
        public var expiry = Duration.seconds(900)
        public var rest: [AttributeTarget] = ["phoenix.others", "otel.metric.overflow"]
        public var top = 100
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "pipelines",
                \.pipelines,
                "The names of the pipelines on what is told, in the order `from`, `second`, `third`. Where there is none, the "
                    + "input's name."
            ),
            Field("every", \.every, in: .milliseconds(100)...(.seconds(3600)), "How often it reports."),
            Field(
                "window",
                \.window,
                in: .seconds(1)...(.seconds(3600)),
                "The time over which increases are compared, by the receiver's clock."
            ),
            Field(
                "slack",
                \.slack,
                in: .zero ... .seconds(600),
                "How far batches of several connections may be out of order."
            ),
            Field(
                "patience",
                \.patience,
                in: .seconds(1)...(.seconds(3600)),
                "After so long a window is settled though one of the streams stands still."
            ),
            Field(
                "warmup",
                \.warmup,
                in: .zero ... .seconds(3600),
                "How long it only looks on at first: of series that were there before it, it must see each once."
            ),
            Field(
                "expiry",
                \.expiry,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered: as long as the nodes between remember it."
            ),
            Field("rest", \.rest, "The attributes by which series are known that stand for others."),
            Field(
                "top",
                \.top,
                in: 0...10_000,
                "How many metrics are told by name: those that are furthest from the truth first."
            ),
        ]
    }
    enum Port {
        static let full = InputPort<MetricBatch>("full", required: true)
        static let first = InputPort<MetricBatch>("in", required: true)
        static let second = InputPort<MetricBatch>("second")
        static let third = InputPort<MetricBatch>("third")
        static let reduced = [first, second, third]
    }
    public static let type = NodeType(.observer, "fidelity")
    public static let summary =
        "Compares what pipelines let out with what went in: whether totals are right, and what the reduction cost."
    public static let ports: [PortSpec] =
        [.input(Port.full)] + Port.reduced.map { .input($0) } + [
            .output(ObserverPort.observations), .output(ObserverPort.metrics),
        ]

    private let config: Config
    private let context: NodeContext
    private var full: WindowLedger
    private let pipelines: [ReducedPipeline]
    private var points: ReadingPoints
    /// When a window was first seen to hold something, by the node's clock.
    private var openSince: [UInt64: Duration] = [:]
    private let judgesFrom: Duration

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        let config = settings.base
        (self.config, self.context) = (config, context)
        judgesFrom = context.time.monotonic + config.warmup
        full = config.ledger("full", context)
        let linked = Port.reduced.filter { context.wiring[$0] != nil }
        pipelines = linked.enumerated().map { index, port in
            ReducedPipeline(
                index < config.pipelines.count ? config.pipelines[index] : port.name,
                port,
                config.ledger(port.name, context)
            )
        }
        points = ReadingPoints(context.series, lane: context.id, since: context.time.unixNanoseconds)
    }

    public func run() async throws {
        guard let whole = context.wiring[Port.full] else { return }
        var readers: [@Sendable () async throws -> Void] = [
            { for await batch in whole.messages { await self.book(batch) } }
        ]
        for (index, pipeline) in pipelines.enumerated() {
            guard let reduced = context.wiring[pipeline.port] else { continue }
            readers.append { for await batch in reduced.messages { await self.book(batch, of: index) } }
        }
        try await reporting(every: config.every, context.time, { try await self.tell() }, while: readers)
    }
    public func flush() async throws {
        // Nothing more will come: what is open is as settled as it will ever be.
        for number in open { settle(number, isForced: false) }
        try await send()
    }

    private var now: UInt64 { context.time.unixNanoseconds }
    private func book(_ batch: MetricBatch) { full.book(batch, now: now) }
    private func book(_ batch: MetricBatch, of index: Int) { pipelines[index].ledger.book(batch, now: now) }
    /// The windows that hold something on any side, in order.
    private var open: [UInt64] {
        pipelines.reduce(into: Set(full.open)) { $0.formUnion($1.ledger.open) }.sorted()
    }

    private func tell() async throws {
        let (now, clock) = (now, context.time.monotonic)
        full.lapse(now: now)
        for pipeline in pipelines { pipeline.ledger.lapse(now: now) }
        let (slack, open) = (UInt64(clamping: config.slack.components.seconds), open)
        for number in open where openSince[number] == nil { openSince[number] = clock }
        let overdue = open.last { clock - (openSince[$0] ?? clock) > config.patience }
        for number in open {
            let isPast =
                full.isPast(number, slack: slack)
                && pipelines.allSatisfy { $0.ledger.isPast(number, slack: slack) }
            if isPast || overdue.map({ number <= $0 }) == true { settle(number, isForced: !isPast) }
        }
        try await send()
    }
    private func settle(_ number: UInt64, isForced: Bool) {
        let since = openSince.removeValue(forKey: number) ?? context.time.monotonic
        let whole = full.take(number)
        for pipeline in pipelines {
            let kept = pipeline.ledger.take(number)
            if since >= judgesFrom { pipeline.report.settle(whole, kept, isForced: isForced) }
        }
    }
    private func send() async throws {
        let now = now
        var readings = [
            Observation.Reading("phoenix_fidelity_unwatched_streams_total", Double(full.unwatched)),
            Observation.Reading("phoenix_fidelity_late_points_total", Double(full.late), ["stream": "full"]),
            Observation.Reading(
                "phoenix_fidelity_ignored_points_total",
                Double(full.ignored),
                ["stream": "full"]
            ),
        ]
        for pipeline in pipelines { readings += pipeline.readings(top: config.top) }
        if let batch = points.batch(readings, at: now) {
            try await context.wiring[ObserverPort.metrics].send(batch)
        }
        let alerts = pipelines.flatMap { $0.report.alerts(of: $0.name) }
        try await context.wiring[ObserverPort.observations].send(
            Observation(source: context.id, timeUnixNano: now, readings: readings, alerts: alerts)
        )
    }
}

/// One pipeline that is compared. Belongs to the observer's actor.
private final class ReducedPipeline {
    let name: String
    let port: InputPort<MetricBatch>
    var ledger: WindowLedger
    var report = FidelityReport()
    init(_ name: String, _ port: InputPort<MetricBatch>, _ ledger: consuming WindowLedger) {
        (self.name, self.port) = (name, port)
        self.ledger = ledger
    }
    func readings(top: Int) -> [Observation.Reading] {
        report.readings(of: name, top: top) + [
            Observation.Reading("phoenix_fidelity_late_points_total", Double(ledger.late), ["stream": name]),
            Observation.Reading(
                "phoenix_fidelity_ignored_points_total",
                Double(ledger.ignored),
                ["stream": name]
            ),
        ]
    }
}

extension Fidelity.Config {
    fileprivate func ledger(_ name: String, _ context: NodeContext) -> WindowLedger {
        let targets = rest
        return WindowLedger(
            table: context.series,
            lane: "\(context.id)/\(name)",
            windowLength: UInt64(clamping: window.components.seconds),
            forgetAfterSeconds: UInt32(clamping: expiry.components.seconds),
            watchingSince: context.time.unixNanoseconds
        ) { series in
            targets.contains { target in
                (target.place != .point && series.resource[target.key] != nil)
                    || (target.place != .resource && series.attributes[target.key] != nil)
            }
        }
    }
}
