import Logging
import NIOCore
import NIOSSL
import PhoenixModel
public import PhoenixRuntime
public import PhoenixWire

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Opens the addresses that nodes claim, all on one HTTP server: its limits and event loops are shared by all of them.
public final class WireServerProvider: ServerProvider {
    private struct Opened: Sendable { weak var server: OpenWireServer? }
    private let server: HTTPServer
    private let failures: ConnectionFailures
    private let opened = Lock<[Opened]>([])

    /// Tells nobody of connections that fail in TLS.
    public convenience init(_ server: HTTPServer) {
        let unheard = Logger(label: "phoenix") { _ in SwiftLogNoOpLogHandler() }
        self.init(server, ConnectionFailures(unheard, limit: 0))
    }
    /// - Parameter failures: what is told of connections that fail in TLS.
    init(_ server: HTTPServer, _ failures: ConnectionFailures) {
        (self.server, self.failures) = (server, failures)
    }

    public func open(_ address: String, protocol protocolName: String) async throws -> any OpenServer {
        let server = try await bind(address, protocolName)
        opened.withLock { opened in
            opened.removeAll { $0.server == nil }
            opened.append(Opened(server: server))
        }
        return server
    }

    /// Puts back the files of unix sockets that are served but were taken away, each with its connections; answers why one
    /// could not be.
    func regain() async -> [any Error] {
        var errors: [any Error] = []
        for server in opened.withLock({ $0.compactMap { $0.server } }) {
            do { try await server.regain() } catch { errors.append(error) }
        }
        return errors
    }

    private func bind(_ address: String, _ protocolName: String) async throws -> OpenWireServer {
        guard ["http", TLSEndpoint.protocolName].contains(protocolName) else {
            throw AddressError("this build serves `http` and `https` only, not `\(protocolName)`")
        }
        guard let parsed = HTTPAddress(address) else {
            throw AddressError("`\(address)` is no address; write `host:port`, `[::1]:port` or `unix:/path`")
        }
        do {
            guard protocolName == TLSEndpoint.protocolName else {
                return OpenWireServer(try await server.bind(parsed))
            }
            let certificate = CurrentCertificate()
            let bound = try await server.bind(parsed) { [failures] channel in
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(NIOSSLServerHandler(context: try certificate.context))
                try pipeline.addHandler(TLSFailureHandler(failures, address: address))
            }
            return OpenWireServer(bound, certificate)
        } catch let error as IOError {
            throw AddressError.reason(parsed, error)
        }
    }
}

/// Why an address could not be bound, in plain words.
public struct AddressError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }

    /// What to throw for what the system says.
    static func reason(_ address: HTTPAddress, _ error: IOError) -> any Error {
        error.errnoCode == EADDRINUSE ? AddressInUse() : Self(address, error)
    }
    private init(_ address: HTTPAddress, _ error: IOError) {
        switch error.errnoCode {
        case EACCES, EPERM:
            let port = address.port.map { $0 < 1024 ? "; ports below 1024 are for root" : "" } ?? ""
            self.init("this user may not listen there\(port)")
        case EADDRNOTAVAIL:
            self.init("this machine does not have that address")
        case ENOENT, ENOTDIR:
            self.init("the directory of the socket does not exist")
        case ENOTSOCK:
            self.init("a file that is no socket has that name; remove it or choose another path")
        case EEXIST:
            self.init(
                "a socket of another user has that name, and whether it is in use cannot be told; remove it if not"
            )
        case EMFILE, ENFILE:
            self.init("no file descriptors are left; raise the limit (ulimit -n)")
        default:
            self.init("the system says: \(error)")
        }
    }
}

/// One bound address, with the routes of all nodes that claimed paths of it.
private final class OpenWireServer: OpenServer {
    private let bound: BoundServer
    private let certificate: CurrentCertificate?

    init(_ bound: BoundServer, _ certificate: CurrentCertificate? = nil) {
        (self.bound, self.certificate) = (bound, certificate)
    }

    var boundAddress: String { bound.address.description }

    func setRoutes(_ routes: [Route]) {
        var table = RouteTable.Routes()
        bound.rank = Self.rank(routes)
        for route in routes {
            switch route.endpoint {
            case let endpoint as HTTPEndpoint where route.path.hasSuffix("*"):
                table.prefixes[String(route.path.dropLast())] = endpoint.handler
            case let endpoint as HTTPEndpoint: table.exact[route.path] = endpoint.handler
            case let endpoint as TLSEndpoint: certificate?.replace(with: endpoint.context)
            case let endpoint as GRPCMethodEndpoint: table.grpc[route.path] = endpoint.method
            case let endpoint as FallbackEndpoint where route.path == FallbackEndpoint.path:
                table.fallback = endpoint.handler
            // An endpoint of a kind that this server does not know answers 404, as if nobody had claimed it.
            default: continue
            }
        }
        bound.routes.replace(table)
    }

    /// That a receiver has all the connections that there may be is to be seen in the engine's answers, by scrapes, and in the
    /// APIs.
    private static func rank(_ routes: [Route]) -> ConnectionRank {
        if routes.contains(where: { $0.owner == EngineEndpoints.owner }) { return .foremost }
        let isRead = routes.contains { route in
            let handler = (route.endpoint as? HTTPEndpoint)?.handler
            return handler is ExpositionHandler || handler is RouterEndpoint
        }
        return isRead ? .preferred : .ordinary
    }

    func stopAccepting() async { await bound.stopAccepting() }
    func resume() async throws {
        do { try await bound.resume() } catch let error as IOError {
            throw AddressError.reason(bound.address, error)
        }
    }
    /// Throws with its address.
    func regain() async throws {
        do { try await bound.regain() } catch let error as IOError {
            throw AddressError("\(bound.address): \(AddressError.reason(bound.address, error))")
        }
    }
    func quiet() async { await bound.turn() }
    func close(within deadline: Duration) async { await bound.close(within: deadline) }
}

/// What an address shows to who connects next; those who are connected stay as they are.
private final class CurrentCertificate: Sendable {
    /// Somebody connected before the address had its routes.
    struct NotYet: Error {}
    private let current = Lock<NIOSSLContext?>(nil)

    var context: NIOSSLContext {
        get throws {
            guard let context = current.withLock({ $0 }) else { throw NotYet() }
            return context
        }
    }
    func replace(with context: NIOSSLContext) { current.withLock { $0 = context } }
}
