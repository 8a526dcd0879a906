import Glibc
public import NIOCore
import NIOPosix
import Synchronization

/// Serves HTTP/1.1 and clear-text HTTP/2, on as many addresses as wanted, over the event loops of one group.
///
/// Limits hold over all its addresses. The group must outlive it.
public final class HTTPServer: Sendable {
    private let group: any EventLoopGroup
    private let configuration: HTTPConfiguration
    private let events: @Sendable (HTTPEvent) -> Void
    private let loops: [ObjectIdentifier: LoopState]
    private let connections = ConnectionCount()

    /// How many event loops call handlers: loop numbers are 0 up to this.
    public var loopCount: Int { loops.count }

    /// How many connections are open.
    public var connectionCount: Int { connections.current }

    /// - Parameter events: called for what no handler hears of, on any event loop; must be quick.
    public init(
        group: any EventLoopGroup,
        configuration: HTTPConfiguration = HTTPConfiguration(),
        events: @escaping @Sendable (HTTPEvent) -> Void = { _ in }
    ) {
        self.group = group
        self.configuration = configuration
        self.events = events
        var loops: [ObjectIdentifier: LoopState] = [:]
        for (index, loop) in group.makeIterator().enumerated() {
            loops[ObjectIdentifier(loop)] = LoopState(loop: loop, index: index, configuration, events)
        }
        self.loops = loops
    }

    /// Listens on an address.
    ///
    /// Throws what the system says if it cannot be had.
    ///
    /// - Parameter prepare: runs on each accepted connection, on its event loop, before HTTP is spoken: the door for TLS.
    ///   What it throws closes the connection.
    public func bind(
        _ address: HTTPAddress,
        routes: RouteTable = RouteTable(),
        prepare: (@Sendable (any Channel) throws -> Void)? = nil
    ) async throws -> BoundServer {
        let listener = HTTPListenerState(routes: routes, prepare: prepare)
        let socket = try await accept(at: address, for: listener)
        let bound = HTTPAddress(socket.channel.localAddress) ?? address
        // As it was asked for, the scope of a link-local address with it, but with the port that was really taken.
        let again =
            if case .tcp(let host, _) = address, let port = bound.port {
                HTTPAddress.tcp(host: host, port: port)
            } else { address }
        return BoundServer(socket, listener, Array(loops.values), address: bound) { [self] in
            try await accept(at: again, for: listener)
        }
    }

    /// Takes connections for a listener.
    private func accept(
        at address: HTTPAddress,
        for listener: HTTPListenerState
    ) async throws -> AcceptingSocket {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(clamping: configuration.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [configuration, events] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptErrors(pause: TimeAmount(configuration.acceptPause), events)
                    )
                }
            }
            .childChannelInitializer { channel in self.attach(channel, listener) }
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 4 << 10,
                    initial: 16 << 10,
                    maximum: 256 << 10
                )
            )
            .childChannelOption(
                .writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)
            )
        switch address {
        case .tcp(let host, let port):
            let channel = try await bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: host, port: port).get()
            return AcceptingSocket(channel: channel, file: nil)
        case .unix(let path):
            // NIO would remove the file of whoever has the path when the channel closes.
            let (descriptor, file) = try UnixSocketFile.bind(path)
            do {
                let channel = try await bootstrap.withBoundSocket(descriptor).get()
                // A socket that it was given listens with a backlog of NIO's own.
                Glibc.listen(descriptor, Int32(clamping: configuration.backlog))
                return AcceptingSocket(channel: channel, file: file)
            } catch {
                file.remove()
                throw error
            }
        }
    }

    /// Makes an accepted channel serve the listener's routes.
    ///
    /// On the channel's event loop.
    func attach(_ channel: any Channel, _ listener: HTTPListenerState) -> EventLoopFuture<Void> {
        guard connections.open(limit: configuration.most(listener.rank)) else {
            events(.connectionLimit)
            return channel.close()
        }
        channel.closeFuture.whenComplete { [connections] _ in connections.closed() }
        guard listener.connectionOpened() else { return channel.close() }
        let loop =
            loops[ObjectIdentifier(channel.eventLoop)]
            ?? LoopState(
                loop: channel.eventLoop,
                index: 0,
                configuration,
                events
            )
        let id = connections.nextID()
        return channel.eventLoop.makeCompletedFuture {
            try listener.prepare?(channel)
            try channel.pipeline.syncOperations.addHandler(HTTPChannelHandler(loop, listener, id: id))
        }.flatMapErrorThrowing { error in
            listener.connectionClosed()
            throw error
        }
    }
}

/// Open connections and their numbers, over all loops.
private final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)
    private let ids = Atomic<UInt64>(0)

    var current: Int { count.load(ordering: .relaxed) }

    func open(limit: Int) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= limit { return true }
        closed()
        return false
    }
    func closed() { count.subtract(1, ordering: .relaxed) }
    func nextID() -> UInt64 { ids.add(1, ordering: .relaxed).newValue }
}
