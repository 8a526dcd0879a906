import PhoenixModel

/// Which handler serves which path.
///
/// May be changed at any time, from any thread, while requests come in: a request is served by the handler
/// that stood there when its head was complete.
public final class RouteTable: Sendable {
    /// All routes at one moment.
    public struct Routes: Sendable {
        /// By exact path.
        public var exact: [String: any HTTPHandler] = [:]
        /// By the beginning of the path; the longest counts.
        ///
        /// Asked where no exact path fits.
        public var prefixes: [String: any HTTPHandler] = [:]
        /// Words the answers that are nobody's: the 404 for paths that nobody serves, and those to what is no request.
        public var fallback: (any HTTPHandler)?
        /// gRPC methods, by requests with an `application/grpc` content type over HTTP/2.
        public var grpc: [String: any GRPCMethod] = [:] {
            didSet { endpoints = grpc.mapValues { GRPCEndpoint($0) } }
        }
        fileprivate var endpoints: [String: GRPCEndpoint] = [:]

        /// No routes.
        public init() {}
    }
    private let routes: Lock<Routes>

    /// A table of these routes.
    public init(_ routes: Routes = Routes()) { self.routes = Lock(routes) }

    /// Replaces all routes in one step.
    public func replace(_ routes: Routes) { self.routes.withLock { $0 = routes } }

    /// Changes some routes in one step.
    public func update<Result: Sendable>(_ change: (inout Routes) -> Result) -> Result {
        routes.withLock { change(&$0) }
    }

    /// Serves an exact path by `handler`; nil ends it.
    public subscript(path: String) -> (any HTTPHandler)? {
        get { routes.withLock { $0.exact[path] } }
        set { routes.withLock { $0.exact[path] = newValue } }
    }

    /// Who serves a request, and how it words its errors if nobody does.
    func resolve(_ head: HTTPRequestHead) -> any HTTPHandler {
        routes.withLock { routes in
            if head.version == .http2, GRPCEndpoint.isGRPC(head) {
                return routes.endpoints[head.path] ?? GRPCEndpoint(nil)
            }
            if let handler = routes.exact[head.path] { return handler }
            if let handler = Self.longest(routes.prefixes, head.path) { return handler }
            if let method = routes.grpc[head.path] { return NotGRPC(method: method) }
            return NotFound(fallback: routes.fallback)
        }
    }

    /// The answer to what is no request, of which no head could be read.
    func answerUnread(_ status: Int, _ reason: String) -> HTTPResponse {
        let problem = HTTPProblem.unreadable(status: status, reason: reason)
        let nothing = HTTPRequestHead(method: .get, target: "*", version: .http11)
        return routes.withLock { $0.fallback }?.answer(problem, to: nothing) ?? problem.plainResponse
    }

    private static func longest(_ prefixes: [String: any HTTPHandler], _ path: String) -> (any HTTPHandler)? {
        var best: (length: Int, handler: any HTTPHandler)?
        for (prefix, handler) in prefixes
        where path.hasPrefix(prefix) && prefix.utf8.count > best?.length ?? -1 {
            best = (prefix.utf8.count, handler)
        }
        return best?.handler
    }
}

/// Refuses paths that nobody serves, in the words of the fallback.
private struct NotFound: HTTPHandler {
    let fallback: (any HTTPHandler)?
    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        answer(.notFound, to: head)
    }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        responder.respond(answer(.notFound, to: request.head))
    }
    func answer(_ problem: HTTPProblem, to head: HTTPRequestHead) -> HTTPResponse {
        fallback?.answer(problem, to: head) ?? problem.plainResponse
    }
}

/// Refuses what is not gRPC on a gRPC method.
private struct NotGRPC: HTTPHandler {
    let method: any GRPCMethod
    func head(_ head: HTTPRequestHead, loop: Int) -> HTTPResponse? {
        let message = "this is a gRPC method: send content-type application/grpc over HTTP/2"
        // Who looks at it with a browser sends nothing that could be lost.
        if head.method == .post { method.refused(.contentType, message, head, peer: nil) }
        return .text(415, message + "\n")
    }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        responder.respond(HTTPResponse(415))
    }
}
