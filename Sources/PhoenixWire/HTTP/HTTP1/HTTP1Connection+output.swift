import NIOCore

/// Answers and timeouts.
extension HTTP1Connection {
    func answer(_ exchange: HTTPExchange, with response: HTTPResponse) {
        guard case .awaiting(let current, _, _) = output, current === exchange else { return }
        write(response)
        continueAfterAnswer()
    }

    func answerUnanswered(_ exchange: HTTPExchange) {
        guard case .awaiting(let current, let head, let handler) = output, current === exchange else {
            return
        }
        write(handler.answer(.unanswered, to: head))
        continueAfterAnswer()
    }

    func wakeBody(_ exchange: HTTPExchange) { pump() }

    func writabilityChanged() {
        lastWrite = link.loop.now
        pump()
        continueAfterAnswer()
    }

    /// Looks at what was read ahead, once an answer is out.
    private func continueAfterAnswer() {
        guard case .idle = output, !isProcessing else { return }
        process()
    }

    /// Writes an answer, as much of it as the peer takes now.
    func write(_ response: HTTPResponse) {
        let hasBody = !isHead && response.status != 204 && response.status != 304
        let length = response.body.length
        let chunked = hasBody && version == .http11 && (length == nil || response.trailers != nil)
        if hasBody, length == nil, !chunked { closeAfterAnswer = true }
        if isDraining { closeAfterAnswer = true }
        var head = encodeHead(response, chunked: chunked || (isHead && length == nil))
        lastWrite = link.loop.now
        guard hasBody, length != 0 || chunked else {
            link.write(head)
            return finishAnswer()
        }
        if case .bytes(var body) = response.body, !chunked, body.readableBytes <= 16 << 10 {
            head.writeBuffer(&body)
            link.write(head)
            return finishAnswer()
        }
        link.write(head)
        output = .writing(BodyOutput(response), chunked: chunked, waiting: false)
        pump()
    }

    private func encodeHead(_ response: HTTPResponse, chunked: Bool) -> ByteBuffer {
        let inline = if case .bytes(let body) = response.body { min(body.readableBytes, 16 << 10) } else { 0 }
        var head = link.context.channel.allocator.buffer(capacity: 256 + inline)
        head.writeStaticString("HTTP/1.1 ")
        head.writeString(String(response.status))
        head.writeStaticString(" ")
        head.writeString(Self.reason(response.status))
        head.writeStaticString("\r\n")
        response.fields.forEachBytes { name, value in
            head.writeBytes(name)
            head.writeStaticString(": ")
            head.writeBytes(value)
            head.writeStaticString("\r\n")
        }
        head.writeStaticString("date: ")
        head.writeString(link.loop.date)
        if chunked {
            head.writeStaticString("\r\ntransfer-encoding: chunked")
        } else if response.status != 204, response.status != 304, let length = response.body.length {
            head.writeStaticString("\r\ncontent-length: ")
            head.writeString(String(length))
        }
        if closeAfterAnswer { head.writeStaticString("\r\nconnection: close") }
        head.writeStaticString("\r\n\r\n")
        return head
    }

    /// Writes pieces of the body while the peer takes them.
    ///
    /// A writability change may come from inside `flush`; it only asks for another round.
    func pump() {
        needsPump = true
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        var passed = 0
        while needsPump, !link.isClosed {
            needsPump = false
            guard case .writing(var body, let chunked, _) = output else { return }
            output = .idle
            var step = Step.more
            while step == .more, link.isWritable {
                step = writePiece(&body, chunked: chunked, &passed)
            }
            switch step {
            case .more, .wait:
                output = .writing(body, chunked: chunked, waiting: step == .wait)
                link.flushNow()
                lastWrite = link.loop.now
                if step == .more, link.isWritable {
                    guard passed < 4 << 20 else { return pumpLater() }
                    needsPump = true
                }
            case .end: finishAnswer()
            case .failed:
                link.report(.bodyFailed)
                link.close()
            }
        }
    }

    private enum Step { case more, wait, end, failed }

