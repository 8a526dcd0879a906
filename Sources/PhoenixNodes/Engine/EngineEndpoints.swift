import PhoenixGraph
import PhoenixRuntime
import PhoenixWire

/// Where the engine itself answers: `/` and `/health`, `/ready`, `/metrics`.
///
/// Questions are put to the running engine and answered by one task, beside the threads that nodes run on: where those do
/// not answer, that is the answer.
struct EngineEndpoints: Sendable {
    /// The owner of the engine's own routes: no node may bear this name with a space.
    static let owner = "the engine"
    static let paths = ["/", "/health", "/ready", "/metrics"]
    /// Questions that wait; more are told to come back.
    private static let mostWaiting = 64

    enum Topic: Sendable { case health, ready, metrics(ExpositionDialect) }
    struct Question: Sendable {
        var topic: Topic
        var responder: HTTPResponder
    }
    private let questions: AsyncStream<Question>
    private let ask: AsyncStream<Question>.Continuation

    init() {
        (questions, ask) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostWaiting))
    }

    func attach(to addresses: [ListenAddress], _ listeners: Listeners) {
        let routes: [(path: String, purpose: String, handler: EngineHandler)] = [
            ("/", "", EngineHandler(ask) { _ in .health }),
            ("/health", "health", EngineHandler(ask) { _ in .health }),
            ("/ready", "readiness", EngineHandler(ask) { _ in .ready }),
            (
                "/metrics", "the engine's own metrics",
                EngineHandler(ask) { .metrics(.negotiated(accept: $0.fields.list("accept"))) }
            ),
        ]
        for address in addresses {
            for route in routes {
                listeners.attach(
                    address.text,
                    paths: [route.path],
                    HTTPEndpoint(route.handler, purpose: route.purpose),
                    owner: Self.owner
                )
            }
        }
    }

    /// Answers until its task is cancelled.
    func answer(_ supervisor: Supervisor, _ metrics: EngineMetrics, _ pulse: PoolPulse) async {
        for await question in questions {
            var readiness = await supervisor.readiness
            let reloads = await supervisor.reloads
            // No node is told of: there is no telling which of them holds the threads.
            if pulse.silence != nil { readiness.unready.append(Self.owner) }
            question.responder.respond(Self.response(question.topic, readiness, reloads, metrics, pulse))
        }
    }

    private static func response(
        _ topic: Topic,
        _ readiness: Readiness,
        _ reloads: ReloadLedger,
        _ metrics: EngineMetrics,
        _ pulse: PoolPulse
    ) -> HTTPResponse {
        switch topic {
        case .health:
            let isServing = readiness.phase == .running && !pulse.isDead
            let started = metrics.services.engine.startUnixNano
            let uptime = metrics.services.time.unixNanoseconds.subtractingReportingOverflow(started)
            let seconds = uptime.overflow ? 0 : uptime.partialValue / 1_000_000_000
            let body = """
                {"status":"\(isServing ? "healthy" : "unavailable")","phase":"\(readiness.phase.rawValue)",\
                "version":"\(metrics.services.engine.version)","uptime_seconds":\(seconds)\(reason(pulse))}\n
                """
            return json(isServing ? 200 : 503, body)
        case .ready:
            // Ids of nodes are letters, digits, `_` and `-`, the engine's a space too: nothing to escape.
            let unready = readiness.unready.map { "\"\($0)\"" }.joined(separator: ",")
            let body = """
                {"ready":\(readiness.isReady),"phase":"\(readiness.phase.rawValue)",\
                "unready":[\(unready)]\(reason(pulse))}\n
                """
            return json(readiness.isReady ? 200 : 503, body)
        case .metrics(let dialect):
            return .bytes(
                200,
                type: dialect.contentType,
                PlainFamily.exposition(metrics.families(readiness, reloads), as: dialect.format)
            )
        }
    }
    /// What is said where the threads that nodes run on do not answer.
    private static func reason(_ pulse: PoolPulse) -> String {
        guard let silence = pulse.silence else { return "" }
        return #","silent_seconds":\#(silence.components.seconds),"reason":"\#(PoolPulse.reason)""#
    }
    private static func json(_ status: Int, _ body: String) -> HTTPResponse {
        .bytes(status, type: "application/json", Array(body.utf8))
    }
}

/// Passes a request on as a question.
private struct EngineHandler: HTTPHandler {
    private let ask: AsyncStream<EngineEndpoints.Question>.Continuation
    private let topic: @Sendable (HTTPRequestHead) -> EngineEndpoints.Topic

    init(
        _ ask: AsyncStream<EngineEndpoints.Question>.Continuation,
        _ topic: @escaping @Sendable (HTTPRequestHead) -> EngineEndpoints.Topic
    ) {
        (self.ask, self.topic) = (ask, topic)
    }

    var bodyLimit: Int? { 0 }

    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        head.method == .get || head.method == .head ? nil : .methodNotAllowed(allow: "GET, HEAD")
    }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        switch ask.yield(.init(topic: topic(request.head), responder: responder)) {
        case .enqueued: return
        default:
            responder.respond(
                .retryLater(after: .seconds(1), "too many questions at once, or the engine stops\n")
            )
        }
    }
}
