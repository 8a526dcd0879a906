import Testing

@testable import PhoenixCommand

@Suite struct ControlClientTests {
    @Test(
        arguments: [
            "127.0.0.1:8080", "localhost:1", "[::1]:8080", "http://host/", "https://host:8443",
            "unix:/run/phoenix.sock",
        ]
    )
    func anAddressIsTaken(_ address: String) throws {
        _ = try ControlClient(address: address, token: nil, timeout: .seconds(1))
    }

    @Test(
        arguments: [
            "", "ftp://host", "host name:8080", "http://", "127.0.0.1:99999", "[::1", ":8080", "unix:",
        ]
    )
    func noAddressIsRefused(
        _ address: String
    ) {
        do throws(ControlFailure) {
            _ = try ControlClient(address: address, token: nil, timeout: .seconds(1))
            Issue.record("`\(address)` was taken")
        } catch {
            #expect(error.outcome == .refused)
            #expect(error.message.contains("write host:port"))
        }
    }

    @Test func whereNobodyListensIsSaid() async throws {
        // Port 1 is for root, and nobody uses it.
        let client = try ControlClient(address: "127.0.0.1:1", token: nil, timeout: .seconds(5))
        do throws(ControlFailure) {
            _ = try await client.send(.init("GET", "/api/v1/status"))
            Issue.record("somebody listens on port 1")
        } catch {
            #expect(error.outcome == .notStarted)
            #expect(error.message.contains("no control API at http://127.0.0.1:1: connection refused;"))
        }
    }
}
