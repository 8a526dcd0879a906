/// Serves a path.
///
/// One object serves HTTP/1.1 and HTTP/2 alike, from all event loops at once.
public protocol HTTPHandler: Sendable {
    /// The largest body in bytes, still compressed; nil means the server's own limit.
    var bodyLimit: Int? { get }

    /// Where this handler says that it is full; nil if it never is.
    var gate: HTTPGate? { get }

    /// Called on the event loop when the head is complete and before the body is read.
    ///
    /// An answer refuses the request: the body is never read. Nil admits it.
    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse?

    /// Called on the event loop with the whole body, de-chunked and still compressed.
    ///
    /// - Parameters:
    ///   - body: valid only during the call.
    ///   - responder: to be called exactly once, now or later, from any thread.
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder)

    /// How this handler words an error that the server found: the body type is the handler's to choose.
    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse
}

extension HTTPHandler {
    public var bodyLimit: Int? { nil }
    public var gate: HTTPGate? { nil }
    public func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? { nil }
    public func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        problem.plainResponse
    }
}

/// What the server itself finds wrong with a request that a handler would have served.
public enum HTTPProblem: Sendable, Equatable {
    /// The body is larger than the limit in bytes.
    case bodyTooLarge(limit: Int)
    /// The connection holds more request bytes than it may.
    case tooMuchBuffered
    /// The body, or the room for it, did not come in time.
    case requestTimeout
    /// The handler's gate stayed shut for too long.
    case gateTimeout
    /// The handler did not answer in time.
    case handlerTimeout
    /// The handler let go of its responder without an answer.
    case unanswered
    /// Nothing is served under this path.
    case notFound
    /// What came is no request that is taken: what there is of its head says little, if anything.
    case unreadable(status: Int, reason: String)

    /// The status code that says so.
    public var status: Int {
        switch self {
        case .bodyTooLarge: 413
        case .tooMuchBuffered, .gateTimeout, .handlerTimeout: 503
        case .requestTimeout: 408
        case .unanswered: 500
        case .notFound: 404
        case .unreadable(let status, _): status
        }
    }

    /// What happened, in a sentence.
    public var message: String {
        switch self {
        case .bodyTooLarge(let limit): "the request body is larger than the limit of \(limit) bytes"
        case .tooMuchBuffered: "this connection holds too many unfinished requests; send fewer at once"
        case .requestTimeout: "the request did not arrive in time"
        case .gateTimeout: "there was no room for the request in time; try again later"
        case .handlerTimeout: "the request was not finished in time; try again"
        case .unanswered: "the request was left unanswered"
        case .notFound: "nothing is served under this path"
        case .unreadable(_, let reason): reason
        }
    }

    /// The plain text answer.
    public var plainResponse: HTTPResponse {
        var response = HTTPResponse.text(status, message + "\n")
        if status == 503 { response.fields.append("retry-after", "1") }
        return response
    }
}

/// A handler made of a closure, for small endpoints.
public struct HTTPClosure: HTTPHandler {
    private let methods: [HTTPMethod]
    private let respond: @Sendable (HTTPRequestHead, UnsafeRawBufferPointer) -> HTTPResponse

    /// Serves `methods` (HEAD comes with GET) by `respond`, which runs on the event loop and must be quick.
    public init(
        _ methods: [HTTPMethod] = [.get],
        _ respond: @escaping @Sendable (HTTPRequestHead, UnsafeRawBufferPointer) -> HTTPResponse
    ) {
        self.methods = methods
        self.respond = respond
    }

    public func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        if methods.contains(head.method) || (head.method == .head && methods.contains(.get)) { return nil }
        return .methodNotAllowed(allow: methods.map(\.token).joined(separator: ", "))
    }

    public func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        responder.respond(respond(request.head, body))
    }
}
