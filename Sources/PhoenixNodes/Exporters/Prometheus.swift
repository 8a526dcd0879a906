public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime
import PhoenixWire

/// Exposes the newest point of every series to Prometheus.
public actor Prometheus: JournalingNode {
    public struct Config: NodeConfig {
        public var listen = ListenAddress.tcp(host: "127.0.0.1", port: 8889)
        public var path = "/metrics"
        public var tls: TLSSettings?
        public var namespace = ""
        public var labels: [String: String] = [:]
        public var convertsResource = false
        public var translationStrategy = Strategy.underscoreEscapingWithSuffixes
        public var addScopeLabels = true
        public var targetInfo = true
        public var sendTimestamps = false
        public var sendCreated = false
        public var metricExpiration = Duration.seconds(300)
        public var maxSeries = 1_000_000
        public var maxScrapes = 10
        public var gzipLevel = 1
        public var activeSeriesMetric = ""
        public var pipeline = ""
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("listen", \.listen, required: true, "The address that is scraped."),
            Field("path", \.path, "The path that is scraped."),
            Field("tls", \.tls, "The certificate that the address shows; clear text where it is left out."),
            Field("namespace", \.namespace, "Put before every metric's name, with an underscore."),
            Field("labels", \.labels, "Labels that every series gets, by attribute key."),
            Field(
                "resource_to_telemetry_conversion",
                \.convertsResource,
                "Whether resource attributes become labels of every series."
            ),
            Field(
                "translation_strategy",
                \.translationStrategy,
                "How names become Prometheus names. `NoUTF8Escaping…` and `NoTranslation` keep UTF-8 for scrapers that take it."
            ),
            Field(
                "add_scope_labels",
                \.addScopeLabels,
                "Whether series carry `otel_scope_name` and its kin."
            ),
            Field("target_info", \.targetInfo, "Whether `target_info` tells the attributes of resources."),
            Field("send_timestamps", \.sendTimestamps, "Whether samples carry the time of their point."),
            Field(
                "send_created",
                \.sendCreated,
                "Whether counters, histograms and summaries tell when they began: `_created` in OpenMetrics, "
                    + "`created_timestamp` in protobuf."
            ),
            Field(
                "metric_expiration",
                \.metricExpiration,
                "How long a series is exposed after its last point, by the clock."
            ),
            Field(
                "max_series",
                \.maxSeries,
                in: 1...50_000_000,
                "How many series are held at most; new ones beyond it are dropped and counted."
            ),
            Field(
                "max_scrapes",
                \.maxScrapes,
                in: 1...1_000,
                "How many scrapes may run at once; others get 503."
            ),
            Field(
                "gzip_level",
                \.gzipLevel,
                in: 0...9,
                "How hard answers are compressed for who asks; 0 never."
            ),
            Field(
                "active_series_metric",
                \.activeSeriesMetric,
                "The name under which the number of exposed series is told, as it is and with the namespace."
            ),
            Field(
                "pipeline",
                \.pipeline,
                "The pipeline's name to controllers: one that is switched off shows `phoenix_*` state only, and "
                    + "goes on accumulating. The node's id where it is left out."
            ),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            let names = PrometheusFace.Names(self)
            if !activeSeriesMetric.isEmpty, names.active.isEmpty {
                report.add(
                    at: marks["active_series_metric"],
                    "nothing but underscores would be left of `active_series_metric`",
                    mend: "write a name of letters, digits and underscores, or leave it out"
                )
            }
            if let name = names.active.first(where: names.fixed.contains) {
                report.add(
                    at: marks["active_series_metric"],
                    "the endpoint has a metric `\(name)` already",
                    mend: "give `active_series_metric` another name, or leave it out"
                )
            }
            EndpointPath.check(path, usual: Self().path, at: marks["path"], &report)
        }
        public var claims: [Claim] {
            [Claim.listen(address: listen.text, protocol: AddressSecurity.protocolName(tls), path: path)]
                + (tls?.claims ?? [])
        }
    }
    /// `translation_strategy` as it is written.
    public enum Strategy: String, ChoiceValue {
        case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
        case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
        case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
        case noTranslation = "NoTranslation"

        var translation: TranslationStrategy {
            TranslationStrategy(rawValue: rawValue) ?? .underscoreEscapingWithSuffixes
        }
    }
    enum Port {
        static let input = InputPort<MetricBatch>("in", required: true)
        static let mode = InputPort<ModeChange>("mode")
        static let observations = OutputPort<Observation>("observations")
    }
    public static let type = NodeType(.exporter, "prometheus")
    public static let summary = "Serves the newest point of every series to Prometheus."
    public static let ports: [PortSpec] = [
        .input(Port.input), .input(Port.mode), .output(Port.observations),
    ]
    /// The store goes to the heir as it is, or is shown until its heir has everything: what is exposed does not blink.
    public struct State: Weighed {
        let store: ExpositionStore
        public var byteCount: Int { store.byteCount }
    }

    private let context: NodeContext
    private let face: PrometheusFace
    private let options: ExpositionOptions

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        let config = settings.base
        self.context = context
        options = Self.options(config)
        let store = ExpositionStore(options, watchingSince: context.time.unixNanoseconds)
        face = PrometheusFace(config, store, context)
        let face = face
        let security = try AddressSecurity(config.tls, context)
        security.attach(to: config.listen.text, context)
        context.listen(
            config.listen.text,
            protocol: security.protocolName,
            paths: [config.path],
            HTTPEndpoint(
                ExpositionHandler(gzipLevel: config.gzipLevel, maximumScrapes: config.maxScrapes) {
                    face.contents
                },
                purpose: "metrics for Prometheus"
            )
        )
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.watch() }
            group.addTask { await self.takeOver() }
            if let modes = context.wiring[Port.mode] {
                group.addTask { [face] in for await change in modes.messages { face.follow(change) } }
            }
            for await batch in input.messages {
                let began = context.time.monotonic
                face.store.ingest(batch, context.series, now: began)
                face.note(batch)
                input.settle()
                // New series take long: other nodes get their turn of the thread between two batches of them.
                if context.time.monotonic - began > .milliseconds(1) { await Task.yield() }
            }
            finishTakeover()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
    public func handOver() async -> State? {
        finishTakeover()
        return State(store: face.store)
    }
    private func finishTakeover() {
        while !face.store.takeOver(context.series) {}
        face.settle()
    }
    public func inherit(_ state: State) {
        if state.store.change(options) {
            face.inherit(state.store)
        } else {
            let store = ExpositionStore(options, watchingSince: context.time.unixNanoseconds)
            store.succeed(state.store)
            // A scrape that saw a part of the series would tell Prometheus that the rest has ended.
            face.inherit(store, showing: state.store)
        }
    }
    public static let stateVersion: UInt32 = 1
    public func picture() -> (any StatePicture)? {
        ExpositionPicture(face.store, context.series, now: context.time)
    }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        State(
            store: try ExpositionPicture.read(
                &reader,
                options(settings.base),
                context.series,
                now: context.time
            )
        )
    }
    public func note(in journal: any StateJournal) { face.store.note(in: journal, context.series) }
    public static func read(
        journal reader: inout StateReader,
        into state: State,
        _ context: NodeContext
    ) throws {
        try state.store.read(journal: &reader, context.series, now: context.time.monotonic)
    }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        if options(old.base).readsLike(options(new.base)) { return .everything }
        return .part(
            "every series goes on with its value; one whose name or labels change has the new ones, and where several share a "
                + "label set then, their sum begins anew"
        )
    }

    /// Takes what the node before held, to show it under the names and labels of this one: bit by bit, since batches come in
    /// between.
    private func takeOver() async {
        while !Task.isCancelled {
            if face.store.takeOver(context.series) { return face.settle() }
            await Task.yield()
        }
    }

    /// Once a second: ends what expired, and tells how much there is.
    private func watch() async throws {
        do {
            while true {
                try await context.time.sleep(for: .seconds(1))
                while !face.store.expire(now: context.time.monotonic) { await Task.yield() }
                try await context.wiring[Port.observations].send(
                    Observation(
                        source: context.id,
                        timeUnixNano: context.time.unixNanoseconds,
                        readings: face.readings
                    )
                )
            }
        } catch is CancellationError {
            // The data ended: nothing is left to watch.
        }
    }

    static func options(_ config: Config) -> ExpositionOptions {
        var options = ExpositionOptions()
        (options.namespace, options.constantLabels) = (config.namespace, config.labels)
        options.strategy = config.translationStrategy.translation
        (options.convertsResource, options.addsScopeLabels) = (config.convertsResource, config.addScopeLabels)
        (options.exposesTargetInfo, options.sendsTimestamps) = (config.targetInfo, config.sendTimestamps)
        options.sendsCreated = config.sendCreated
        (options.expiration, options.maximumSeries) = (config.metricExpiration, config.maxSeries)
        options.reservedNames = PrometheusFace.Names(config).reserved
        return options
    }
}
