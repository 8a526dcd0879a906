import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PhoenixGraph
import PhoenixRuntime
import PhoenixWire

/// An API that is written with Hummingbird's router and served by Wire's server, beside whatever else has the address.
///
/// Requests come in on event loops, and wait for the task of the owner: a node serves in its `run`, the engine beside its
/// supervisor. Nothing is spawned elsewhere, so the owner's cancellation reaches every request. Bounded are the body of a
/// request, the answer, the requests that wait, those under way, and the time until each is answered; what goes over is
/// answered 413, 500 or 503, never kept.
final class RoutedAPI: Sendable {
    struct Limits: Sendable {
        /// The largest request body in bytes.
        var bodyBytes = 64 << 10
        /// The largest answer in bytes.
        var answerBytes = 16 << 20
        /// Requests that wait; more are told to come back.
        var waiting = 64
        /// Requests under way at once.
        var concurrent = 8
        /// The time from the whole request to its answer.
        var deadline = Duration.seconds(10)
    }
    /// A request on its way to the router.
    struct Exchange: Sendable {
        var request: Request
        var arrived: Duration
        /// Whether nobody waits for the answer any more.
        var isGone: @Sendable () -> Bool
        var answer: @Sendable (PhoenixWire.HTTPResponse) -> Void
    }
    let limits: Limits
    let token: BearerToken?
    /// Every route as `GET /api/v1/things/{name}`, sorted.
    let served: [String]
    private let time: any TimeSource
    private let logger: Logger
    private let responder: RouterResponder<APIContext>
    private let methods: RouteMethods
    private let waiting: WaitingRoom<Exchange>

    /// - Parameters:
    ///   - token: what callers must show, on all endpoints but open ones; nil or empty lets everybody in.
    ///   - routes: adds the routes; called once, here.
    init(
        time: any TimeSource,
        logger: Logger,
        token: Secret? = nil,
        limits: Limits = Limits(),
        routes: (Router<APIContext>) -> Void
    ) {
        (self.time, self.logger, self.limits) = (time, logger, limits)
        self.token = token.flatMap(BearerToken.init)
        let router = Router(context: APIContext.self)
        router.add(middleware: RefusalsPassThrough())
        routes(router)
        served = router.routes.map { "\($0.method) \($0.path)" }.sorted()
        methods = RouteMethods(router.routes.map { ($0.path, $0.method) })
        responder = router.buildResponder()
        waiting = WaitingRoom(limit: limits.waiting)
    }

    /// What an address serves under one of the API's paths; an open one asks for no token.
    func endpoint(_ purpose: String = "", on address: ListenAddress, isOpen: Bool = false) -> HTTPEndpoint {
        let isLocal = if case .tcp = address { address.isLocal } else { false }
        return HTTPEndpoint(
            RouterEndpoint(api: self, token: isOpen ? nil : token, isLocal: isLocal && token == nil),
            purpose: purpose
        )
    }

    /// Answers requests until `close`, and then those that were taken before; at once when the task is cancelled.
    ///
    /// May be called again after it returned: when the owner was run again, or reopened.
    func serve() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            while true {
                if running < limits.concurrent { running += 1 } else { await group.next() }
                guard let exchange = await waiting.next() else { break }
                group.addTask { await self.answer(exchange) }
            }
        }
        // Nobody will take what waits.
        guard Task.isCancelled else { return }
        for exchange in waiting.clear() { exchange.answer(APIError.stopping.response) }
    }

    /// Takes no new requests.
    func close() { waiting.close() }
    /// Takes requests again, which wait until somebody serves.
    func reopen() { waiting.open() }

    /// Takes a request, or answers that it cannot be taken now.
    ///
    /// - Parameters:
    ///   - isGone: whether nobody waits for the answer any more.
    ///   - answer: called once, from any thread.
    func take(
        _ request: Request,
        isGone: @escaping @Sendable () -> Bool = { false },
        _ answer: @escaping @Sendable (PhoenixWire.HTTPResponse) -> Void
    ) {
        let exchange = Exchange(request: request, arrived: time.monotonic, isGone: isGone, answer: answer)
        switch waiting.offer(exchange) {
        case .taken: return
        case .full: answer(APIError.busy.response)
        case .closed: answer(APIError.stopping.response)
        }
    }

    /// Answers within the deadline, which counts from the request's arrival.
    ///
    /// Work that is over the deadline is cancelled, and its answer is not waited for.
    private func answer(_ exchange: Exchange) async {
        let left = limits.deadline - (time.monotonic - exchange.arrived)
        guard left > .zero else { return exchange.answer(APIError.tooSlow.response) }
        if exchange.isGone() { return }
        await withTaskGroup(of: PhoenixWire.HTTPResponse?.self) { group in
            group.addTask { await self.respond(to: exchange.request) }
            group.addTask {
                // Cut short by the answer, or by the owner's end: who is first is asked below.
                try? await self.time.sleep(for: left)
                return nil
            }
            let first = await group.next() ?? nil
            let isCancelled = Task.isCancelled
            exchange.answer(first ?? (isCancelled ? APIError.stopping : .tooSlow).response)
            group.cancelAll()
        }
    }

    /// The answer to a request; never throws, since every failure has one.
    func respond(to request: Request) async -> PhoenixWire.HTTPResponse {
        let context = APIContext(source: .init(logger: logger))
        do {
            let response = try await responder.respond(to: request, context: context)
            let body = CollectedBody(limit: limits.answerBytes)
            try await response.body.write(body)
            return PhoenixWire.HTTPResponse(response, body.buffers)
        } catch let error as APIError where error.isUnrouted {
            return methods.refusal(of: request).response
        } catch let error as APIError {
            return error.response
        } catch is CancellationError {
            return APIError.stopping.response
        } catch {
            logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return APIError.failed.response
        }
    }
}

/// Lets an `APIError` out of the router as it is, and turns the router's own errors into one.
private struct RefusalsPassThrough: RouterMiddleware {
    func handle(
        _ request: Request,
        context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as HTTPError {
            throw APIError(error)
        } catch is NIOTooManyBytesError {
            throw APIError(.contentTooLarge, "the request body is larger than what is taken here")
        }
    }
}

/// An answer's body, gathered up to a limit.
private final class CollectedBody: ResponseBodyWriter {
    private let limit: Int
    private(set) var buffers: [ByteBuffer] = []
    private var size = 0

    init(limit: Int) { self.limit = limit }

    func write(_ buffer: ByteBuffer) throws {
        size += buffer.readableBytes
        guard size <= limit else { throw AnswerTooLarge(limit: limit) }
        buffers.append(buffer)
    }
    func finish(_ trailingHeaders: HTTPTypes.HTTPFields?) {}
}

private struct AnswerTooLarge: Error, CustomStringConvertible {
    var limit: Int
    var description: String { "the answer is larger than \(limit) bytes" }
}
