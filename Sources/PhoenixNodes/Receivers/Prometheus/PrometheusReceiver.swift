import Logging
public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime
import PhoenixWire

/// Scrapes Prometheus endpoints: one job, any number of targets, each on its own.
public actor PrometheusReceiver: Source {
    public struct Config: NodeConfig {
        public var jobName = ""
        public var targets: [String] = []
        public var staticConfigs: [ScrapeGroup] = []
        public var fileSDConfigs: [FileDiscoveryConfig] = []
        public var httpSDConfigs: [HTTPDiscoveryConfig] = []
        public var dnsSDConfigs: [DNSDiscoveryConfig] = []
        public var relabelConfigs: [RelabelRule] = []
        public var metricRelabelConfigs: [RelabelRule] = []
        public var scrapeInterval = Duration.seconds(60)
        public var scrapeTimeout = Duration.seconds(10)
        public var metricsPath = "/metrics"
        public var scheme = Scheme.http
        public var params: [String: [Secret]] = [:]
        public var honorLabels = false
        public var honorTimestamps = true
        public var trackTimestampsStaleness = false
        public var enableCompression = true
        public var followRedirects = true
        public var scrapeNativeHistograms = false
        public var fallbackScrapeProtocol = FallbackProtocol.none
        public var bodySizeLimit = ByteCount.mebibytes(64)
        public var sampleLimit = 0
        public var labelLimit = 0
        public var labelNameLengthLimit = 0
        public var labelValueLengthLimit = 0
        public var targetLimit = 0
        public var extraScrapeMetrics = false
        public init() {}
    }
    /// `scheme` as it is written.
    public enum Scheme: String, ChoiceValue { case http, https }
    /// `fallback_scrape_protocol` as it is written.
    public enum FallbackProtocol: String, ChoiceValue {
        case none
        case text = "PrometheusText0.0.4"
        case openMetrics = "OpenMetricsText1.0.0"
        case protobuf = "PrometheusProto"

        var syntax: ExpositionSyntax? {
            switch self {
            case .none: nil
            case .text: .text
            case .openMetrics: .openMetrics
            case .protobuf: .protobuf
            }
        }
    }
    enum Port {
        static let output = OutputPort<MetricBatch>("out")
    }
    public static let type = NodeType(.receiver, "prometheus")
    public static let summary = "Scrapes Prometheus endpoints, in the text format, OpenMetrics or protobuf."
    public static let ports: [PortSpec] = [.output(Port.output)]

    private let config: Config
    private let context: NodeContext
    private let stop = StopSignal()
    private let estate = ScrapeEstate()
    /// A client in place of the real one, for tests.
    private let standIn: (any ScrapeClient)?

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context, standIn) = (settings.base, context, nil)
    }
    init(_ config: Config, _ context: NodeContext, _ client: any ScrapeClient) {
        (self.config, self.context, standIn) = (config, context, client)
    }

    public func run() async throws {
        if let standIn { return try await scrape(by: standIn) }
        let client = HTTPScrapeClient()
        do {
            try await scrape(by: client)
        } catch {
            try await client.close()
            throw error
        }
        try await client.close()
    }
    public func quiesce() { stop.raise() }
    public func reopen() { stop.lower() }

    /// Which series are to end when their targets turn out to be gone.
    public struct State: Weighed {
        let targets: [ScrapeTarget: OpenSeries]
        public var byteCount: Int { targets.values.reduce(0) { $0 + $1.byteCount } }
    }
    public func handOver() -> State? { State(targets: estate.all) }
    public func inherit(_ state: State) { estate.replace(with: state.targets) }

    // MARK: Targets

    private enum Event: Sendable {
        /// A scraper or a discovery has ended.
        case ended
        case found(Int, [ScrapeGroup], any TargetDiscovery)
    }

    /// Scrapes all targets by a client until the node is stopped.
    private func scrape(by client: any ScrapeClient) async throws {
        let client: any ScrapeClient = config.followRedirects ? RedirectFollower(client: client) : client
        let world = DiscoveryWorld(client: client, context: context, stop: stop)
        var pool = TargetPool()
        let isOverLimit = Lock(false)
        var leftOut: [Int: Int] = [:]
        estate.open()
        try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask { [stop] in
                await stop.wait()
                return .ended
            }
            var isSettling = false
            /// What nobody claims is gone only once every source of targets has answered.
            func settleWhenKnown() {
                guard !isSettling, leftOut.count > config.discoveries.count else { return }
                isSettling = true
                group.addTask { [estate, output = context.wiring[Port.output]] in
                    try await estate.settle(world, output)
                    return .ended
                }
            }
            func discover(_ source: Int, _ discovery: any TargetDiscovery, isFirst: Bool) {
                group.addTask {
                    guard let next = try await world.next(of: discovery, isFirst: isFirst) else {
                        return .ended
                    }
                    return .found(source, next.groups, next.then)
                }
            }
            func update(_ source: Int, _ groups: [ScrapeGroup]) {
                let (found, flawed) = targets(of: groups)
                leftOut[source] = flawed
                for start in pool.update(source: source, found) {
                    let scraper = TargetScraper(
                        start,
                        config,
                        world,
                        context.wiring[Port.output],
                        isOverLimit,
                        estate
                    )
                    group.addTask {
                        try await scraper.run()
                        return .ended
                    }
                }
                let isOver = config.targetLimit > 0 && pool.count > config.targetLimit
                isOverLimit.withLock { $0 = isOver }
                context.vitals.gauge("phoenix_scrape_targets", [:], "Targets there are.").set(
                    Double(pool.count)
                )
                context.vitals.gauge(
                    "phoenix_scrape_targets_left_out",
                    [:],
                    "Targets that are not scraped, since what relabelling made of their labels is no target."
                ).set(Double(leftOut.values.reduce(0, +)))
                settleWhenKnown()
            }
            update(-1, config.groups)
            for (source, discovery) in config.discoveries.enumerated() {
                discover(source, discovery, isFirst: true)
            }
            while let event = try await group.next() {
                guard case .found(let source, let groups, let discovery) = event else { continue }
                update(source, groups)
                discover(source, discovery, isFirst: false)
            }
        }
    }
    /// The targets of these groups, equal ones once, and how many are none.
    private func targets(of groups: [ScrapeGroup]) -> (found: [ScrapeTarget], flawed: Int) {
        let job = config.jobName.isEmpty ? context.id : config.jobName
        var (targets, seen, flawed): ([ScrapeTarget], Set<ScrapeTarget>, Int) = ([], [], 0)
        for group in groups {
            for address in group.targets {
                do throws(ScrapeTarget.Flaw) {
                    let target = try ScrapeTarget.make(address, group.labels, config, job: job) {
                        config.relabelConfigs.apply(to: $0)
                    }
                    if let target, seen.insert(target).inserted { targets.append(target) }
                } catch {
                    flawed += 1
                    let metadata: Logger.Metadata = ["node": "\(context.id)"]
                    context.logger.warning("a target is left out: \(error)", metadata: metadata)
                }
            }
        }
        return (targets, flawed)
    }
}
