/// The head of a request: everything before its body.
///
/// A class, so that handing it on costs one reference count and not one for each of its parts.
public final class HTTPRequestHead: Sendable {
    /// The protocol a request came by.
    public enum Version: Sendable { case http10, http11, http2 }

    public let method: HTTPMethod
    /// The path without the query, as it came: not percent-decoded.
    ///
    /// `*` for `OPTIONS *`.
    public let path: String
    /// What follows the question mark, as it came.
    public let query: String?
    public let version: Version
    /// The `Host` or `:authority`.
    public let authority: String?
    public let fields: HTTPFields
    /// The size of the body as declared; nil if it is not known beforehand.
    public let contentLength: Int?

    init(
        method: HTTPMethod,
        target: String,
        version: Version,
        fields: HTTPFields = [:],
        authority: String? = nil,
        contentLength: Int? = nil
    ) {
        self.method = method
        self.version = version
        self.fields = fields
        self.authority = authority
        self.contentLength = contentLength
        (path, query) = Self.split(target)
    }

    /// Splits off the query, and the scheme and authority of an absolute target (RFC 9112, 3.2.2).
    private static func split(_ target: String) -> (String, String?) {
        if target.utf8.first == UInt8(ascii: "/"), !target.utf8.contains(UInt8(ascii: "?")) {
            return (target, nil)
        }
        var rest = Substring(target)
        if !rest.hasPrefix("/") {
            let lower = rest.prefix(8).lowercased()
            if lower.hasPrefix("http://") {
                rest = rest.dropFirst(7)
            } else if lower.hasPrefix("https://") {
                rest = rest.dropFirst(8)
            }
            if rest.count < target.count {
                rest = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? "/"
                if rest.hasPrefix("?") { rest = "/" + rest }
            }
        }
        guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (String(rest), nil) }
        return (String(rest[..<mark]), String(rest[rest.index(after: mark)...]))
    }

    /// The media type of the body in lower case, without its parameters.
    public var mediaType: String? {
        // The forms that nearly all senders use need no work.
        if fields.has("content-type", "application/x-protobuf") { return "application/x-protobuf" }
        if fields.has("content-type", "application/grpc") { return "application/grpc" }
        return fields["content-type"].map { value in
            let type = value.prefix { $0 != ";" }
            return String(decoding: ASCII.trimmed(type.utf8.map(ASCII.lowercased)), as: UTF8.self)
        }
    }
}

/// A request with its head read and its body complete, as a handler gets it on the event loop.
public struct HTTPRequest {
    public let head: HTTPRequestHead
    /// The number of the event loop that this call runs on, from 0; stays the same for a connection.
    public let loop: Int
    /// Who sent it, for logs.
    public let peer: String?
    /// A number of the connection within the process, to keep per-connection predictors by.
    public let connection: UInt64
    /// The loop's own decompressor: free to use until the call returns.
    public let inflater: Inflater
}
