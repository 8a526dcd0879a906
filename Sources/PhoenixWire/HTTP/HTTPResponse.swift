public import NIOCore

/// An answer: status, fields and body.
///
/// `content-length`, `transfer-encoding`, `connection` and `date` are the server's business; do not set them.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var fields: HTTPFields
    public var body: HTTPBody
    /// Fields after the body: HTTP/2, and HTTP/1.1 where the body is chunked.
    public var trailers: HTTPFields?

    /// An answer of given parts.
    public init(_ status: Int, _ fields: HTTPFields = [:], _ body: HTTPBody = .empty) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Plain text in UTF-8.
    public static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(status, ["content-type": "text/plain; charset=utf-8"], .bytes(ByteBuffer(string: text)))
    }

    /// Bytes of a media type.
    public static func bytes(_ status: Int, type: String, _ bytes: [UInt8]) -> HTTPResponse {
        HTTPResponse(status, ["content-type": type], .bytes(ByteBuffer(bytes: bytes)))
    }

    /// 405 with the methods that are served.
    public static func methodNotAllowed(allow: String) -> HTTPResponse {
        var response = text(405, "method not allowed; use \(allow)\n")
        response.fields.append("allow", allow)
        return response
    }

    /// 503 or 429 with the time to wait; parts of a second count as a whole one.
    public static func retryLater(_ status: Int = 503, after: Duration, _ reason: String) -> HTTPResponse {
        var response = text(status, reason)
        response.fields.append("retry-after", retryAfter(after))
        return response
    }

    /// A `Retry-After` value: whole seconds, rounded up, at least 1.
    public static func retryAfter(_ delay: Duration) -> String {
        let (seconds, attoseconds) = delay.components
        return String(max(1, seconds + (attoseconds > 0 ? 1 : 0)))
    }
}

/// The body of an answer.
public enum HTTPBody: Sendable {
    case empty
    case bytes(ByteBuffer)
    /// Pieces that lie in memory already; they are written as they are, not joined.
    case buffers([ByteBuffer])
    /// Pieces made as the peer takes them.
    case stream(HTTPBodyStream)

    /// The number of bytes, where it is known.
    public var length: Int? {
        switch self {
        case .empty: 0
        case .bytes(let buffer): buffer.readableBytes
        case .buffers(let buffers): buffers.reduce(0) { $0 + $1.readableBytes }
        case .stream(let stream): stream.length
        }
    }
}

/// What a body stream says when it is asked for more.
public enum HTTPBodyChunk: Sendable {
    /// The next piece; 64 to 512 KiB are good sizes.
    case bytes(ByteBuffer)
    /// Nothing yet: ask again after `HTTPResponder.wakeBody()`.
    case wait
    /// That was all; trailers, if any, replace those of the response.
    case end(trailers: HTTPFields?)
    /// It cannot be finished: the peer must see that the body is not whole.
    case failed
}

/// A body that is made piece by piece, on the event loop, at the pace at which the peer reads.
///
/// Never more than a few pieces are in memory. `next` is called until it returns `.end` or `.failed`, or the peer
/// goes away; then it is released, which is the sign to clean up.
public struct HTTPBodyStream: @unchecked Sendable {
    // Sendable because the closure was handed over whole (`sending`) and only the one connection that writes this
    // body calls it, on its event loop.
    let next: () -> HTTPBodyChunk
    /// The size of the whole body, where it is known.
    public let length: Int?

    /// A body whose pieces `next` makes.
    public init(length: Int? = nil, _ next: sending @escaping () -> HTTPBodyChunk) {
        self.length = length
        self.next = next
    }
}
