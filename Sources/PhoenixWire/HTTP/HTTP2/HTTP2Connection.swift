import CNGHTTP2
import NIOCore

/// HTTP/2 on one connection: nghttp2 does the framing, this gives it bytes and takes its bytes.
///
/// nghttp2 is called from the event loop only and never from inside its own callbacks where it forbids that: they
/// change state, and `drain` sends afterwards. The session dies with this object, which no callback can cause.
final class HTTP2Connection: HTTPConnection, HTTPExchangeOwner {
    let link: HTTPLink
    private(set) var session: OpaquePointer?
    var streams: [Int32: HTTP2Stream] = [:]
    private var latest: HTTP2Stream?
    /// The last piece of a body, still lying in the read buffer: if its stream ends there too, it is not copied.
    private var borrowed: (stream: HTTP2Stream, bytes: UnsafeRawBufferPointer)?
    /// Request body bytes in memory.
    private var buffered = 0
    private var parked: [HTTPGate] = []
    /// Inside nghttp2: nothing may be sent or received.
    private var isInSession = false
    private var isEnding = false
    private var isDrainingLater = false
    private var out = ByteBuffer()
    private var isFull = false
    var guards: HTTP2Guards
    var hasReportedInvalid = false
    var lastProgress: NIODeadline
    var lastActivity: NIODeadline
    var shutdownPhase = HTTP2ShutdownPhase.none

    /// What is handed to the socket at once.
    private static let sendSize = 256 << 10

