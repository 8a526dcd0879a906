import NIOCore

/// The socket side of a connection, as the protocol engines see it.
///
/// Lives on its event loop.
final class HTTPLink {
    let context: ChannelHandlerContext
    let loop: LoopState
    let listener: HTTPListenerState
    let id: UInt64
    let peer: String?
    private(set) var isReading = true
    private(set) var isClosed = false
    private var needsFlush = false
    /// Inside a read: what is written is flushed at its end.
    var isInRead = false

    var configuration: HTTPConfiguration { loop.configuration }
    var isWritable: Bool { context.channel.isWritable }

    init(_ context: ChannelHandlerContext, _ loop: LoopState, _ listener: HTTPListenerState, id: UInt64) {
        self.context = context
        self.loop = loop
        self.listener = listener
        self.id = id
        peer = HTTPAddress(context.remoteAddress)?.description
    }

    func write(_ buffer: ByteBuffer) {
        guard !isClosed else { return }
        needsFlush = true
        context.write(NIOAny(buffer), promise: nil)
    }

    /// Flushes what was written; within a read that is left to its end.
    func flush() {
        if !isInRead { flushNow() }
    }

    func flushNow() {
        guard needsFlush, !isClosed else { return }
        needsFlush = false
        context.flush()
    }

    /// Starts or stops reading the socket: unread bytes close the peer's TCP window.
    func setReading(_ wanted: Bool) {
        guard wanted != isReading, !isClosed else { return }
        isReading = wanted
        // Sockets and embedded channels have them; a channel without can only be read on.
        guard let options = context.channel.syncOptions else { return }
        do { try options.setOption(.autoRead, value: wanted) } catch { close() }
    }

    /// Runs `done` once all that was written is with the kernel.
    func afterWrites(_ done: @escaping () -> Void) {
        guard !isClosed else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
        needsFlush = false
        promise.futureResult.assumeIsolated().whenComplete { _ in done() }
    }

    func halfClose() {
        guard !isClosed else { return }
        context.close(mode: .output, promise: nil)
    }

    /// Closes at once; what was not written is lost.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        context.close(promise: nil)
    }

    func markClosed() { isClosed = true }

    func report(_ event: HTTPEvent) { loop.events(event) }
}

/// A protocol on a connection.
///
/// Called on its event loop only.
protocol HTTPConnection: AnyObject {
    func read(_ buffer: ByteBuffer)
    func readComplete()
    func writabilityChanged()
    /// The peer or the timeouts ended the connection.
    func inactive()
    func tick(_ now: NIODeadline)
    /// Finish what is under way, take nothing new, then close.
    func drain()
}
