import NIOCore

/// HTTP/1.1 on one connection: requests in order, one at a time.
///
/// Reading and answering are two halves. The next head is looked at when the body before it is read (or thrown
/// away) and its answer is written.
final class HTTP1Connection: HTTPConnection, HTTPExchangeOwner {
    /// A request whose head was admitted.
    struct Request {
        var head: HTTPRequestHead
        var handler: any HTTPHandler
        var framing: HTTP1Framing
        var expectsContinue: Bool
    }

    /// What the next bytes are.
    enum Input {
        /// A head, or what there is of it.
        case head
        /// A body that waits for the handler's gate; nothing is read.
        case gated(Request)
        case body(Request, HTTP1BodyReader)
        /// A refused body, thrown away.
        case discard(HTTP1BodyReader)
        /// The next request, which waits for the answer to this one.
        case done
        /// Whatever the peer still sends after our last word: reading it keeps the answer from being reset.
        case linger(bytes: Int)
    }

    /// Where the answer is.
    enum Output {
        case idle
        case awaiting(HTTPExchange, HTTPRequestHead, any HTTPHandler)
        case writing(BodyOutput, chunked: Bool, waiting: Bool)
    }

    let link: HTTPLink
    var input = Input.head
    var output = Output.idle
    var parser = HTTP1HeadParser()
    /// Bytes read and not yet consumed.
    var pending = ByteBuffer()
    var closeAfterAnswer = false
    var isHead = false
    var version = HTTPRequestHead.Version.http11
    var isProcessing = false
    var isPumping = false
    var needsPump = false
    var isDraining = false
    /// Since when the connection is at what it is at.
    var since: NIODeadline
    var bodyWait = BodyWait()
    var headSince: NIODeadline?
    var lastWrite: NIODeadline
    private var exchanges: Int64 = 0
    private var parked: HTTPGate?

    init(_ link: HTTPLink) {
        self.link = link
        since = link.loop.now
        lastWrite = link.loop.now
    }

    // MARK: Reading