    init(_ link: HTTPLink) {
        self.link = link
        lastProgress = link.loop.now
        lastActivity = link.loop.now
        guards = HTTP2Guards(link.configuration.http2)
        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0 else { return }
        defer { nghttp2_option_del(option) }
        nghttp2_option_set_no_auto_window_update(option, 1)
        // Streams kept only for priorities, which we do not follow, would cost memory.
        nghttp2_option_set_no_closed_streams(option, 1)
        let user = Unmanaged.passUnretained(self).toOpaque()
        guard nghttp2_session_server_new2(&session, HTTP2Callbacks.table, user, option) == 0 else { return }
        let settings = link.configuration.http2
        let entries = [
            Self.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams),
            Self.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow),
            Self.setting(
                NGHTTP2_SETTINGS_MAX_FRAME_SIZE,
                min(max(settings.maxFrameSize, 1 << 14), 1 << 24 - 1)
            ),
            Self.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, link.configuration.headLimit),
        ]
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        check(nghttp2_submit_settings(session, none, entries, entries.count))
        check(
            nghttp2_session_set_local_window_size(
                session,
                none,
                0,
                Int32(clamping: settings.connectionWindow)
            )
        )
    }

    deinit { nghttp2_session_del(session) }

    private static func setting(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
    }

    /// Want of memory is the only way in which these calls fail; the connection cannot go on then.
    func check(_ code: Int32) {
        guard code < 0 else { return }
        report(.protocolError(String(cString: nghttp2_strerror(code))))
        if nghttp2_is_fatal(code) != 0 { link.close() }
    }

    // MARK: Receiving

    func read(_ buffer: ByteBuffer) {
        guard let session, !link.isClosed else { return link.close() }
        lastActivity = link.loop.now
        isInSession = true
        let code = buffer.withUnsafeReadableBytes { bytes -> Int in
            let result = nghttp2_session_mem_recv(
                session,
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                bytes.count
            )
            keepBorrowed()
            return result
        }
        isInSession = false
        guard code < 0 else { return }
        report(.protocolError(String(cString: nghttp2_strerror(Int32(code)))))
        drain(force: true)
        end()
    }

    func readComplete() { drain(force: true) }

    func beginHead(_ id: Int32) {
        let stream = HTTP2Stream(id: id, now: link.loop.now)
        streams[id] = stream
        latest = stream
    }

    func field(_ id: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard let stream = stream(id) else { return }
        stream.headSize += name.count + value.count + 32
        guard stream.headSize <= link.configuration.headLimit else { return }
        guard name.first == UInt8(ascii: ":") else { return stream.fields.append(name: name, value: value) }
        let text = String(decoding: value, as: UTF8.self)
        switch name.count {
        case 5 where name[1] == UInt8(ascii: "p"): stream.path = text
        case 7 where name[1] == UInt8(ascii: "m"): stream.method = text
        case 10 where name[1] == UInt8(ascii: "a"): stream.authority = text
        default: break
        }
    }

    func data(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
        keepBorrowed()
        guard let stream = stream(id) else {
            return check(nghttp2_session_consume_connection(session, bytes.count))
        }
        guard case .receiving(let head, let handler) = stream.state else { return consume(id, bytes.count) }
        stream.bodySize += bytes.count
        buffered += bytes.count
        stream.held += bytes.count
        let limit = handler.bodyLimit ?? link.configuration.bodyLimit
        if stream.bodySize > limit {
            refuse(stream, handler.answer(.bodyTooLarge(limit: limit), to: head))
        } else if buffered > link.configuration.connectionBodyLimit {
            refuse(stream, handler.answer(.tooMuchBuffered, to: head))
        } else {
            borrowed = (stream, bytes)
            giveBack(stream)
        }
    }

    func received(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = frame.pointee.hd
        let ends = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let stream = stream(header.stream_id) else { return }
            if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST { headComplete(stream, ends) }
            if ends { bodyComplete(stream) }
        case NGHTTP2_DATA.rawValue:
            if ends, let stream = stream(header.stream_id) { bodyComplete(stream) }
        case NGHTTP2_PING.rawValue: ping(isAck: header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0)
        default: break
        }
    }

    private func headComplete(_ stream: HTTP2Stream, _ ends: Bool) {
        stream.isRemoteDone = ends
        let head = stream.takeHead()
        let handler = link.listener.routes.resolve(head)
        guard stream.headSize <= link.configuration.headLimit else {
            report(.headTooLarge)
            let problem = HTTPProblem.unreadable(status: 431, reason: HTTP1Error.headTooLarge.reason)
            return refuse(stream, handler.answer(problem, to: head))
        }
        if let refusal = handler.head(head, loop: link.loop.index) { return refuse(stream, refusal) }
        let limit = handler.bodyLimit ?? link.configuration.bodyLimit
        if let length = head.contentLength, length > limit {
            return refuse(stream, handler.answer(.bodyTooLarge(limit: limit), to: head))
        }
        stream.state = .receiving(head, handler)
    }

    private func bodyComplete(_ stream: HTTP2Stream) {
        stream.isRemoteDone = true
        guard case .receiving(let head, let handler) = stream.state else { return }
        guard isOpen(handler.gate) else {
            stream.state = .gated(head, handler)
            return
        }
        guard let borrowed, borrowed.stream === stream, stream.body == nil else {
            keepBorrowed()
            return dispatch(stream, head, handler)
        }
        self.borrowed = nil
        dispatch(stream, head, handler, borrowed.bytes)
    }

    private func dispatch(_ stream: HTTP2Stream, _ head: HTTPRequestHead, _ handler: any HTTPHandler) {
        let body = stream.body ?? ByteBuffer()
        stream.body = nil
        body.withUnsafeReadableBytes { dispatch(stream, head, handler, $0) }
        if body.storageCapacity > 0 { link.loop.giveBack(body) }
    }

    private func dispatch(
        _ stream: HTTP2Stream,
        _ head: HTTPRequestHead,
        _ handler: any HTTPHandler,
        _ body: UnsafeRawBufferPointer
    ) {
        buffered -= stream.bodySize
        stream.bodySize = 0
        let exchange = HTTPExchange(loop: link.loop.loop, id: Int64(stream.id), owner: self)
        stream.exchange = exchange
        stream.state = .awaiting(exchange, head, handler)
        let call = HTTPRequest(
            head: head,
            loop: link.loop.index,
            peer: link.peer,
            connection: link.id,
            inflater: link.loop.inflater
        )
        handler.handle(call, body: body, HTTPResponder(exchange))
    }

    /// Answers without the body, and forgets what came of it.
    func refuse(_ stream: HTTP2Stream, _ response: HTTPResponse) {
        if borrowed?.stream === stream { borrowed = nil }
        forgetBody(stream)
        submit(stream, response)
    }

    private func forgetBody(_ stream: HTTP2Stream) {
        buffered -= stream.bodySize
        stream.bodySize = 0
        stream.body = nil
        consume(stream.id, stream.held)
        stream.held = 0
    }

    /// Copies a body piece that lies in the read buffer, before that is gone or another comes.
    private func keepBorrowed() {
        guard let (stream, bytes) = borrowed else { return }
        borrowed = nil
        var body =
            stream.body ?? link.loop.takeBuffer(expecting: expected(stream), link.context.channel.allocator)
        stream.body = nil
        body.writeBytes(bytes)
        stream.body = body
    }

    private func expected(_ stream: HTTP2Stream) -> Int? {
        if case .receiving(let head, _) = stream.state { head.contentLength } else { nil }
    }

    func closed(_ id: Int32, _ code: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if latest === stream { latest = nil }
        if borrowed?.stream === stream { borrowed = nil }
        buffered -= stream.bodySize
        if stream.held > 0 { check(nghttp2_session_consume_connection(session, stream.held)) }
        stream.exchange?.markGone()
        if case .answering = stream.state { return }
        if case .head = stream.state { return }
        // An unanswered request that was taken back: cheap for the peer, not for us.
        guard code != NGHTTP2_NO_ERROR.rawValue, guards.reset(at: link.loop.now) else { return }
        calm("too many resets")
    }

    func stream(_ id: Int32) -> HTTP2Stream? {
        if let latest, latest.id == id { return latest }
        let found = streams[id]
        latest = found
        return found
    }

    // MARK: Flow control

    /// Lets the peer send as much again as we took, unless the handler is full.
    private func giveBack(_ stream: HTTP2Stream) {
        guard stream.held > 0, isOpen(stream.gate) else { return }
        consume(stream.id, stream.held)
        stream.held = 0
    }

    private func consume(_ id: Int32, _ count: Int) {
        if count > 0 { check(nghttp2_session_consume(session, id, count)) }
    }

    private func isOpen(_ gate: HTTPGate?) -> Bool {
        guard let gate, !gate.isOpen else { return true }
        let loop = link.loop.loop
        let this = NIOLoopBound(self, eventLoop: loop)
        if !parked.contains(where: { $0 === gate }) { parked.append(gate) }
        return !gate.park(link.id) { loop.execute { this.value.gateOpened() } }
    }

    private func gateOpened() {
        guard !link.isClosed else { return }
        // In the order in which they came.
        for id in streams.keys.sorted() {
            guard let stream = streams[id] else { continue }
            giveBack(stream)
            if case .gated(let head, let handler) = stream.state, isOpen(handler.gate) {
                dispatch(stream, head, handler)
            }
        }
        drain(force: false)
    }

    // MARK: Sending

    func writabilityChanged() { drain(force: false) }

    /// Hands what nghttp2 wants to send to the socket, as long as that takes it.
    ///
    /// - Parameter force: also within a read; otherwise that is left to its end.
    func drain(force: Bool) {
        guard let session, !isInSession, !link.isClosed, force || !link.isInRead else { return }
        isInSession = true
        var passed = 0
        repeat {
            guard link.isWritable else { break }
            guard fill(session) else {
                isInSession = false
                return link.close()
            }
            guard out.readableBytes > 0 else { break }
            passed += out.readableBytes
            lastProgress = link.loop.now
            link.write(out)
            out = ByteBuffer()
            if isFull { link.flushNow() }
            if passed > 4 << 20, isFull {
                drainLater()
                break
            }
        } while isFull && !link.isClosed
        isInSession = false
        link.flush()
        if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 { end() }
    }

    private func fill(_ session: OpaquePointer) -> Bool {
        isFull = false
        while !isFull {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            if count < 0 { return false }
            if count == 0 { return true }
            if out.storageCapacity == 0 { out = link.context.channel.allocator.buffer(capacity: 1024) }
            out.writeBytes(UnsafeRawBufferPointer(start: bytes, count: count))
            isFull = out.readableBytes >= Self.sendSize
        }
        return true
    }

    /// Sends at the end of this turn of the loop, once for all who ask; others have their turn meanwhile.
    func drainLater() {
        guard !isDrainingLater else { return }
        isDrainingLater = true
        let this = NIOLoopBound(self, eventLoop: link.loop.loop)
        link.loop.loop.execute {
            this.value.isDrainingLater = false
            this.value.drain(force: false)
        }
    }

    /// Takes a DATA frame into the send buffer.
    func sendData(_ id: Int32, _ header: UnsafePointer<UInt8>, _ size: Int, _ padding: Int) -> Int32 {
        guard let stream = stream(id) else { return Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        guard out.readableBytes < Self.sendSize else {
            isFull = true
            return Int32(NGHTTP2_ERR_WOULDBLOCK.rawValue)
        }
        if out.storageCapacity < size {
            out.reserveCapacity(size > 8192 ? Self.sendSize + 32 << 10 : size + 1024)
        }
        out.writeBytes(UnsafeRawBufferPointer(start: header, count: 9))
        if padding > 0 { out.writeInteger(UInt8(truncatingIfNeeded: padding - 1)) }
        if size > 0, var slice = stream.piece.readSlice(length: size) { out.writeBuffer(&slice) }
        if padding > 1 { out.writeRepeatingByte(0, count: padding - 1) }
        stream.lastWrite = link.loop.now
        return 0
    }

    // MARK: Ending

    /// Closes once all is written.
    func end() {
        guard !isEnding else { return }
        isEnding = true
        link.afterWrites { [link] in link.close() }
    }

    func inactive() {
        for gate in parked { gate.leave(link.id) }
        for stream in streams.values { stream.exchange?.markGone() }
        streams = [:]
        latest = nil
        borrowed = nil
    }

    func report(_ event: HTTPEvent) { link.report(event) }
}
