import NIOCore

/// One request and its answer on an HTTP/2 connection.
final class HTTP2Stream {
    /// Where a stream is.
    enum State {
        /// Its header block is coming in.
        case head
        /// Its body is coming in.
        case receiving(HTTPRequestHead, any HTTPHandler)
        /// Its body is complete and waits for the handler's gate.
        case gated(HTTPRequestHead, any HTTPHandler)
        /// The handler has it.
        case awaiting(HTTPExchange, HTTPRequestHead, any HTTPHandler)
        /// The answer is going out; whatever still comes in is thrown away.
        case answering
    }

    let id: Int32
    var state = State.head
    var since: NIODeadline

    // The head, as it comes.
    var method = ""
    var path = ""
    var authority: String?
    var fields = HTTPFields()
    var headSize = 0

    /// The body, as far as it came.
    var body: ByteBuffer?
    var bodySize = 0
    /// Body bytes that the flow-control window was not yet given back for.
    var held = 0
    var bodyWait = BodyWait()
    /// The peer has sent all it wants to.
    var isRemoteDone = false

    // The answer.
    var exchange: HTTPExchange?
    var output: BodyOutput?
    var piece = ByteBuffer()
    var isHead = false
    /// nghttp2 asks for no more before it is told to.
    var isDeferred = false
    /// The body source was woken while it was being asked.
    var wasWoken = false
    var lastWrite: NIODeadline

    init(id: Int32, now: NIODeadline) {
        self.id = id
        since = now
        lastWrite = now
    }

    /// The gate that this stream's next step depends on.
    var gate: HTTPGate? {
        switch state {
        case .receiving(_, let handler), .gated(_, let handler): handler.gate
        case .head, .awaiting, .answering: nil
        }
    }

    func takeHead() -> HTTPRequestHead {
        let head = HTTPRequestHead(
            method: HTTPMethod(method),
            target: path,
            version: .http2,
            fields: fields,
            authority: authority ?? fields["host"],
            contentLength: fields["content-length"].flatMap { Int($0) }
        )
        isHead = head.method == .head
        fields = HTTPFields()
        return head
    }
}
