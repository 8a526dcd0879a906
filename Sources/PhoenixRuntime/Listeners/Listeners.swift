public import PhoenixGraph
import PhoenixModel

/// The addresses on which the engine listens, for all nodes and across their generations.
///
/// A node claims paths in its `init`; nothing is opened before `commit()`, which is called once every node is made.
/// Connections point at routes, never at nodes: an address that the next generation claims too stays open.
public final class Listeners: Sendable {
    private struct State {
        var table = ListenerTable()
        var servers: [ListenerTable.Key: any OpenServer] = [:]
        /// The addresses that the change under way gives up: it may have taken them away from their servers.
        var givenUp: [ListenerTable.Key] = []

        func setRoutes() {
            for (key, routes) in table.routes { servers[key]?.setRoutes(routes) }
        }
        /// Takes out the servers of addresses that are to be closed.
        mutating func close(_ keys: [ListenerTable.Key]) -> [any OpenServer] {
            setRoutes()
            return keys.compactMap { servers.removeValue(forKey: $0) }
        }
    }
    private let state = Lock(State())
    private let provider: (any ServerProvider)?

    /// Without a provider every claim fails at `commit()`.
    public init(_ provider: (any ServerProvider)? = nil) { self.provider = provider }

    /// Claims paths of an address for a node; they are served after `commit()`.
    public func attach(
        _ address: String,
        protocol protocolName: String = "http",
        paths: [String],
        _ endpoint: any Endpoint,
        owner: NodeID
    ) {
        let routes = paths.map { Route(path: $0, endpoint: endpoint, owner: owner) }
        state.withLock { $0.table.attach(.init(address, protocol: protocolName, owner: owner), routes) }
    }
    /// Gives up what a node serves, when the change is settled.
    public func detach(_ owner: NodeID) { state.withLock { $0.table.leave(owner) } }
    /// Forgets the claims since the last `commit()`.
    public func abandon() {
        // What is claimed only was never opened.
        state.withLock { _ = $0.table.undo(closing: false) }
    }

    /// The addresses that were really bound, sorted.
    public var bound: [String] { state.withLock { $0.servers.values.map(\.boundAddress).sorted() } }
    /// Where an address that a node claimed was really bound; it differs where the port was 0. Nil before `commit()`.
    public func bound(_ address: String, for owner: NodeID) -> String? {
        let address = ListenAddress.place(of: address)
        return state.withLock { state in
            let own = state.servers.first { $0.key.address == address && ($0.key.owner ?? owner) == owner }
            return own?.value.boundAddress
        }
    }

    /// Everything that is served now, sorted by owner, address and path.
    public var served: [Served] {
        state.withLock { state in
            state.table.served.map { key, route in
                Served(
                    owner: route.owner,
                    address: state.servers[key]?.boundAddress ?? key.address,
                    protocolName: key.protocolName,
                    path: route.path,
                    endpoint: route.endpoint
                )
            }
        }.sorted { ($0.owner, $0.address, $0.path) < ($1.owner, $1.address, $1.path) }
    }

    /// Opens what is newly claimed, then changes all routes, then closes what nobody claims any more.
    ///
    /// Throws `ListenError` with everything as it was: what had been opened is closed again, the claims are dropped.
    public func commit(closingWithin deadline: Duration = .seconds(5)) async throws {
        try await open()
        switchOver(state.withLock { $0.table.pendingOwners })
        await close(settle(), within: deadline)
    }

    // MARK: The steps of a change

    /// Whether an address is claimed that is not open yet.
    ///
    /// Throws `ListenError` where claims contradict each other; they are dropped.
    func hasToOpen() throws -> Bool {
        do { return try state.withLock { try !$0.table.change().opened.isEmpty } } catch {
            abandon()
            throw error
        }
    }
    /// Opens the addresses that are newly claimed; nothing is served there yet.
    ///
    /// Throws `ListenError` with everything as it was: what had been opened is closed again, the claims are dropped.
    ///
    /// - Parameter whenLost: called for each address that could not be given back, where the change was given up meanwhile.
    func open(whenLost: @Sendable (ListenError) -> Void = { _ in }) async throws {
        let change: ListenerTable.Change
        do { change = try state.withLock { try $0.table.change() } } catch {
            abandon()
            throw error
        }
        let opened = try await open(change)
        let isWanted = state.withLock { state in
            guard state.table.generation == change.generation else { return false }
            state.servers.merge(opened) { _, new in new }
            state.givenUp = change.leaving
            state.table.noteOpened(change)
            state.setRoutes()
            return true
        }
        guard !isWanted else { return }
        // It took so long that the change was given up.
        await Self.close([any OpenServer](opened.values), within: .zero)
        for error in await regain(change.leaving) { whenLost(error) }
    }
    /// Requests that begin from now on go to the new claims of these owners, in place of their old ones.
    ///
    /// Answers whether requests may be on their way to one that was served before: see `quiet`.
    @discardableResult
    func switchOver(_ owners: Set<NodeID>) -> Bool {
        state.withLock { state in
            let isReplacing = state.table.switchOver(owners)
            state.setRoutes()
            return isReplacing
        }
    }
    /// Requests that begin from now on find what was served when the change began; nothing is closed yet.
    func switchBack() {
        state.withLock { state in
            // Nothing closes here, so there is nothing to answer for.
            _ = state.table.undo(closing: false)
            state.setRoutes()
        }
    }
    /// Returns once no request is on its way to an endpoint that was served before the last switch.
    func quiet() async {
        let servers = state.withLock { Array($0.servers.values) }
        await withDiscardingTaskGroup { group in
            for server in servers { group.addTask { await server.quiet() } }
        }
    }
    /// The change is for good; answers what nobody claims any more, for `close`.
    func settle() -> [any OpenServer] {
        state.withLock { state in
            state.givenUp = []
            return state.close(state.table.settle())
        }
    }
    /// The change is undone: everything is served as before it. Answers what it had opened, for `close`.
    func undo() -> [any OpenServer] { state.withLock { $0.close($0.table.undo()) } }
    /// Closes what a change left to nobody; one that was undone gives back the addresses that it took.
    ///
    /// - Parameters:
    ///   - whenFree: called once the addresses can be had again, before what is being served there has finished.
    ///   - whenLost: called for each address that could not be given back.
    func close(
        _ servers: [any OpenServer],
        within deadline: Duration = .seconds(5),
        whenFree: @Sendable () -> Void = {},
        whenLost: @Sendable (ListenError) -> Void = { _ in }
    ) async {
        for server in servers { await server.stopAccepting() }
        let givenUp = state.withLock { state in
            defer { state.givenUp = [] }
            return state.givenUp
        }
        for error in await regain(givenUp) { whenLost(error) }
        whenFree()
        await Self.close(servers, within: deadline)
    }