    private func writePiece(_ body: inout BodyOutput, chunked: Bool, _ passed: inout Int) -> Step {
        switch body.next() {
        case .bytes(let piece):
            guard piece.readableBytes > 0 else { return .more }
            passed += piece.readableBytes
            if chunked { link.write(ByteBuffer(string: String(piece.readableBytes, radix: 16) + "\r\n")) }
            link.write(piece)
            if chunked { link.write(Self.lineBreak) }
            return .more
        case .wait: return .wait
        case .failed: return .failed
        case .end(let trailers):
            guard chunked else { return .end }
            var last = ByteBuffer(string: "0\r\n")
            trailers?.forEachBytes { name, value in
                last.writeBytes(name)
                last.writeStaticString(": ")
                last.writeBytes(value)
                last.writeStaticString("\r\n")
            }
            last.writeStaticString("\r\n")
            link.write(last)
            return .end
        }
    }

    /// Lets other connections of the loop have their turn.
    private func pumpLater() {
        let this = NIOLoopBound(self, eventLoop: link.loop.loop)
        link.loop.loop.execute {
            this.value.pump()
            this.value.continueAfterAnswer()
        }
    }

    private func finishAnswer() {
        output = .idle
        since = link.loop.now
        if closeAfterAnswer { finishConnection() } else { link.flush() }
    }

    /// Ends the connection when all is written.
    ///
    /// If the peer may still be sending, our side closes first and its bytes are read for a while, or a reset
    /// would overtake the answer.
    func finishConnection() {
        let isWhole = if case .done = input { pending.readableBytes == 0 } else { false }
        input = .linger(bytes: 0)
        since = link.loop.now
        link.afterWrites { [link] in
            if isWhole { link.close() } else { link.halfClose() }
        }
    }

    /// Answers what is not HTTP, and ends.
    func fail(_ error: HTTP1Error) {
        link.report(error == .headTooLarge ? .headTooLarge : .malformed(error.reason))
        isProcessing = false
        closeAfterAnswer = true
        isHead = false
        version = .http11
        let wasDiscarding = if case .discard = input { true } else { false }
        input = .linger(bytes: 0)
        if case .writing = output { return }
        if wasDiscarding { return finishConnection() }
        write(link.listener.routes.answerUnread(error.status, error.reason))
    }

    // MARK: Timeouts

    func tick(_ now: NIODeadline) {
        let configuration = link.configuration
        func isOver(_ start: NIODeadline, _ limit: Duration) -> Bool { now - start > TimeAmount(limit) }
        switch output {
        case .writing(_, _, let waiting):
            if waiting {
                lastWrite = now
            } else if isOver(lastWrite, configuration.writeTimeout) {
                give(up: .write)
            }
            return
        case .awaiting(let exchange, let head, let handler):
            guard isOver(since, configuration.requestTimeout), exchange.claim() else { return }
            exchange.markGone()
            link.report(.timeout(.handler))
            write(handler.answer(.handlerTimeout, to: head))
            return continueAfterAnswer()
        case .idle: break
        }
        switch input {
        case .head:
            if let headSince, isOver(headSince, configuration.headTimeout) {
                link.report(.timeout(.head))
                closeAfterAnswer = true
                write(link.listener.routes.answerUnread(408, "the request head did not arrive in time"))
            } else if isOver(since, configuration.idleTimeout), headSince == nil {
                give(up: .idle)
            }
        case .gated(let request):
            let wait = request.handler.gate?.patience.wait ?? configuration.requestTimeout
            if isOver(since, wait) { refuse(request, .gateTimeout) }
        case .body(let request, _):
            if let problem = bodyWait.problem(request.handler.gate, since: since, configuration, now: now) {
                refuse(request, problem)
            }
        case .discard: if isOver(since, configuration.idleTimeout) { give(up: .request) }
        case .linger: if isOver(since, .seconds(2)) { link.close() }
        case .done: break
        }
    }

    private func refuse(_ request: Request, _ problem: HTTPProblem) {
        link.report(.timeout(.request))
        closeAfterAnswer = true
        input = .linger(bytes: 0)
        write(request.handler.answer(problem, to: request.head))
        updateReading()
    }

    private func give(up what: HTTPEvent.Timeout) {
        link.report(.timeout(what))
        link.close()
    }

    private static let lineBreak = ByteBuffer(string: "\r\n")

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
