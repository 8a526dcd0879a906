import PhoenixWire

/// How one request is to be answered, whatever protocol it came by.
///
/// Sources: opentelemetry-proto docs/specification.md (responses, throttling); grpc doc/statuscodes.md.
enum OTLPReply {
    /// `origin`: the page that a browser sent it for, if that is allowed.
    case http(HTTPResponder, OTLPEncoding, origin: String?)
    case grpc(GRPCResponder)

    /// The protocol of a request, as metrics name it.
    enum Speech: UInt8, Sendable, CaseIterable {
        case http, grpc
        var label: String { self == .http ? "http" : "grpc" }
    }
    var speech: Speech {
        switch self {
        case .http: .http
        case .grpc: .grpc
        }
    }

    /// Runs `work` on the event loop that the request came on, after a while.
    func onLoop(after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        switch self {
        case .http(let responder, _, _): responder.onLoop(after: delay, work)
        case .grpc(let responder): responder.onLoop(after: delay, work)
        }
    }
    /// The request was taken; of its points some may have been refused.
    func taken(_ refusals: Refusals) {
        if refusals.total == 0 { return takenWhole() }
        let response = ExportResponse(rejectedPoints: refusals.total, message: refusals.message)
        switch self {
        case .http(let responder, let encoding, let origin):
            let answer = encoding.response(200, response.encoded(as: encoding))
            responder.respond(CrossOrigin.allowing(origin, answer))
        case .grpc(let responder): responder.respond(response.encoded(as: .protobuf))
        }
    }
    /// What nearly every request is told is made once.
    private func takenWhole() {
        switch self {
        case .http(let responder, let encoding, let origin):
            let answer = encoding == .protobuf ? Self.wholeProtobuf : Self.wholeJSON
            responder.respond(CrossOrigin.allowing(origin, answer))
        case .grpc(let responder): responder.respond([])
        }
    }
    private static let wholeProtobuf = OTLPEncoding.protobuf.response(
        200,
        ExportResponse().encoded(as: .protobuf)
    )
    private static let wholeJSON = OTLPEncoding.json.response(
        200,
        ExportResponse().encoded(as: .json)
    )

    func fail(_ failure: OTLPFailure) {
        switch self {
        case .http(let responder, let encoding, let origin):
            responder.respond(CrossOrigin.allowing(origin, failure.response(encoding)))
        case .grpc(let responder): responder.fail(failure.grpc)
        }
    }
}

/// Why a request is not taken.
enum OTLPFailure {
    case invalidArgument(String)
    case tooLarge(String)
    /// For now: the sender keeps the request and tries again.
    case unavailable(RequestRefusal, String, Duration)
    case notFound(String)
    case methodNotAllowed(String)
    case unsupportedMedia(String)
    case unsupportedCoding(String)
    case other(Int, String)

    static func full(_ retryAfter: Duration) -> Self {
        .unavailable(.busy, "the graph is full; try again later", retryAfter)
    }
    static func ending(_ retryAfter: Duration) -> Self {
        .unavailable(.stopping, "this receiver is shutting down", retryAfter)
    }

    /// Under which reason the request is counted as refused; nil where nothing is.
    var reason: RequestRefusal? {
        switch self {
        case .invalidArgument: .malformed
        case .tooLarge: .tooLarge
        case .unavailable(let reason, _, _): reason
        case .unsupportedMedia: .contentType
        case .unsupportedCoding: .encoding
        case .notFound, .methodNotAllowed, .other: nil
        }
    }
    var message: String {
        switch self {
        case .invalidArgument(let text), .tooLarge(let text), .unavailable(_, let text, _): text
        case .notFound(let text): text
        case .methodNotAllowed(let text), .unsupportedMedia(let text), .unsupportedCoding(let text): text
        case .other(_, let text): text
        }
    }
    private var code: GRPCStatus.Code {
        switch self {
        case .invalidArgument, .unsupportedMedia, .unsupportedCoding: .invalidArgument
        case .tooLarge: .resourceExhausted
        case .unavailable: .unavailable
        case .notFound, .methodNotAllowed: .unimplemented
        case .other(let status, _): Self.code(of: status)
        }
    }
    private static func code(of status: Int) -> GRPCStatus.Code {
        switch status {
        case 400, 417: .invalidArgument
        case 408: .deadlineExceeded
        case 431: .resourceExhausted
        case 501, 505: .unimplemented
        default: .internal
        }
    }
    private var status: Int {
        switch self {
        case .invalidArgument: 400
        case .tooLarge: 413
        case .unavailable: 503
        case .notFound: 404
        case .methodNotAllowed: 405
        case .unsupportedMedia, .unsupportedCoding: 415
        case .other(let status, _): status
        }
    }
    private var body: StatusMessage {
        switch self {
        case .invalidArgument(let reason):
            StatusMessage(
                code: code.rawValue,
                message: message,
                details: [.badRequest([.init(field: "", description: reason)])]
            )
        case .unavailable(_, _, let delay):
            StatusMessage(code: code.rawValue, message: message, details: [.retryInfo(delay)])
        default: StatusMessage(code: code.rawValue, message: message)
        }
    }
    var grpc: GRPCStatus { GRPCStatus(code, message, details: body.encoded(as: .protobuf)) }

    func response(_ encoding: OTLPEncoding) -> HTTPResponse {
        var response = encoding.response(status, body.encoded(as: encoding))
        switch self {
        case .unavailable(_, _, let delay):
            response.fields.append("retry-after", HTTPResponse.retryAfter(delay))
        case .methodNotAllowed: response.fields.append("allow", "POST")
        case .unsupportedCoding: response.fields.append("accept-encoding", "gzip, deflate, identity")
        default: break
        }
        return response
    }
}

extension OTLPEncoding {
    /// The encoding of a media type.
    init?(mediaType: String?) {
        switch mediaType {
        case "application/x-protobuf": self = .protobuf
        case "application/json": self = .json
        default: return nil
        }
    }
    var mediaType: String { self == .protobuf ? "application/x-protobuf" : "application/json" }

    /// Such bodies are a few bytes: gzip would make them longer.
    func response(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
        .bytes(status, type: mediaType, body)
    }
}