    /// Closes everything.
    public func close(within deadline: Duration) async {
        let servers = state.withLock { state in
            defer { (state.servers, state.table) = ([:], ListenerTable()) }
            return [any OpenServer](state.servers.values)
        }
        await Self.close(servers, within: deadline)
    }

    private func open(_ change: ListenerTable.Change) async throws -> [ListenerTable.Key: any OpenServer] {
        var opened: [ListenerTable.Key: any OpenServer] = [:]
        for key in change.opened {
            do { opened[key] = try await open(key, change) } catch {
                await Self.close([any OpenServer](opened.values), within: .zero)
                let lost = await regain(change.leaving)
                state.withLock { state in
                    // Claims of the next change are none of this one's.
                    if state.table.generation == change.generation { _ = state.table.undo(closing: false) }
                }
                var refusal = refusal(of: key, change, beside: Set(opened.keys), error)
                for error in lost { refusal.message += " (and what was open before is lost: \(error))" }
                throw refusal
            }
        }
        return opened
    }
    /// Opens an address. Where it is held by servers of addresses that the change gives up, they make way first: they accept no
    /// more, and who is connected to them stays so.
    private func open(
        _ key: ListenerTable.Key,
        _ change: ListenerTable.Change
    ) async throws -> any OpenServer {
        guard let provider else {
            throw ListenError(
                .noServer,
                address: key.address,
                owner: change.wanted[key]?.first?.owner ?? "",
                "this engine has no server; give it one"
            )
        }
        do { return try await provider.open(key.address, protocol: key.protocolName) } catch is AddressInUse {
            let holders = state.withLock { state in
                // Given up meanwhile, and what it would take is in service again.
                guard state.table.generation == change.generation else { return [any OpenServer]() }
                return change.leaving.filter { key.mayMeet($0) }.compactMap { state.servers[$0] }
            }
            guard !holders.isEmpty else { throw AddressInUse() }
            for holder in holders { await holder.stopAccepting() }
            return try await provider.open(key.address, protocol: key.protocolName)
        }
    }
    private func refusal(
        of key: ListenerTable.Key,
        _ change: ListenerTable.Change,
        beside opened: Set<ListenerTable.Key>,
        _ error: any Error
    ) -> ListenError {
        if let error = error as? ListenError { return error }
        let held = state.withLock { opened.union($0.servers.keys) }.subtracting(change.leaving)
        let owner = change.wanted[key]?.first?.owner ?? ""
        if error is AddressInUse, let holder = held.filter({ key.mayMeet($0) }).map(\.address).min() {
            return ListenError(
                .cannotOpen,
                address: key.address,
                owner: owner,
                "this engine itself holds \(holder); choose another address"
            )
        }
        return ListenError(
            .cannotOpen,
            address: key.address,
            owner: owner,
            "free the address or choose another",
            cause: error
        )
    }
    /// Has addresses accept again that a change took away from their servers; answers those that could not be had.
    private func regain(_ keys: [ListenerTable.Key]) async -> [ListenError] {
        var lost: [ListenError] = []
        for key in keys {
            let (server, owner) = state.withLock { state in
                (state.servers[key], state.table.served.first { $0.key == key }?.route.owner)
            }
            do { try await server?.resume() } catch {
                lost.append(
                    ListenError(
                        .cannotOpen,
                        address: key.address,
                        owner: owner ?? "",
                        "free the address, then change the graph or restart",
                        cause: error
                    )
                )
            }
        }
        return lost
    }

    private static func close(_ servers: [any OpenServer], within deadline: Duration) async {
        await withDiscardingTaskGroup { group in
            for server in servers { group.addTask { await server.close(within: deadline) } }
        }
    }
}

/// A path of an address that is served.
public struct Served: Sendable {
    /// The node it belongs to.
    public var owner: String
    /// The address as really bound.
    public var address: String
    public var protocolName: String
    public var path: String
    public var endpoint: any Endpoint
}
