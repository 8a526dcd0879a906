import NIOCore
import PhoenixModel

/// An address that is being listened on, and the connections that came by it.
public final class BoundServer: Sendable {
    /// The address as bound: the port is the real one.
    public let address: HTTPAddress
    private let socket: Lock<AcceptingSocket>
    private let listener: HTTPListenerState
    private let loops: [LoopState]
    private let accept: @Sendable () async throws -> AcceptingSocket
    private let isClosed = Lock(false)

    /// Who serves what; may be changed at any time.
    public var routes: RouteTable { listener.routes }

    /// Connections open on this address.
    public var connectionCount: Int { listener.count }

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
        await stopAccepting()
        listener.startOpening()
        do {
            let again = try await accept()
            socket.withLock { $0 = again }
            // The engine may have ended meanwhile.
            if isClosed.withLock({ $0 }) { await stopAccepting() }
        } catch {
            listener.stopOpening()
            throw error
        }
    }

    /// Accepts no more, lets requests that are under way finish until the deadline, then closes what is left.
    ///
    /// HTTP/1.1 answers carry `Connection: close`; HTTP/2 peers get GOAWAY first, so that they open nothing new.
    public func close(within deadline: Duration) async {
        isClosed.withLock { $0 = true }
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
        var whenEmpty: [@Sendable () -> Void] = []
    }
    let routes: RouteTable
    let prepare: (@Sendable (any Channel) throws -> Void)?
    private let state = Lock(State())

    init(routes: RouteTable, prepare: (@Sendable (any Channel) throws -> Void)? = nil) {
        (self.routes, self.prepare) = (routes, prepare)
    }

    var count: Int { state.withLock { $0.count } }

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
