import NIOCore
import NIOEmbedded
import NIOPosix
import PhoenixModel
import Testing

@testable import PhoenixWire

/// A server on a loopback socket for the length of a test.
func withServer(
    _ routes: RouteTable,
    configuration: HTTPConfiguration = HTTPConfiguration(),
    events: @escaping @Sendable (HTTPEvent) -> Void = { _ in },
    _ body: (BoundServer, any EventLoopGroup) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = HTTPServer(group: group, configuration: configuration, events: events)
    let bound = try await server.bind(.tcp(host: "127.0.0.1", port: 0), routes: routes)
    do {
        try await body(bound, group)
    } catch {
        await bound.close(within: .zero)
        try await group.shutdownGracefully()
        throw error
    }
    await bound.close(within: .zero)
    try await group.shutdownGracefully()
}

/// Raw bytes to a server and back.
final class RawClient: Sendable {
    private let channel: any Channel
    private let received: Received

    private final class Received: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        struct State {
            var bytes: [UInt8] = []
            var isClosed = false
            var waiter: (condition: ([UInt8], Bool) -> Bool, go: CheckedContinuation<Void, Never>)?
        }
        let state = Lock(State())
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            state.withLock { $0.bytes.append(contentsOf: buffer.readableBytesView) }
            wake()
        }
        func channelInactive(context: ChannelHandlerContext) {
            state.withLock { $0.isClosed = true }
            wake()
        }
        func wake() {
            let go = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let waiter = state.waiter,
                    state.isClosed || waiter.condition(state.bytes, state.isClosed)
                else { return nil }
                state.waiter = nil
                return waiter.go
            }
            go?.resume()
        }
    }

    init(_ address: HTTPAddress, _ group: any EventLoopGroup) async throws {
        let received = Received()
        self.received = received
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            channel.pipeline.addHandler(received)
        }
        switch address {
        case .tcp(let host, let port): channel = try await bootstrap.connect(host: host, port: port).get()
        case .unix(let path): channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
        }
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }
    /// Everything received, once `condition` holds or the server closed.
    func receive(until condition: @escaping @Sendable ([UInt8], Bool) -> Bool) async -> String {
        await withCheckedContinuation { go in
            received.state.withLock { $0.waiter = (condition, go) }
            received.wake()
        }
        return received.state.withLock { String(decoding: $0.bytes, as: UTF8.self) }
    }
    func receive(until text: String) async -> String {
        await receive { bytes, _ in String(decoding: bytes, as: UTF8.self).contains(text) }
    }
    func receiveToEnd() async -> String { await receive { _, closed in closed } }
    func close() async throws { try await channel.close().get() }
}

/// A server connection without a socket and with a clock of its own.
struct EmbeddedServer {
    let loop = EmbeddedEventLoop()
    let channel: EmbeddedChannel
    let listener: HTTPListenerState
    let state: LoopState
    let events: Events
    let handler: HTTPChannelHandler

    final class Events: Sendable {
        private let all = Lock([HTTPEvent]())
        var seen: [HTTPEvent] { all.withLock { $0 } }
        func add(_ event: HTTPEvent) { all.withLock { $0.append(event) } }
    }

    init(_ routes: RouteTable, configuration: HTTPConfiguration = HTTPConfiguration()) throws {
        channel = EmbeddedChannel(loop: loop)
        let events = Events()
        self.events = events
        listener = HTTPListenerState(routes: routes)
        _ = listener.connectionOpened()
        state = LoopState(loop: loop, index: 0, configuration) { events.add($0) }
        handler = HTTPChannelHandler(state, listener, id: 1)
        try channel.pipeline.syncOperations.addHandler(handler)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    func send(_ bytes: some Sequence<UInt8>) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }
    func send(_ text: String) throws { try send(text.utf8) }
    /// What the server wrote since the last call.
    func take() throws -> [UInt8] {
        loop.run()
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }
    func text() throws -> String { String(decoding: try take(), as: UTF8.self) }
    func advance(_ seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }
    func finish() { _ = try? channel.finish(acceptAlreadyClosed: true) }
}

/// Answers with the body that came; keeps what it saw.
final class Echo: HTTPHandler {
    let gate: HTTPGate?
    let bodyLimit: Int?
    private let state = Lock([String]())
    var bodies: [String] { state.withLock { $0 } }
    init(gate: HTTPGate? = nil, bodyLimit: Int? = nil) {
        self.gate = gate
        self.bodyLimit = bodyLimit
    }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        let text = String(decoding: body, as: UTF8.self)
        state.withLock { $0.append(text) }
        responder.respond(.text(200, text))
    }
}

/// Keeps its responders until told.
final class Later: HTTPHandler {
    private let state = Lock([HTTPResponder]())
    var count: Int { state.withLock { $0.count } }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
        state.withLock { $0.append(responder) }
    }
    func take() -> HTTPResponder? { state.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}

func table(_ exact: [String: any HTTPHandler]) -> RouteTable {
    var routes = RouteTable.Routes()
    routes.exact = exact
    return RouteTable(routes)
}
