import CNGHTTP2
import NIOCore

/// Answers.
extension HTTP2Connection {
    func answer(_ exchange: HTTPExchange, with response: HTTPResponse) {
        guard let stream = awaiting(exchange) else { return }
        submit(stream, response)
        // Answers that are given in one turn of the loop go out together.
        drainLater()
    }

    func answerUnanswered(_ exchange: HTTPExchange) {
        guard let stream = awaiting(exchange), case .awaiting(_, let head, let handler) = stream.state else {
            return
        }
        submit(stream, handler.answer(.unanswered, to: head))
        drain(force: false)
    }

    private func awaiting(_ exchange: HTTPExchange) -> HTTP2Stream? {
        guard !link.isClosed, let stream = stream(Int32(truncatingIfNeeded: exchange.id)),
            case .awaiting(let current, _, _) = stream.state, current === exchange
        else { return nil }
        return stream
    }

    func wakeBody(_ exchange: HTTPExchange) {
        guard !link.isClosed, let stream = stream(Int32(truncatingIfNeeded: exchange.id)) else { return }
        stream.wasWoken = true
        guard stream.isDeferred else { return }
        stream.isDeferred = false
        check(nghttp2_session_resume_data(session, stream.id))
        drain(force: false)
    }

    /// Gives an answer to nghttp2; `drain` sends it.
    func submit(_ stream: HTTP2Stream, _ response: HTTPResponse) {
        stream.state = .answering
        stream.lastWrite = link.loop.now
        guards.sentSomething()
        var provider = nghttp2_data_provider()
        provider.read_callback = HTTP2Callbacks.read
        let hasBody = !stream.isHead && (response.body.length != 0 || response.trailers != nil)
        if hasBody { stream.output = BodyOutput(response) }
        var length = response.trailers == nil ? response.body.length : nil
        if response.status == 204 || response.status == 304 { length = nil }
        let extra = Extra(status: response.status, date: link.loop.date, length: length)
        Self.withNameValues(response.fields, extra) { pairs in
            if hasBody {
                check(nghttp2_submit_response(session, stream.id, pairs.baseAddress, pairs.count, &provider))
            } else {
                check(nghttp2_submit_response(session, stream.id, pairs.baseAddress, pairs.count, nil))
            }
        }
    }

    /// Fields that belong to a connection and make an HTTP/2 message malformed (RFC 9113, 8.2.2).
    private static func isConnectionField(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 7: name.elementsEqual("upgrade".utf8)
        case 10: name.elementsEqual("connection".utf8) || name.elementsEqual("keep-alive".utf8)
        case 16: name.elementsEqual("proxy-connection".utf8)
        case 17: name.elementsEqual("transfer-encoding".utf8)
        default: false
        }
    }

    /// What every answer carries besides its own fields.
    private struct Extra {
        var status: Int
        var date: String
        var length: Int?
    }

    /// nghttp2 copies names and values, so the pointers need to hold for the call only.
    private static func withNameValues(
        _ fields: HTTPFields,
        _ extra: Extra?,
        _ body: (UnsafeMutableBufferPointer<nghttp2_nv>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count + 3) { pairs in
            var count = 0
            func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
                let pair = nghttp2_nv(
                    name: UnsafeMutableRawPointer(mutating: name.baseAddress)?.assumingMemoryBound(
                        to: UInt8.self
                    ),
                    value: UnsafeMutableRawPointer(mutating: value.baseAddress)?.assumingMemoryBound(
                        to: UInt8.self
                    ),
                    namelen: name.count,
                    valuelen: value.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)
                )
                pairs.initializeElement(at: count, to: pair)
                count += 1
            }
            func addFields() {
                fields.withAllBytes { name, value in
                    if !isConnectionField(name) { add(name, value) }
                } then: {
                    body(UnsafeMutableBufferPointer(rebasing: pairs[..<count]))
                }
            }
            guard let extra else { return addFields() }
            var (status, date, length) = (String(extra.status), extra.date, String(extra.length ?? 0))
            status.withUTF8 { status in
                date.withUTF8 { date in
                    length.withUTF8 { length in
                        add(bytes(":status"), UnsafeRawBufferPointer(status))
                        add(bytes("date"), UnsafeRawBufferPointer(date))
                        if extra.length != nil {
                            add(bytes("content-length"), UnsafeRawBufferPointer(length))
                        }
                        addFields()
                    }
                }
            }
        }
    }

    private static func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// How many bytes the next DATA frame may carry; nghttp2 then asks `sendData` for them.
    func readBody(_ id: Int32, _ size: Int, _ flags: UnsafeMutablePointer<UInt32>) -> Int {
        guard let stream = stream(id) else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        while stream.piece.readableBytes == 0 {
            stream.wasWoken = false
            switch stream.output?.next() ?? .end(trailers: nil) {
            case .bytes(let piece): stream.piece = piece
            case .wait:
                if stream.wasWoken { continue }
                stream.isDeferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            case .failed:
                report(.bodyFailed)
                return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
            case .end(let trailers):
                finish(stream, trailers, flags)
                return 0
            }
        }
        let count = min(size, stream.piece.readableBytes)
        flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_COPY.rawValue)
        if count == stream.piece.readableBytes, stream.output?.isAtEnd ?? true {
            if case .end(let trailers)? = stream.output?.next() {
                finish(stream, trailers, flags)
            } else {
                finish(stream, nil, flags)
            }
        }
        return count
    }

    private func finish(_ stream: HTTP2Stream, _ trailers: HTTPFields?, _ flags: UnsafeMutablePointer<UInt32>)
    {
        stream.output = nil
        flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
        guard let trailers, trailers.count > 0 else { return }
        flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
        Self.withNameValues(trailers, nil) { pairs in
            check(nghttp2_submit_trailer(session, stream.id, pairs.baseAddress, pairs.count))
        }
    }

    func sent(_ frame: UnsafePointer<nghttp2_frame>) {
        let header = frame.pointee.hd
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { stopBody(header.stream_id) }
        case NGHTTP2_GOAWAY.rawValue:
            let code = frame.pointee.goaway.error_code
            guard code != NGHTTP2_NO_ERROR.rawValue, shutdownPhase != .final else { return }
            invalid(String(cString: nghttp2_http2_strerror(code)))
        default: break
        }
    }

    /// Stops a peer from sending a body that is answered already (RFC 9113, 8.1).
    private func stopBody(_ id: Int32) {
        guard let stream = stream(id), !stream.isRemoteDone else { return }
        check(
            nghttp2_submit_rst_stream(
                session,
                UInt8(NGHTTP2_FLAG_NONE.rawValue),
                id,
                NGHTTP2_NO_ERROR.rawValue
            )
        )
    }

    /// Reports a broken rule, once per connection: a broken peer breaks many.
    func invalid(_ reason: String) {
        guard !hasReportedInvalid else { return }
        hasReportedInvalid = true
        report(.protocolError(reason))
    }
}
