/// What serves a route: a value that the server of the executable knows how to call.
///
/// Runtime knows no bytes; it only carries endpoints from nodes to the server, which refines this protocol.
public protocol Endpoint: Sendable {}

/// An endpoint that can say its answers without a server: what golden cases compare.
public protocol SpokenEndpoint: Endpoint {
    /// What it would answer now, as text, each kind of answer with its name.
    var spoken: [(name: String, text: String)] { get }
}

/// A path of an address and what serves it.
public struct Route: Sendable {
    public var path: String
    public var endpoint: any Endpoint
    /// The node it belongs to.
    public var owner: String
    public init(path: String, endpoint: any Endpoint, owner: String) {
        (self.path, self.endpoint, self.owner) = (path, endpoint, owner)
    }
}

/// Opens the servers behind listeners; the executable provides it.
public protocol ServerProvider: Sendable {
    /// Binds `address` (`host:port`, port 0 for any free one, or `unix:path`) for a protocol, serving no route yet.
    ///
    /// Throws `AddressInUse` where another listens there. A unix socket that stands there makes way.
    func open(_ address: String, protocol protocolName: String) async throws -> any OpenServer
}

/// A bound address.
public protocol OpenServer: Sendable {
    /// The address with the port that was really taken.
    var boundAddress: String { get }
    /// The routes from the next request on; what is being served goes on.
    func setRoutes(_ routes: [Route])
    /// Returns once no request is on its way to a route that the last `setRoutes` took away: its endpoint has seen the head
    /// of every request that it will get.
    func quiet() async
    /// Accepts nothing new: the address can be had by another.
    func stopAccepting() async
    /// Accepts again at its address where it no longer does, since it was told to stop or its socket was replaced. Throws
    /// where the address cannot be had again.
    func resume() async throws
    /// Accepts nothing new, lets what is served finish within the time, then closes.
    func close(within deadline: Duration) async
}

/// Another listens at the address.
public struct AddressInUse: Error, Sendable, Equatable, CustomStringConvertible {
    public init() {}
    public var description: String { "another process listens there already" }
}

/// Why an address could not be had, and for whom.
public struct ListenError: Error, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The system refused: the port is taken, the address is not ours.
        case cannotOpen
        /// Two nodes want one address with unlike protocols, or one path of it.
        case conflict
        /// Nobody told the engine how to open servers.
        case noServer
    }
    public var code: Code
    public var address: String
    public var owner: String
    public var message: String
    public var cause: (any Error)?
    public init(_ code: Code, address: String, owner: String, _ message: String, cause: (any Error)? = nil) {
        (self.code, self.address, self.owner, self.message, self.cause) = (
            code, address, owner, message, cause
        )
    }
    public var description: String {
        "\(owner): cannot listen on \(address): \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}

extension OpenServer {
    public func quiet() async {}
    public func stopAccepting() async {}
    public func resume() async throws {}
}
