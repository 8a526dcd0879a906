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
    /// Gives up what a node serves, at the next `commit()`.
    public func detach(_ owner: NodeID) { state.withLock { $0.table.leave(owner) } }
    /// Forgets the claims since the last `commit()`.
    public func abandon() { state.withLock { $0.table.abandon() } }

    /// The addresses that were really bound, sorted.
    public var bound: [String] { state.withLock { $0.servers.values.map(\.boundAddress).sorted() } }
    /// Where an address that a node claimed was really bound; it differs where the port was 0. Nil before `commit()`.
    public func bound(_ address: String, for owner: NodeID) -> String? {
        state.withLock { state in
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
        let change: ListenerTable.Change
        do { change = try state.withLock { try $0.table.change() } } catch {
            abandon()
            throw error
        }
        let opened = try await open(change)
        let closed = state.withLock { state in
            state.servers.merge(opened) { _, new in new }
            for (key, routes) in change.wanted { state.servers[key]?.setRoutes(routes) }
            state.table.settle(change)
            return change.closed.compactMap { state.servers.removeValue(forKey: $0) }
        }
        await Self.close(closed, within: deadline)
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
            let owner = change.wanted[key]?.first?.owner ?? ""
            do {
                guard let provider else {
                    throw ListenError(
                        .noServer,
                        address: key.address,
                        owner: owner,
                        "this engine has no server; give it one"
                    )
                }
                opened[key] = try await provider.open(key.address, protocol: key.protocolName)
            } catch {
                await Self.close([any OpenServer](opened.values), within: .zero)
                abandon()
                if let error = error as? ListenError { throw error }
                throw ListenError(
                    .cannotOpen,
                    address: key.address,
                    owner: owner,
                    "free the address or choose another",
                    cause: error
                )
            }
        }
        return opened
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