    func read(_ buffer: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = buffer
        } else {
            var buffer = buffer
            pending.writeBuffer(&buffer)
        }
        process()
    }

    func readComplete() { updateReading() }

    /// Consumes what there is, as far as it goes.
    func process() {
        guard !isProcessing, !link.isClosed else { return }
        isProcessing = true
        let bytes = pending
        pending = ByteBuffer()
        let consumed = bytes.withUnsafeReadableBytes { all in
            var at = 0
            do throws(HTTP1Error) {
                while let taken = try step(UnsafeRawBufferPointer(rebasing: all[at...])) {
                    at += taken
                    if link.isClosed { return all.count }
                }
            } catch {
                fail(error)
                return all.count
            }
            return at
        }
        isProcessing = false
        if consumed < bytes.readableBytes {
            pending = bytes
            pending.moveReaderIndex(forwardBy: consumed)
        }
        if !link.isInRead { updateReading() }
    }

    /// Consumes some bytes; nil if there is nothing to do before more come or the answer is out.
    private func step(_ bytes: UnsafeRawBufferPointer) throws(HTTP1Error) -> Int? {
        switch input {
        case .head:
            guard case .idle = output, !bytes.isEmpty else { return nil }
            guard let parsed = try parser.parse(bytes, limit: link.configuration.headLimit) else {
                if headSince == nil { headSince = link.loop.now }
                return nil
            }
            headSince = nil
            begin(parsed)
            return parsed.consumed
        case .gated(let request):
            guard isOpen(request.handler.gate) else { return nil }
            start(request, hasBytes: !bytes.isEmpty)
            return 0
        case .body(let request, var reader):
            // The reader's buffer must be held once, or writing to it would copy it.
            input = .done
            return try readBody(request, &reader, bytes)
        case .discard(var reader):
            guard !bytes.isEmpty else { return nil }
            let taken = try reader.skip(bytes)
            if reader.skipped > link.configuration.discardLimit {
                closeAfterAnswer = true
                input = .linger(bytes: 0)
                if case .idle = output { finishConnection() }
            } else {
                input = reader.isDone ? .done : .discard(reader)
            }
            return taken
        case .done:
            guard case .idle = output else { return nil }
            input = .head
            since = link.loop.now
            return 0
        case .linger(let count):
            guard !bytes.isEmpty else { return nil }
            input = .linger(bytes: count + bytes.count)
            // Enough for what was on its way; who goes on sending shall be cut off.
            if count > 4 << 20 { link.close() }
            return bytes.count
        }
    }

    private func begin(_ parsed: HTTP1HeadParser.Parsed) {
        let head = parsed.head
        isHead = head.method == .head
        version = head.version
        closeAfterAnswer = parsed.close || isDraining
        since = link.loop.now
        let handler = link.listener.routes.resolve(head)
        if let refusal = handler.head(head, loop: link.loop.index) {
            return refuse(refusal, parsed)
        }
        let limit = handler.bodyLimit ?? link.configuration.bodyLimit
        if let length = head.contentLength, length > limit {
            return refuse(handler.answer(.bodyTooLarge(limit: limit), to: head), parsed)
        }
        input = .gated(
            Request(
                head: head,
                handler: handler,
                framing: parsed.framing,
                expectsContinue: parsed.expectsContinue
            )
        )
    }

    /// Answers without reading the body.
    ///
    /// A small one is thrown away; for a large one the connection ends.
    private func refuse(_ response: HTTPResponse, _ parsed: HTTP1HeadParser.Parsed) {
        switch parsed.framing {
        case .none: input = .done
        case .length(let length) where length <= link.configuration.discardLimit && !parsed.expectsContinue:
            input = .discard(HTTP1BodyReader(.length(length)))
        case .chunked where !parsed.expectsContinue: input = .discard(HTTP1BodyReader(.chunked))
        default:
            input = .linger(bytes: 0)
            closeAfterAnswer = true
        }
        write(response)
    }

    private func start(_ request: Request, hasBytes: Bool) {
        if request.framing == .none {
            input = .done
            return dispatch(request, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        if request.expectsContinue, !hasBytes {
            link.write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
            link.flush()
        }
        bodyWait = BodyWait()
        input = .body(request, HTTP1BodyReader(request.framing))
    }

    private func readBody(
        _ request: Request,
        _ reader: inout HTTP1BodyReader,
        _ bytes: UnsafeRawBufferPointer
    ) throws(HTTP1Error) -> Int? {
        guard !bytes.isEmpty else {
            input = .body(request, reader)
            return nil
        }
        if let whole = reader.whole(in: bytes) {
            dispatch(request, whole)
            return whole.count
        }
        let limit = request.handler.bodyLimit ?? link.configuration.bodyLimit
        guard let taken = try reader.collect(bytes, limit: limit, link) else {
            closeAfterAnswer = true
            input = .linger(bytes: 0)
            write(request.handler.answer(.bodyTooLarge(limit: limit), to: request.head))
            return bytes.count
        }
        guard reader.isDone else {
            input = .body(request, reader)
            return taken
        }
        let buffer = reader.takeBuffer()
        buffer.withUnsafeReadableBytes { dispatch(request, $0) }
        link.loop.giveBack(buffer)
        return taken
    }

    private func dispatch(_ request: Request, _ body: UnsafeRawBufferPointer) {
        exchanges += 1
        let exchange = HTTPExchange(loop: link.loop.loop, id: exchanges, owner: self)
        output = .awaiting(exchange, request.head, request.handler)
        let call = HTTPRequest(
            head: request.head,
            loop: link.loop.index,
            peer: link.peer,
            connection: link.id,
            inflater: link.loop.inflater
        )
        request.handler.handle(call, body: body, HTTPResponder(exchange))
    }

    // MARK: Waiting

    /// Reads the socket unless a gate is shut or enough lies here unread.
    func updateReading() {
        guard !link.isClosed else { return }
        var wanted = true
        switch input {
        case .gated(let request), .body(let request, _): wanted = isOpen(request.handler.gate)
        case .done: wanted = pending.readableBytes <= link.configuration.pipelineLimit
        case .head, .discard, .linger: break
        }
        link.setReading(wanted)
    }

    /// Whether a gate lets us read; if not, it will wake us.
    private func isOpen(_ gate: HTTPGate?) -> Bool {
        guard let gate, !gate.isOpen else { return true }
        let loop = link.loop.loop
        let wake = NIOLoopBound(self, eventLoop: loop)
        parked = gate
        return !gate.park(link.id) {
            loop.execute {
                wake.value.process()
                wake.value.updateReading()
            }
        }
    }

    // MARK: Ending

    func inactive() {
        parked?.leave(link.id)
        if case .awaiting(let exchange, _, _) = output { exchange.markGone() }
        output = .idle
        pending = ByteBuffer()
    }

    func drain() {
        isDraining = true
        closeAfterAnswer = true
        if case .head = input, case .idle = output, pending.readableBytes == 0 { link.close() }
    }

    func report(_ event: HTTPEvent) { link.report(event) }
}
