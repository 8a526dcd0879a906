import NIOCore

/// The one handler of an accepted connection: sees by the first bytes which protocol the peer speaks, then hands
/// everything to that protocol's engine.
///
/// The HTTP/2 preface may come a byte at a time; the first byte that differs decides for HTTP/1.1.
final class HTTPChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let listener: HTTPListenerState
    private let loop: LoopState
    private let id: UInt64
    private var link: HTTPLink?
    private var engine: (any HTTPConnection)?
    private var sniffed = ByteBuffer()
    private var since: NIODeadline
    private var isDraining = false

    init(_ loop: LoopState, _ listener: HTTPListenerState, id: UInt64) {
        self.loop = loop
        self.listener = listener
        self.id = id
        since = loop.now
    }

    func handlerAdded(context: ChannelHandlerContext) {
        link = HTTPLink(context, loop, listener, id: id)
        loop.add(self, id: id)
        since = loop.now
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset or a broken pipe: the peer is gone, which is no news. What TLS finds is noted before it comes here.
        close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        link?.isInRead = true
        var buffer = unwrapInboundIn(data)
        if let engine { return engine.read(buffer) }
        if sniffed.readableBytes > 0 {
            sniffed.writeBuffer(&buffer)
            buffer = sniffed
        }
        guard let isHTTP2 = Self.isHTTP2(buffer) else {
            sniffed = buffer
            return
        }
        sniffed = ByteBuffer()
        guard let link else { return }
        let engine: any HTTPConnection = isHTTP2 ? HTTP2Connection(link) : HTTP1Connection(link)
        self.engine = engine
        if isDraining { engine.drain() }
        engine.read(buffer)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        link?.isInRead = false
        engine?.readComplete()
        link?.flushNow()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        engine?.writabilityChanged()
    }

    /// Whether the socket is read; a shut gate or too much unanswered stops it.
    var isReading: Bool { link?.isReading ?? false }

    func tick(_ now: NIODeadline) {
        if let engine { return engine.tick(now) }
        let limit =
            sniffed.readableBytes > 0 ? loop.configuration.headTimeout : loop.configuration.idleTimeout
        guard now - since > TimeAmount(limit) else { return }
        loop.events(.timeout(sniffed.readableBytes > 0 ? .head : .idle))
        close()
    }

    /// Finish what is under way, then close.
    func drain() {
        isDraining = true
        if let engine { engine.drain() } else { close() }
    }

    func close() { link?.close() }

    private func end() {
        guard let link else { return }
        link.markClosed()
        engine?.inactive()
        engine = nil
        self.link = nil
        loop.remove(id: id)
        listener.connectionClosed()
    }

    /// Nil while the bytes could still become either.
    private static func isHTTP2(_ buffer: ByteBuffer) -> Bool? {
        buffer.withUnsafeReadableBytes { bytes in
            let shared = min(bytes.count, preface.count)
            for index in 0..<shared where bytes[index] != preface[index] { return false }
            return shared == preface.count ? true : nil
        }
    }
}
