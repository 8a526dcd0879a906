import NIOCore
import PhoenixModel

/// Answers one gRPC call, from any thread: once with `respond` or `fail`, or message by message with `send` and
/// `finish`.
///
/// One that is let go without an answer answers INTERNAL.
public final class GRPCResponder: Sendable {
    private struct Messages {
        var waiting: [ByteBuffer] = []
        var end: GRPCStatus?
        var hasBegun = false
    }
    private let http: HTTPResponder
    private let fields: HTTPFields
    private let gzip: Bool
    private let messages = Lock(Messages())

    private static let ok: HTTPFields = ["grpc-status": "0"]

    /// Messages that may wait for a slow caller; `send` refuses more.
    public static let queueLimit = 1024

    init(_ http: HTTPResponder, _ head: HTTPRequestHead) {
        self.http = http
        gzip = head.fields.contains("grpc-accept-encoding", token: "gzip")
        fields = GRPCEndpoint.fields(for: head, gzip: gzip)
    }

    deinit {
        let isOpen = messages.withLock { $0.hasBegun && $0.end == nil }
        if isOpen { finish(GRPCStatus(.internal, "the call was left unfinished")) }
    }

    /// Whether nobody waits for an answer any more.
    public var isPeerGone: Bool { http.isPeerGone }

    /// Runs `work` on the connection's event loop; not at all if the loop has ended.
    public func onLoop(_ work: @escaping @Sendable () -> Void) { http.onLoop(work) }
    /// The same after `delay`.
    public func onLoop(after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        http.onLoop(after: delay, work)
    }
    /// Answers with one message and status OK.
    public func respond(_ message: [UInt8]) {
        var response = HTTPResponse(200, fields, .bytes(GRPCMessage.frame(message, gzip: gzip)))
        response.trailers = Self.ok
        http.respond(response)
    }

    /// Answers with a status and no message.
    public func fail(_ status: GRPCStatus) {
        var fields = fields
        status.write(to: &fields)
        http.respond(HTTPResponse(200, fields))
    }

    /// Sends one message of several; false if the caller is gone or reads too slowly: then end the call.
    public func send(_ message: [UInt8]) -> Bool {
        if isPeerGone { return false }
        let frame = GRPCMessage.frame(message, gzip: gzip)
        let (isTaken, isFirst) = messages.withLock { messages in
            guard messages.end == nil, messages.waiting.count < Self.queueLimit else { return (false, false) }
            messages.waiting.append(frame)
            defer { messages.hasBegun = true }
            return (true, !messages.hasBegun)
        }
        if isFirst { begin() } else if isTaken { http.wakeBody() }
        return isTaken
    }

    /// Ends a call that was answered by `send`; what waits is sent first.
    public func finish(_ status: GRPCStatus) {
        let hadBegun = messages.withLock { messages in
            if messages.end == nil { messages.end = status }
            return messages.hasBegun
        }
        if hadBegun { http.wakeBody() } else { fail(status) }
    }

    private func begin() {
        // The stream keeps the messages, not this object, or an abandoned call would never end.
        let messages = messages
        let body = HTTPBodyStream {
            messages.withLock { messages in
                if !messages.waiting.isEmpty { return .bytes(messages.waiting.removeFirst()) }
                guard let end = messages.end else { return .wait }
                var trailers = HTTPFields()
                end.write(to: &trailers)
                return .end(trailers: trailers)
            }
        }
        http.respond(HTTPResponse(200, fields, .stream(body)))
    }
}
