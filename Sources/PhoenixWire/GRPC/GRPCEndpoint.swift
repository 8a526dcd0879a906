import NIOCore

/// Speaks gRPC for a method, or for none.
///
/// It is an HTTP handler like others: gRPC's errors are answers with status 200 and a `grpc-status`.
final class GRPCEndpoint: HTTPHandler {
    private let method: (any GRPCMethod)?

    init(_ method: (any GRPCMethod)?) { self.method = method }

    var bodyLimit: Int? { (method?.messageLimit ?? 0) + GRPCMessage.prefixSize }
    var gate: HTTPGate? { method?.gate }

    /// Whether a request is one for us by its content type: protobuf messages, said or implied.
    static func isGRPC(_ head: HTTPRequestHead) -> Bool {
        let type = head.mediaType
        return type == "application/grpc" || type == "application/grpc+proto"
    }

    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        guard head.method == .post else {
            var refusal = Self.trailersOnly(GRPCStatus(.internal, "gRPC calls are POST requests"), to: head)
            refusal.status = 405
            refusal.fields.append("allow", "POST")
            return refusal
        }
        guard let method else {
            return Self.trailersOnly(GRPCStatus(.unimplemented, "no method \(head.path) is served"), to: head)
        }
        if let encoding = head.fields["grpc-encoding"], ContentCoding(encoding) == nil {
            let status = GRPCStatus(
                .unimplemented,
                "messages in \(encoding) are not served; use gzip or identity"
            )
            method.refused(.encoding, status.message, head, peer: nil)
            return Self.trailersOnly(status, to: head)
        }
        if let timeout = head.fields["grpc-timeout"], GRPCMessage.timeout(timeout) == nil {
            let status = GRPCStatus(.internal, "malformed grpc-timeout \(timeout)")
            method.refused(.malformed, status.message, head, peer: nil)
            var refusal = Self.trailersOnly(status, to: head)
            refusal.status = 400
            return refusal
        }
        return method.admit(head, loop: loop).map { Self.trailersOnly($0, to: head) }
    }

    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ http: HTTPResponder) {
        let head = request.head
        let responder = GRPCResponder(http, head)
        guard let method else { return responder.fail(GRPCStatus(.unimplemented)) }
        let timeout = head.fields["grpc-timeout"].flatMap(GRPCMessage.timeout)
        let call = GRPCCall(request: request, timeout: timeout)
        do throws(GRPCStatus) {
            let message = try GRPCMessage.only(in: body)
            if message.isCompressed {
                try inflate(message.bytes, call, method, responder)
            } else {
                method.handle(call, message: message.bytes, responder)
            }
        } catch {
            let refusal: GRPCRefusal = error.code == .resourceExhausted ? .tooLarge : .malformed
            method.refused(refusal, error.message, head, peer: request.peer)
            responder.fail(error)
        }
        if let timeout { http.setDeadline(timeout) { responder in responder.expire(head) } }
    }

    private func inflate(
        _ bytes: UnsafeRawBufferPointer,
        _ call: GRPCCall,
        _ method: any GRPCMethod,
        _ responder: GRPCResponder
    ) throws(GRPCStatus) {
        let coding = ContentCoding(call.request.head.fields["grpc-encoding"]) ?? .identity
        guard coding != .identity else {
            throw GRPCStatus(
                .internal,
                "the message says that it is compressed, but there is no grpc-encoding"
            )
        }
        do {
            try call.request.inflater.withInflated(bytes, coding, limit: method.messageLimit) { message in
                method.handle(call, message: message, responder)
            }
        } catch let error as InflateError {
            if case .tooLarge = error { throw GRPCStatus(.resourceExhausted, error.description) }
            throw GRPCStatus(.internal, error.description)
        } catch {
            throw GRPCStatus(.internal, String(describing: error))
        }
    }

    func answer(_ found: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        let problem = Self.ofMessage(found)
        method?.refused(.problem(problem), problem.message, head, peer: nil)
        let code: GRPCStatus.Code =
            switch problem {
            case .bodyTooLarge, .unreadable: .resourceExhausted
            case .tooMuchBuffered, .gateTimeout, .handlerTimeout: .unavailable
            case .requestTimeout: .deadlineExceeded
            case .unanswered: .internal
            case .notFound: .unimplemented
            }
        var status = GRPCStatus(code, problem.message)
        if code == .unavailable {
            let delay = gate?.patience.retryAfter ?? .seconds(1)
            status.details = StatusMessage(
                code: code.rawValue,
                message: problem.message,
                details: [.retryInfo(delay)]
            ).encoded(as: .protobuf)
        }
        return Self.trailersOnly(status, to: head)
    }

    /// A problem in the words of the message: its prefix is no part of the limit that its method names.
    private static func ofMessage(_ problem: HTTPProblem) -> HTTPProblem {
        guard case .bodyTooLarge(let limit) = problem else { return problem }
        return .bodyTooLarge(limit: limit - GRPCMessage.prefixSize)
    }

    private static func makeFields(_ type: String, gzip: Bool) -> HTTPFields {
        var fields: HTTPFields = ["content-type": type, "grpc-accept-encoding": "identity,gzip"]
        if gzip { fields.append("grpc-encoding", "gzip") }
        return fields
    }
    private static let plain = makeFields("application/grpc", gzip: false)
    private static let plainGzip = makeFields("application/grpc", gzip: true)
    private static let proto = makeFields("application/grpc+proto", gzip: false)
    private static let protoGzip = makeFields("application/grpc+proto", gzip: true)

    /// The fields that begin every answer.
    static func fields(for head: HTTPRequestHead, gzip: Bool = false) -> HTTPFields {
        if head.mediaType == "application/grpc+proto" { return gzip ? protoGzip : proto }
        return gzip ? plainGzip : plain
    }

    /// An answer without messages, in one header block.
    static func trailersOnly(_ status: GRPCStatus, to head: HTTPRequestHead) -> HTTPResponse {
        var fields = fields(for: head)
        status.write(to: &fields)
        return HTTPResponse(200, fields)
    }
}
