import HTTPTypes
import Hummingbird
import NIOCore
import PhoenixWire

/// Hands requests from the event loops to a `RoutedAPI`, and refuses what it need not see.
struct RouterEndpoint: HTTPHandler {
    let api: RoutedAPI
    /// What a caller must show; nil where everybody may come in.
    let token: BearerToken?
    /// Whether only this machine reaches the address, and that is why it asks for no token.
    let isLocal: Bool

    var bodyLimit: Int? { api.limits.bodyBytes }

    func head(_ head: HTTPRequestHead, loop: Int) -> PhoenixWire.HTTPResponse? {
        if let token, let refusal = token.refusal(of: head.fields["authorization"]) {
            return refusal.response
        }
        // A name that its owner points at this machine makes a page of theirs a page of this server, to a browser.
        if isLocal, token == nil, let authority = head.authority, !Self.isOfThisMachine(authority) {
            let remedy = "ask for localhost or an address such as 127.0.0.1, or set a token"
            return APIError(.forbidden, "requests for \(authority) are not served here: \(remedy)").response
        }
        return Self.refusal(of: head)?.response
    }

    /// Whether a host, with its port or without, is an address or the name that every machine has for itself.
    static func isOfThisMachine(_ authority: String) -> Bool {
        var host = authority[...]
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            host = host[host.index(after: host.startIndex)..<end]
        } else if let colon = host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        // Whoever comes by a unix socket names no host.
        if host.isEmpty || host.lowercased() == "localhost" { return true }
        return (try? SocketAddress(ipAddress: String(host), port: 0)) != nil
    }

    /// What no route of an API takes, whoever asks.
    private static func refusal(of head: HTTPRequestHead) -> APIError? {
        // A page of another site may send requests to this machine from its visitor's browser.
        if let origin = head.fields["origin"], !isOwn(origin, head.authority) {
            return APIError(.forbidden, "requests from pages of other sites are not served: \(origin)")
        }
        if let coding = head.fields["content-encoding"], coding.lowercased() != "identity" {
            return APIError(
                .unsupportedMediaType,
                "send the body as it is, without content-encoding \(coding)"
            )
        }
        return nil
    }
    private static func isOwn(_ origin: String, _ authority: String?) -> Bool {
        guard let authority, let start = origin.range(of: "://")?.upperBound else { return false }
        return origin[start...].lowercased() == authority.lowercased()
    }

    func handle(
        _ request: PhoenixWire.HTTPRequest,
        body: UnsafeRawBufferPointer,
        _ responder: PhoenixWire.HTTPResponder
    ) {
        guard let routed = Request(request.head, ByteBuffer(bytes: body)) else {
            let method = request.head.method.token
            return responder.respond(APIError(.notImplemented, "there is no method \(method)").response)
        }
        api.take(routed, isGone: { responder.isPeerGone }) { responder.respond($0) }
    }

    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> PhoenixWire.HTTPResponse {
        APIError(problem).response
    }
}

extension Request {
    /// A request as the router knows it; nil where its method is none.
    ///
    /// HEAD is asked as GET: the server leaves the body out of the answer.
    init?(_ head: HTTPRequestHead, _ body: ByteBuffer) {
        guard let method = HTTPTypes.HTTPRequest.Method(head.method == .head ? "GET" : head.method.token)
        else {
            return nil
        }
        var fields = HTTPTypes.HTTPFields()
        for index in 0..<head.fields.count {
            let (name, value) = head.fields[index: index]
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        self.init(
            head: HTTPTypes.HTTPRequest(
                method: method,
                scheme: "http",
                authority: head.authority,
                path: head.query.map { "\(head.path)?\($0)" } ?? head.path,
                headerFields: fields
            ),
            body: RequestBody(buffer: body)
        )
    }
}

extension PhoenixWire.HTTPResponse {
    /// An answer of the router, with its body in pieces.
    init(_ response: Response, _ body: [ByteBuffer]) {
        var fields = PhoenixWire.HTTPFields()
        // The length of the body is the server's to say.
        for field in response.headers where field.name != .contentLength {
            fields.append(field.name.canonicalName, field.value)
        }
        self.init(response.status.code, fields, body.count == 1 ? .bytes(body[0]) : .buffers(body))
    }
}
