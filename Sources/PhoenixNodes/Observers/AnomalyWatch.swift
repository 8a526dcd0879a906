public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Watches the course of readings and raises alerts: into the log, as observations, and to a webhook.
///
/// Each reading is compared with its own past: how far it is from its mean, how fast it grows, and whether it has the shape
/// of exponential growth, of a leak or of an oscillation. An alert is one line of JSON, in the words of `POST /anomaly`.
public actor AnomalyWatch: Node {
    /// Where alerts are posted.
    public struct Webhook: ObjectValue, Hashable {
        public var url = Secret("")
        public var headers: [String: Secret] = [:]
        public var timeout = Duration.seconds(5)
        public var attempts = 5
        public var breakAfter = 5
        public var breakFor = Duration.seconds(30)
        public init() {}
        public static let fields: [Field<Self>] = [
            Field("url", \.url, required: true, "The address, as in `http://127.0.0.1:8080/anomaly`."),
            Field("headers", \.headers, "Headers that are sent along."),
            Field(
                "timeout",
                \.timeout,
                in: .milliseconds(10)...(.seconds(300)),
                "How long an answer may take."
            ),
            Field("attempts", \.attempts, in: 1...100, "How often an alert is tried before it is given up."),
            Field(
                "break_after",
                \.breakAfter,
                in: 1...1000,
                "After so many failures in a row nothing is tried ..."
            ),
            Field("break_for", \.breakFor, in: .milliseconds(100)...(.seconds(3600)), "... for so long."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            WebURL.check(url, "url", at: marks["url"], &report)
        }
    }
    public struct Config: NodeConfig {
        public var readings: [String] = []
        public var zScore = 4.0
        public var rateOfChange = 1.0
        public var samples = 60
        public var repeatAfter = Duration.seconds(300)
        public var webhook: Webhook?
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "readings",
                \.readings,
                live: true,
                "The names of the readings that are watched; all, if none is said."
            ),
            Field(
                "zscore",
                \.zScore,
                live: true,
                in: 1...1000,
                "By how many standard deviations a value must differ from those before."
            ),
            Field(
                "rate_of_change",
                \.rateOfChange,
                live: true,
                in: 0.01...1_000_000,
                "The share by which a value must grow in a minute, however few `samples` count: 1 is twice as much."
            ),
            Field(
                "samples",
                \.samples,
                live: true,
                in: 12...10_000,
                "How many of a reading's newest values count."
            ),
            Field(
                "repeat_after",
                \.repeatAfter,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long an alert holds before what goes on is told again."
            ),
            Field("webhook", \.webhook, "Where alerts are posted; nowhere if it is left out."),
        ]
    }
    enum Port {
        static let input = InputPort<Observation>("in", required: true)
    }
    public static let type = NodeType(.observer, "anomaly")
    public static let summary =
        "Watches the course of readings and raises alerts, into the log, as observations and to a webhook."
    public static let ports: [PortSpec] = [
        .input(Port.input), .output(ObserverPort.observations), .output(ObserverPort.metrics),
    ]

    private let context: NodeContext
    private let client: any WebhookClient
    private var config: Config
    private var detector: AnomalyDetector
    private var webhook: WebhookQueue
    private var points: ReadingPoints
    private var counts: [Anomaly.Kind: Int] = [:]
    private var serial: UInt64 = 0
    private var wake: AsyncStream<Void>.Continuation?

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        self.init(settings, context, client: HTTPWebhookClient())
    }
    init(_ settings: Settings<Config>, _ context: NodeContext, client: any WebhookClient) {
        (config, self.context, self.client) = (settings.base, context, client)
        detector = AnomalyDetector(settings.base.rules)
        webhook = WebhookQueue(settings.base.webhook?.rules ?? .init(), seed: context.seed)
        points = ReadingPoints(context.series, lane: context.id, since: context.time.unixNanoseconds)
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        if webhook.count > 0 { wake.yield() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in wakes { try await self.post() } }
            for await observation in input.messages { try await take(observation) }
            group.cancelAll()
            // What could not be posted is given up with the node.
            while let result = await group.nextResult() { if case .success = result { continue } }
        }
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        guard settings.base.webhook == config.webhook else { return false }
        config = settings.base
        detector.rules = settings.base.rules
        return true
    }

    private func take(_ observation: Observation) async throws {
        var observation = observation
        if !config.readings.isEmpty { observation.readings.removeAll { !config.readings.contains($0.name) } }
        let found = detector.take(observation, at: context.time.monotonic)
        for anomaly in found { raise(anomaly) }
        try await tell(found)
    }
    private func raise(_ anomaly: Anomaly) {
        serial += 1
        counts[anomaly.kind, default: 0] += 1
        let text = AlertText(anomaly, id: "\(context.id)-\(serial)", at: context.time.unixNanoseconds).json
        context.logger.warning("anomaly", metadata: ["alert": "\(text)"])
        guard config.webhook != nil else { return }
        webhook.add(Array(text.utf8))
        wake?.yield()
    }

    private func tell(_ found: [Anomaly]) async throws {
        var readings: [Observation.Reading] = []
        for kind in Anomaly.Kind.allCases {
            let labels = ["kind": kind.rawValue]
            readings.append(.init("phoenix_anomaly_active", Double(detector.active(kind)), labels))
            readings.append(.init("phoenix_anomaly_alerts_total", Double(counts[kind] ?? 0), labels))
        }
        if config.webhook != nil {
            readings.append(.init("phoenix_anomaly_webhook_posted_total", Double(webhook.delivered)))
            readings.append(.init("phoenix_anomaly_webhook_waiting", Double(webhook.count)))
            for loss in WebhookQueue.Loss.allCases {
                let count = Double(webhook.losses[loss] ?? 0)
                readings.append(.init("phoenix_anomaly_webhook_lost_total", count, ["reason": loss.rawValue]))
            }
        }
        let now = context.time.unixNanoseconds
        let alerts = found.map { Observation.Alert("anomaly_\($0.kind.rawValue)", AlertText.reason($0)) }
        if let batch = points.batch(readings, at: now) {
            try await context.wiring[ObserverPort.metrics].send(batch)
        }
        try await context.wiring[ObserverPort.observations].send(
            Observation(source: context.id, timeUnixNano: now, readings: readings, alerts: alerts)
        )
    }

    /// Posts until nothing waits.
    private func post() async throws {
        guard let target = config.webhook else { return }
        while true {
            switch webhook.next(at: context.time.monotonic) {
            case .rest: return
            case .wait(let delay): try await context.time.sleep(for: delay)
            case .post(let body):
                let outcome = try await outcome(of: body, target)
                webhook.finish(body, outcome, at: context.time.monotonic)
            }
        }
    }
    private func outcome(of body: [UInt8], _ target: Webhook) async throws -> WebhookQueue.Outcome {
        do {
            let headers = target.headers.mapValues(\.value)
            let status = try await client.post(body, to: target.url.value, headers, within: target.timeout)
            switch status {
            case 300..<400:
                let error =
                    "it answered \(status), which is not followed; name the address it leads to as `url`"
                context.logger.warning("webhook", metadata: ["status": "\(status)", "error": "\(error)"])
            case 400...: context.logger.warning("webhook", metadata: ["status": "\(status)"])
            default: break
            }
            return WebhookQueue.Outcome(status: status)
        } catch {
            try Task.checkCancellation()
            context.logger.warning("webhook", metadata: ["error": "\(ConnectionTrouble(error))"])
            return .failed
        }
    }
}

extension AnomalyWatch.Config {
    var rules: AnomalyDetector.Rules {
        var rules = AnomalyDetector.Rules()
        (rules.zScore, rules.rateOfChange) = (zScore, rateOfChange)
        (rules.samples, rules.repeatAfter) = (samples, repeatAfter)
        return rules
    }
}
extension AnomalyWatch.Webhook {
    var rules: WebhookQueue.Rules {
        var rules = WebhookQueue.Rules()
        (rules.attempts, rules.breakAfter, rules.breakFor) = (attempts, breakAfter, breakFor)
        return rules
    }
}
