public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime
import PhoenixWire

/// Takes OpenTelemetry metrics in over OTLP: gRPC, and HTTP with protobuf or JSON, all on each address.
///
/// A request is answered as taken only when its points are placed on every edge. While the graph is full, bodies are not
/// read; what was read waits for `max_wait` and is then refused, with the word to try again. What is refused whole is
/// counted by reason, and told in the log.
public actor OTLPReceiver: Source {
    public struct Config: NodeConfig {
        public var listen: [ListenAddress] = [
            .tcp(host: "127.0.0.1", port: 4317), .tcp(host: "127.0.0.1", port: 4318),
        ]
        public var path = "/v1/metrics"
        public var tls: TLSSettings?
        public var cors: CrossOriginSettings?
        public var maxRequestBytes = ByteCount(64 << 20)
        public var maxWait = Duration.seconds(5)
        public var retryAfter = Duration.seconds(1)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("listen", \.listen, "Where to listen; gRPC and HTTP are told apart by their first bytes."),
            Field("path", \.path, "The path of OTLP/HTTP requests."),
            Field("tls", \.tls, "The certificate that the addresses show; clear text where it is left out."),
            Field(
                "cors",
                \.cors,
                "From which web pages browsers may send over HTTP; from none where it is left out."
            ),
            Field(
                "max_request_bytes",
                \.maxRequestBytes,
                in: 1...,
                "The largest request, before and after decompression; larger ones are answered 413."
            ),
            Field(
                "max_wait",
                \.maxWait,
                live: true,
                "How long a request waits for room in a full graph before it is refused."
            ),
            Field("retry_after", \.retryAfter, live: true, "When a refused sender is told to try again."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            if listen.isEmpty {
                let usual = Self().listen.map(\.text)
                report.add(
                    at: marks["listen"],
                    "`listen` names no address, and nobody could send here",
                    mend:
                        "write one such as `\(usual[0])`, or leave `listen` out for \(usual.joined(separator: " and "))"
                )
            }
            EndpointPath.check(path, usual: Self().path, at: marks["path"], &report)
        }
        public var claims: [Claim] {
            listen.map {
                Claim.listen(address: "\($0)", protocol: AddressSecurity.protocolName(tls), path: path)
            } + (tls?.claims ?? [])
        }
    }
    enum Port {
        static let output = OutputPort<MetricBatch>("out")
    }
    public static let type = NodeType(.receiver, "otlp")
    public static let summary = "Takes OpenTelemetry metrics in over OTLP, by gRPC and HTTP."
    public static let ports: [PortSpec] = [.output(Port.output)]

    let intake: OTLPIntake
    private let context: NodeContext
    private var isEnding = false
    /// `run` is under way: nobody will call it again to open the intake.
    private var isRunning = false

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        self.context = context
        intake = OTLPIntake(settings.base, context, context.wiring[Port.output])
        let security = try AddressSecurity(settings.base.tls, context)
        let routes = OTLPRoutes(
            intake,
            path: settings.base.path,
            security,
            settings.base.cors.map(CrossOrigin.init)
        )
        for address in settings.base.listen { routes.attach(to: "\(address)", context) }
    }

    public func run() async throws {
        isRunning = true
        defer { isRunning = false }
        if !isEnding { intake.open() }
        // Requests are served on the event loops. What is left to do here is to refuse those that waited too long, and to
        // tell the log of the refused.
        while !isEnding || !intake.isIdle {
            try await context.time.sleep(for: .milliseconds(isEnding ? 10 : 100))
            intake.expire()
            intake.refusals.tell()
        }
        intake.rest()
        intake.refusals.tell(isLast: true)
    }
    public func quiesce() {
        intake.close()
        isEnding = true
        // One that never runs has nobody to look after those that wait.
        if !isRunning { intake.rest() }
    }
    public func reopen() {
        intake.reopen()
        isEnding = false
        // Told to end and to go on before it noticed: it goes on.
        if isRunning { intake.open() }
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        intake.reconfigure(settings.base)
        return true
    }
}
