import PhoenixRuntime

/// Servers that serve nobody: in a golden case, endpoints are asked directly.
struct StagedServers: ServerProvider {
    private struct Server: OpenServer {
        var boundAddress: String
        func setRoutes(_ routes: [Route]) {}
        func quiet() async {}
        func stopAccepting() async {}
        func close(within deadline: Duration) async {}
    }
    func open(_ address: String, protocol protocolName: String) async throws -> any OpenServer {
        Server(boundAddress: address)
    }
}
