import NIOCore
import PhoenixModel

/// An address that is being listened on, and the connections that came by it.
public final class BoundServer: Sendable {
    private struct Orders {
        /// How often it was told to accept no more.
        var stops = 0
        var isClosed = false
        /// Its address is being taken anew: once at a time, or the channel of the other time would be lost.
        var isResuming = false

        /// Answers what `stops` is at the beginning; nil where it is under way.
        mutating func beginResuming() -> Int? {
            if isResuming { return nil }
            isResuming = true
            return stops
        }
    }
    /// The address as bound: the port is the real one.
    public let address: HTTPAddress
    private let socket: Lock<AcceptingSocket>
    private let listener: HTTPListenerState
    private let loops: [LoopState]
    private let accept: @Sendable () async throws -> AcceptingSocket
    private let orders = Lock(Orders())

    /// Who serves what; may be changed at any time.
    public var routes: RouteTable { listener.routes }

    /// Connections open on this address.
    public var connectionCount: Int { listener.count }

    /// Whose connections are let in before those of other addresses; may be changed at any time.
    public var rank: ConnectionRank {
        get { listener.rank }
        set { listener.rank = newValue }
    }

    /// - Parameter accept: has the listener take connections anew, where it did.
    init(
        _ socket: AcceptingSocket,
        _ listener: HTTPListenerState,
        _ loops: [LoopState],
        address: HTTPAddress,
        accept: @escaping @Sendable () async throws -> AcceptingSocket
    ) {
        self.socket = Lock(socket)
        self.listener = listener
        self.loops = loops
        self.address = address
        self.accept = accept
    }

    /// Accepts no more connections; those that are open go on.
    public func stopAccepting() async {
        orders.withLock { $0.stops += 1 }
        await giveUpAddress()
    }
    private func giveUpAddress() async {
        listener.stopOpening()
        let last = socket.withLock { socket in
            defer { socket.file = nil }
            return socket
        }
        last.file?.remove()
        // Closed already is closed as well.
        do { try await last.channel.close().get() } catch {}
    }

    /// Accepts connections again where it no longer does: it was told to stop, or another has taken its socket file.
    ///
    /// Throws what the system says if the address cannot be had again.
    public func resume() async throws {
        if listener.isOpen, socket.withLock({ $0.canBeReached }) { return }
        guard let stops = orders.withLock({ $0.beginResuming() }) else { return }
        defer { orders.withLock { $0.isResuming = false } }
        await giveUpAddress()
        listener.startOpening()
        do {
            let again = try await accept()
            socket.withLock { $0 = again }
            await obeyStop(since: stops)
        } catch {
            listener.stopOpening()
            throw error
        }
    }
    /// The engine may have ended meanwhile, or a change have taken the address.
    private func obeyStop(since stops: Int) async {
        if orders.withLock({ $0.isClosed || $0.stops != stops }) { await giveUpAddress() }
    }

    /// Puts back the file of a unix socket that accepts connections, but whose file was taken away: whoever connects finds it
    /// again.
    ///
    /// A newer server of this process keeps the path. Throws what the system says if the address cannot be had again, with
    /// `EADDRINUSE` where another process has taken it; it may be asked for once more then.
    public func regain() async throws {
        guard case .unix(let path) = address, listener.isOpen, !socket.withLock({ $0.canBeReached }),
            try UnixSocketFile.Holder(of: SocketAddress(unixDomainSocketPath: path)) != .thisProcess
        else { return }
        guard let stops = orders.withLock({ $0.beginResuming() }) else { return }
        defer { orders.withLock { $0.isResuming = false } }
        let again = try await accept()
        let last = socket.withLock { socket in
            defer { socket = again }
            return socket
        }
        // Closed already is closed as well.
        do { try await last.channel.close().get() } catch {}
        await obeyStop(since: stops)
    }

    /// Accepts no more, lets requests that are under way finish until the deadline, then closes what is left.
    ///
    /// HTTP/1.1 answers carry `Connection: close`; HTTP/2 peers get GOAWAY first, so that they open nothing new.
    public func close(within deadline: Duration) async {
        orders.withLock { $0.isClosed = true }
        await stopAccepting()
        let loop = socket.withLock { $0.channel.eventLoop }
        let empty = loop.makePromise(of: Void.self)
        listener.whenEmpty { empty.succeed() }
        onAllConnections { $0.drain() }
        let force = loop.scheduleTask(in: TimeAmount(deadline)) { [self] in
            onAllConnections { $0.close() }
        }
        do { try await empty.futureResult.get() } catch {}
        force.cancel()
    }

    /// Returns once every event loop has ended the turn that it is in: the handler of a request is chosen and shown its
    /// head in one turn, so that those taken out of `routes` before see no new request after.
    public func turn() async {
        let turns = loops.map { $0.loop.submit {} }
        // A loop that has ended has no turn.
        for turn in turns { do { try await turn.get() } catch {} }
    }

    private func onAllConnections(_ work: @escaping @Sendable (HTTPChannelHandler) -> Void) {
        for loop in loops {
            loop.loop.execute { [listener] in
                for connection in loop.connections(of: listener) { work(connection) }
            }
        }
    }
}

/// What the connections of one address share.
final class HTTPListenerState: Sendable {
    private struct State {
        var count = 0
        var isOpen = true
        var rank = ConnectionRank.ordinary
        var whenEmpty: [@Sendable () -> Void] = []
    }
    let routes: RouteTable
    let prepare: (@Sendable (any Channel) throws -> Void)?
    private let state = Lock(State())

    init(routes: RouteTable, prepare: (@Sendable (any Channel) throws -> Void)? = nil) {
        (self.routes, self.prepare) = (routes, prepare)
    }

    var count: Int { state.withLock { $0.count } }
    var rank: ConnectionRank {
        get { state.withLock { $0.rank } }
        set { state.withLock { $0.rank = newValue } }
    }

    /// False if no more connections are taken.
    func connectionOpened() -> Bool {
        state.withLock { state in
            guard state.isOpen else { return false }
            state.count += 1
            return true
        }
    }

    func connectionClosed() {
        let done = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [] as [@Sendable () -> Void] }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for done in done { done() }
    }

    var isOpen: Bool { state.withLock { $0.isOpen } }
    func startOpening() { state.withLock { $0.isOpen = true } }
    func stopOpening() { state.withLock { $0.isOpen = false } }

    /// Calls `done` once no connection is left.
    func whenEmpty(_ done: @escaping @Sendable () -> Void) {
        let isEmpty = state.withLock { state in
            if state.count > 0 { state.whenEmpty.append(done) }
            return state.count == 0
        }
        if isEmpty { done() }
    }
}
