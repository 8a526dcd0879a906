import PhoenixRuntime
import PhoenixWire

/// What the receiver serves on each of its addresses.
struct OTLPRoutes {
    static let service = "opentelemetry.proto.collector.metrics.v1.MetricsService"
    /// Signals that OTLP knows and this receiver does not take.
    static let otherPaths = ["/v1/traces", "/v1/logs", "/v1development/profiles"]

    private let intake: OTLPIntake
    private let path: String
    private let security: AddressSecurity
    private let crossOrigin: CrossOrigin?
    private let health = HealthService()

    init(_ intake: OTLPIntake, path: String, _ security: AddressSecurity, _ crossOrigin: CrossOrigin?) {
        (self.intake, self.path, self.security) = (intake, path, security)
        self.crossOrigin = crossOrigin
        intake.whenServing { [health] isServing in
            if isServing {
                health.set(service: Self.service, status: .serving)
            } else {
                health.stop()
            }
        }
    }

    func attach(to address: String, _ context: NodeContext) {
        func serve(_ paths: [String], _ endpoint: any Endpoint) {
            context.listen(address, protocol: security.protocolName, paths: paths, endpoint)
        }
        security.attach(to: address, context)
        let notServed = OTLPNotServed(refusals: intake.refusals)
        serve(
            [path],
            HTTPEndpoint(OTLPHTTPHandler(intake: intake, crossOrigin: crossOrigin), purpose: "OTLP metrics")
        )
        serve(Self.otherPaths.filter { $0 != path }, HTTPEndpoint(notServed))
        serve([FallbackEndpoint.path], FallbackEndpoint(notServed))
        let export = GRPCMethodEndpoint(OTLPExport(intake: intake), purpose: "OTLP metrics")
        serve(["/\(Self.service)/Export"], export)
        for (name, method) in health.methods { serve([name], GRPCMethodEndpoint(method)) }
    }
}

/// `POST /v1/metrics`.
struct OTLPHTTPHandler: HTTPHandler {
    let intake: OTLPIntake
    let crossOrigin: CrossOrigin?
    var bodyLimit: Int? { intake.maxRequestBytes }
    var gate: HTTPGate? { intake.gate }

    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        if let preflight = crossOrigin?.preflight(head) { return preflight }
        guard let failure = refusal(head) else { return nil }
        intake.refusals.note(failure, .http, head)
        return allowing(head, failure.response(OTLPEncoding(mediaType: head.mediaType) ?? .json))
    }
    private func allowing(_ head: HTTPRequestHead, _ response: HTTPResponse) -> HTTPResponse {
        CrossOrigin.allowing(crossOrigin?.allowed(head), response)
    }
    private func refusal(_ head: HTTPRequestHead) -> OTLPFailure? {
        guard head.method == .post else {
            return .methodNotAllowed("OTLP requests are sent by POST, not \(head.method.token)")
        }
        guard OTLPEncoding(mediaType: head.mediaType) != nil else {
            return .unsupportedMedia(
                "content-type \(head.mediaType ?? "is missing and") must be application/x-protobuf or application/json"
            )
        }
        guard ContentCoding(head.fields["content-encoding"]) != nil else {
            return .unsupportedCoding(
                "content-encoding \(head.fields["content-encoding"] ?? "") is not known here; use gzip"
            )
        }
        if let length = head.contentLength, length > intake.maxRequestBytes { return tooLarge }
        return intake.refusal(bytes: head.contentLength ?? 0)
    }
    private var tooLarge: OTLPFailure {
        .tooLarge("the request is larger than \(intake.maxRequestBytes) bytes; send smaller batches")
    }

    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        guard let encoding = OTLPEncoding(mediaType: request.head.mediaType),
            let coding = ContentCoding(request.head.fields["content-encoding"])
        else { return }
        let reply = OTLPReply.http(responder, encoding, origin: crossOrigin?.allowed(request.head))
        let onTurn: (@escaping @Sendable () -> Void) -> Void = { responder.onLoop($0) }
        let failure: OTLPFailure?
        do {
            if coding == .identity {
                failure = intake.take(body, encoding, loop: request.loop, reply, onTurn)
            } else {
                failure = try request.inflater.withInflated(body, coding, limit: intake.maxRequestBytes) {
                    intake.take($0, encoding, loop: request.loop, reply, onTurn)
                }
            }
        } catch InflateError.tooLarge {
            failure = tooLarge
        } catch {
            let name = request.head.fields["content-encoding"] ?? "gzip"
            failure = .invalidArgument("the body is not \(name): \(error)")
        }
        if let failure {
            intake.refusals.note(failure, .http, request.head, peer: request.peer)
            reply.fail(failure)
        }
    }

    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        if let reason = RequestRefusal(problem) { intake.refusals.note(reason, .http, problem.message, head) }
        let failure: OTLPFailure =
            switch problem {
            case .bodyTooLarge: tooLarge
            case .notFound: .notFound(problem.message)
            case .tooMuchBuffered, .gateTimeout, .handlerTimeout:
                .unavailable(.busy, problem.message, intake.retryAfter)
            default: .other(problem.status, problem.message)
            }
        return allowing(head, failure.response(OTLPEncoding(mediaType: head.mediaType) ?? .json))
    }
}

/// Paths that this address does not serve, and what is no request: the answer is worded as OTLP asks.
struct OTLPNotServed: HTTPHandler {
    let refusals: RefusedRequests

    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? { answer(.notFound, to: head) }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        responder.respond(answer(.notFound, to: request.head))
    }
    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        var failure = OTLPFailure.notFound("nothing is served under \(head.path); metrics go to /v1/metrics")
        if case .unreadable(let status, let reason) = problem {
            refusals.note(.http, .http, reason, head)
            failure = .other(status, reason)
        }
        return failure.response(OTLPEncoding(mediaType: head.mediaType) ?? .json)
    }
}

/// `opentelemetry.proto.collector.metrics.v1.MetricsService/Export`.
struct OTLPExport: GRPCMethod {
    let intake: OTLPIntake
    var messageLimit: Int { intake.maxRequestBytes }
    var gate: HTTPGate? { intake.gate }

    func admit(_ head: HTTPRequestHead, loop: Int) -> GRPCStatus? {
        guard let failure = intake.refusal(bytes: 0) else { return nil }
        intake.refusals.note(failure, .grpc, head)
        return failure.grpc
    }
    func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder) {
        let failure = intake.take(message, .protobuf, loop: call.request.loop, .grpc(responder)) {
            responder.onLoop($0)
        }
        if let failure {
            intake.refusals.note(failure, .grpc, call.request.head, peer: call.request.peer)
            responder.fail(failure.grpc)
        }
    }
    func refused(_ refusal: GRPCRefusal, _ message: String, _ head: HTTPRequestHead, peer: String?) {
        guard let reason = RequestRefusal(refusal) else { return }
        intake.refusals.note(reason, .grpc, message, head, peer: peer)
    }
}
