@testable import PhoenixRuntime

/// A server without sockets: remembers what is open and which routes it has.
final class FakeServer: ServerProvider {
    struct Taken: Error {}
    final class Open: OpenServer {
        let boundAddress: String
        let server: FakeServer
        init(_ boundAddress: String, _ server: FakeServer) {
            (self.boundAddress, self.server) = (boundAddress, server)
        }
        func setRoutes(_ routes: [Route]) {
            server.routes.change { $0[boundAddress] = routes.map { "\($0.owner) \($0.path)" }.sorted() }
        }
        func close(within deadline: Duration) async {
            server.log.change { $0.append("close \(boundAddress)") }
            server.routes.change { $0[boundAddress] = nil }
        }
    }
    let taken: Set<String>
    /// Taken for now.
    let refused = Shared(Set<String>())
    let log = Shared([String]())
    let routes = Shared([String: [String]]())
    private let ports = Shared(49_000)
    init(taken: Set<String> = []) { self.taken = taken }
    func open(_ address: String, protocol protocolName: String) async throws -> any OpenServer {
        if taken.contains(address) || refused.value.contains(address) { throw Taken() }
        ports.add()
        let bound = address.hasSuffix(":0") ? address.dropLast(1) + "\(ports.value)" : address
        log.change { $0.append("open \(bound)") }
        return Open(String(bound), self)
    }
}
