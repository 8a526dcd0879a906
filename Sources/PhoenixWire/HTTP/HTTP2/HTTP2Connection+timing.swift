import CNGHTTP2
import NIOCore

/// Pings, timeouts and the graceful end.
extension HTTP2Connection {
    private static let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)

    func ping(isAck: Bool) {
        if isAck {
            guards.ownPingEchoed()
            if shutdownPhase == .announced { finalGoaway() }
        } else if guards.ping(at: link.loop.now, hasStreams: !streams.isEmpty) {
            calm("too_many_pings")
        }
    }

    /// Sends a misbehaving peer away.
    func calm(_ reason: String) {
        report(.protocolError(reason))
        let last = nghttp2_session_get_last_proc_stream_id(session)
        let code = NGHTTP2_ENHANCE_YOUR_CALM.rawValue
        let bytes = Array(reason.utf8)
        check(nghttp2_submit_goaway(session, Self.none, last, code, bytes, bytes.count))
        shutdownPhase = .final
        guards.sentSomething()
        // What is under way would keep the connection open: it ends now, but for the words of farewell.
        let loop = link.loop.loop
        let this = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            this.value.drain(force: true)
            this.value.end()
        }
    }

    /// GOAWAY(2^31-1) now, GOAWAY(last) when the peer has seen it, and the end when the last stream is done.
    func drain() {
        guard shutdownPhase == .none, !link.isClosed else { return }
        shutdownPhase = .announced
        check(nghttp2_submit_shutdown_notice(session))
        check(nghttp2_submit_ping(session, Self.none, nil))
        guards.ownPing(at: link.loop.now)
        drain(force: false)
    }

    private func finalGoaway() {
        shutdownPhase = .final
        let last = nghttp2_session_get_last_proc_stream_id(session)
        check(nghttp2_submit_goaway(session, Self.none, last, NGHTTP2_NO_ERROR.rawValue, nil, 0))
        drain(force: false)
    }

    func tick(_ now: NIODeadline) {
        let configuration = link.configuration
        if !link.isWritable, now - lastProgress > TimeAmount(configuration.writeTimeout) {
            return give(up: .write)
        }
        if let sent = guards.pingSent, now - sent > TimeAmount(configuration.http2.keepaliveTimeout) {
            if shutdownPhase == .announced {
                guards.ownPingEchoed()
                finalGoaway()
            } else {
                return give(up: .idle)
            }
        }
        tickIdle(now)
        for stream in Array(streams.values) { tick(stream, now) }
        drain(force: false)
    }

    private func tickIdle(_ now: NIODeadline) {
        let idle = now - lastActivity
        if streams.isEmpty, idle > TimeAmount(link.configuration.http2.idleTimeout), shutdownPhase == .none {
            report(.timeout(.idle))
            check(nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR.rawValue))
            shutdownPhase = .final
        } else if let keepalive = link.configuration.http2.keepalive, guards.pingSent == nil,
            idle > TimeAmount(keepalive)
        {
            check(nghttp2_submit_ping(session, Self.none, nil))
            guards.ownPing(at: now)
        }
    }

    private func tick(_ stream: HTTP2Stream, _ now: NIODeadline) {
        let isOld = now - stream.since > TimeAmount(link.configuration.requestTimeout)
        switch stream.state {
        case .head:
            guard now - stream.since > TimeAmount(link.configuration.headTimeout) else { return }
            give(up: .head)
        case .receiving(let head, let handler):
            guard
                let problem = stream.bodyWait.problem(
                    handler.gate,
                    since: stream.since,
                    link.configuration,
                    now: now
                )
            else { return }
            report(.timeout(.request))
            refuse(stream, handler.answer(problem, to: head))
        case .gated(let head, let handler):
            let wait = handler.gate?.patience.wait ?? link.configuration.requestTimeout
            guard now - stream.since > TimeAmount(wait) else { return }
            report(.timeout(.request))
            refuse(stream, handler.answer(.gateTimeout, to: head))
        case .awaiting(let exchange, let head, let handler):
            guard isOld, exchange.claim() else { return }
            exchange.markGone()
            report(.timeout(.handler))
            submit(stream, handler.answer(.handlerTimeout, to: head))
        case .answering:
            guard !stream.isDeferred, now - stream.lastWrite > TimeAmount(link.configuration.writeTimeout)
            else {
                return
            }
            report(.timeout(.write))
            check(nghttp2_submit_rst_stream(session, Self.none, stream.id, NGHTTP2_CANCEL.rawValue))
        }
    }

    private func give(up what: HTTPEvent.Timeout) {
        report(.timeout(what))
        link.close()
    }
}
