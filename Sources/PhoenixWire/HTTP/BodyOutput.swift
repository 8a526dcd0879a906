import NIOCore

/// The rest of a response body, piece by piece.
struct BodyOutput {
    private var buffers: [ByteBuffer] = []
    private var index = 0
    private var stream: HTTPBodyStream?
    private var trailers: HTTPFields?
    /// What is still owed of a declared length.
    private var owed: Int?

    init(_ response: HTTPResponse) {
        trailers = response.trailers
        switch response.body {
        case .empty: break
        case .bytes(let buffer): buffers = [buffer]
        case .buffers(let all): buffers = all
        case .stream(let stream):
            self.stream = stream
            owed = stream.length
        }
    }

    /// Whether the piece given last was the last, as far as that is known without asking a stream.
    var isAtEnd: Bool { stream == nil && index == buffers.count }

    /// The next piece; `.end` once all are out.
    ///
    /// A stream that gives more or less than it declared has failed.
    mutating func next() -> HTTPBodyChunk {
        guard let stream else {
            guard index < buffers.count else { return .end(trailers: trailers) }
            defer {
                buffers[index] = ByteBuffer()
                index += 1
            }
            return .bytes(buffers[index])
        }
        let chunk = stream.next()
        switch chunk {
        case .bytes(let buffer):
            if let left = owed {
                guard buffer.readableBytes <= left else { return fail() }
                owed = left - buffer.readableBytes
            }
            return chunk
        case .wait: return chunk
        case .failed: return fail()
        case .end(let last):
            guard owed ?? 0 == 0 else { return fail() }
            let trailers = last ?? self.trailers
            self = BodyOutput(HTTPResponse(0))
            self.trailers = trailers
            return .end(trailers: trailers)
        }
    }

    private mutating func fail() -> HTTPBodyChunk {
        stream = HTTPBodyStream { .failed }
        return .failed
    }
}
