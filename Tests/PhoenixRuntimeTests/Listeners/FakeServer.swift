@testable import PhoenixRuntime

/// A server without sockets: remembers what is open and which routes it has.
final class FakeServer: ServerProvider {
    struct Taken: Error {}
    final class Open: OpenServer {
        let boundAddress: String
        let server: FakeServer
        private let isAccepting = Shared(true)
        init(_ boundAddress: String, _ server: FakeServer) {
            (self.boundAddress, self.server) = (boundAddress, server)
        }
        func setRoutes(_ routes: [Route]) {
            server.routes.change { $0[boundAddress] = routes.map { "\($0.owner) \($0.path)" }.sorted() }
        }
        func stopAccepting() async {
            guard isAccepting.value else { return }
            isAccepting.change { $0 = false }
            server.accepting.change { addresses in addresses.removeAll { $0 == boundAddress } }
        }
        func resume() async throws {
            guard !isAccepting.value else { return }
            try server.accept(boundAddress)
            isAccepting.change { $0 = true }
        }
        func close(within deadline: Duration) async {
            await stopAccepting()
            server.log.change { $0.append("close \(boundAddress)") }
            server.routes.change { $0[boundAddress] = nil }
        }
    }
    let taken: Set<String>
    /// Taken for now.
    let refused = Shared(Set<String>())
    let log = Shared([String]())
    /// Where connections are taken; at each address, and at 0.0.0.0 and any other host of a port, by one only.
    let accepting = Shared([String]())
    let routes = Shared([String: [String]]())
    private let ports = Shared(49_000)
    init(taken: Set<String> = []) { self.taken = taken }
    func open(_ address: String, protocol protocolName: String) async throws -> any OpenServer {
        if taken.contains(address) || refused.value.contains(address) { throw Taken() }
        ports.add()
        let bound = address.hasSuffix(":0") ? address.dropLast(1) + "\(ports.value)" : address
        try accept(String(bound))
        log.change { $0.append("open \(bound)") }
        return Open(String(bound), self)
    }
    private func accept(_ address: String) throws {
        func meets(_ other: String) -> Bool {
            address == other
                || (address.split(separator: ":").last == other.split(separator: ":").last
                    && (address.hasPrefix("0.0.0.0:") || other.hasPrefix("0.0.0.0:")))
        }
        if accepting.value.contains(where: meets) { throw AddressInUse() }
        accepting.change { $0.append(address) }
    }
}
