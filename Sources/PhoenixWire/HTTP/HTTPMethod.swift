/// What a request wants done with a path.
public enum HTTPMethod: Sendable, Hashable {
    case get, head, post, put, delete, options, patch
    /// Any other token, as it came.
    case other(String)

    /// The method of a token; tokens are case-sensitive (RFC 9110, 9.1).
    public init(_ token: String) {
        switch token {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "DELETE": self = .delete
        case "OPTIONS": self = .options
        case "PATCH": self = .patch
        default: self = .other(token)
        }
    }

    /// The token as it stands in a request line.
    public var token: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .other(let token): token
        }
    }
}
