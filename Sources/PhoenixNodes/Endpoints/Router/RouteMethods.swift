import HTTPTypes
import Hummingbird

/// Which methods each path of a router has, to tell a wrong method from a wrong path.
struct RouteMethods: Sendable {
    private let routes: [(path: RouterPath, method: HTTPTypes.HTTPRequest.Method)]

    init(_ routes: [(RouterPath, HTTPTypes.HTTPRequest.Method)]) {
        self.routes = routes.map { (path: $0.0, method: $0.1) }
    }

    /// Why no route took the request.
    func refusal(of request: Request) -> APIError {
        let parts = request.uri.path.split(separator: "/", omittingEmptySubsequences: true)
        var methods = Set(routes.filter { Self.fits(parts, $0.path) }.map(\.method.rawValue))
        guard !methods.isEmpty else {
            return APIError(.notFound, "nothing is served under \(request.uri.path)")
        }
        if methods.contains("GET") { methods.insert("HEAD") }
        let allowed = methods.sorted().joined(separator: ", ")
        return APIError(
            .methodNotAllowed,
            "\(request.method.rawValue) is not served here; use \(allowed)",
            fields: ["allow": allowed]
        )
    }

    private static func fits(_ parts: [Substring], _ path: RouterPath) -> Bool {
        for (index, element) in path.components.enumerated() {
            if element == .recursiveWildcard { return true }
            guard index < parts.count, element ~= parts[index] else { return false }
        }
        return parts.count == path.components.count
    }
}
