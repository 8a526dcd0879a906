public import PhoenixGraph
import PhoenixWire

/// From which web pages a browser may send here: cross-origin resource sharing.
///
/// Source: Fetch standard, 3.2 (CORS protocol).
public struct CrossOriginSettings: ObjectValue, Hashable {
    public var allowedOrigins: [String] = []
    public var allowedHeaders: [String] = []
    public var maxAge: Duration?
    public init() {}
    public static let fields: [Field<Self>] = [
        Field(
            "allowed_origins",
            \.allowedOrigins,
            required: true,
            "The origins of pages that may send, as `https://app.example.com`; `*` stands for any characters."
        ),
        Field(
            "allowed_headers",
            \.allowedHeaders,
            "Header names that such pages may send, beside Accept, Accept-Language, Content-Type and Content-Language; `*` "
                + "for any."
        ),
        Field("max_age", \.maxAge, "How long a browser may keep the answer to its question beforehand."),
    ]
}

/// Whether a browser may show a page what was answered here, and how it is told.
struct CrossOrigin {
    /// What the browser asks for by the name of the page's origin; it sends no headers that are not in here.
    private static let alwaysAllowed = ["Accept", "Accept-Language", "Content-Type", "Content-Language"]

    private let origins: [[Substring]]
    private let settings: CrossOriginSettings

    init(_ settings: CrossOriginSettings) {
        self.settings = settings
        origins = settings.allowedOrigins.map { $0.split(separator: "*", omittingEmptySubsequences: false) }
    }

    /// The origin that a request comes from, if it may.
    func allowed(_ head: HTTPRequestHead) -> String? {
        guard let origin = head.fields["origin"], origins.contains(where: { Self.matches($0, origin) }) else {
            return nil
        }
        return origin
    }
    /// Whether `text` is `parts` with anything between them.
    static func matches(_ parts: [Substring], _ text: String) -> Bool {
        guard let first = parts.first, text.hasPrefix(first) else { return false }
        guard parts.count > 1, let last = parts.last else { return text == first }
        var rest = text.dropFirst(first.count)
        for part in parts[1..<(parts.count - 1)] where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }

    /// The answer to a browser that asks before it sends; nil if this is no such question.
    ///
    /// What is not allowed is answered too, without the words that allow it: the browser then does not send.
    func preflight(_ head: HTTPRequestHead) -> HTTPResponse? {
        guard head.method == .options, head.fields["origin"] != nil,
            head.fields["access-control-request-method"] != nil
        else { return nil }
        var response = HTTPResponse(204)
        for name in ["origin", "access-control-request-method", "access-control-request-headers"] {
            response.fields.append("vary", name)
        }
        guard let origin = allowed(head) else { return response }
        Self.allow(origin, in: &response)
        response.fields.append("access-control-allow-methods", "POST")
        response.fields.append("access-control-allow-headers", allowedHeaders(asked: head))
        if let maxAge = settings.maxAge {
            response.fields.append("access-control-max-age", "\(maxAge.components.seconds)")
        }
        return response
    }
    /// With credentials `*` would be a name like any other: what was asked for is said back instead.
    private func allowedHeaders(asked head: HTTPRequestHead) -> String {
        if settings.allowedHeaders.contains("*"), let asked = head.fields.list("access-control-request-headers") {
            return asked
        }
        return (Self.alwaysAllowed + settings.allowedHeaders).joined(separator: ", ")
    }

    /// `response` for a request from `origin`; as it is where that is nil.
    static func allowing(_ origin: String?, _ response: HTTPResponse) -> HTTPResponse {
        guard let origin else { return response }
        var response = response
        allow(origin, in: &response)
        response.fields.append("access-control-expose-headers", "retry-after")
        response.fields.append("vary", "origin")
        return response
    }
    private static func allow(_ origin: String, in response: inout HTTPResponse) {
        response.fields.append("access-control-allow-origin", origin)
        response.fields.append("access-control-allow-credentials", "true")
    }
}
