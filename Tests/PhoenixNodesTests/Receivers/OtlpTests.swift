import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// The node around the wire: what it claims and refuses to start with. Requests and answers are tested by clients that
/// others wrote.
@Suite struct OtlpTests {
    private static func diagnostics(_ receiver: String) -> [String] {
        let text = """
            graph: g
            version: 1
            receivers: {otlp: \(receiver)}
            exporters: {debug: {from: otlp}}
            """
        do {
            _ = try GraphLoader(NodeSpecs(.standard), files: [:]).load(text: text)
            return []
        } catch {
            return ["\(error)"]
        }
    }

    @Test func claimsItsAddressesInTheProtocolThatItSpeaks() {
        var config = OTLPReceiver.Config()
        config.listen = [.tcp(host: "127.0.0.1", port: 4318)]
        #expect(
            config.claims == [.listen(address: "127.0.0.1:4318", protocol: "http", path: "/v1/metrics")]
        )
        config.tls = TLSSettings()
        #expect(
            config.claims == [.listen(address: "127.0.0.1:4318", protocol: "https", path: "/v1/metrics")]
        )
    }

    @Test func aCertificateThatIsMissingRefusesTheNode() throws {
        var config = OTLPReceiver.Config()
        config.tls = TLSSettings()
        config.tls?.certificate = "/nowhere/certificate.pem"
        let harness = NodeHarness(ManualClock())
        let error = #expect(throws: TLSError.self) { try harness.make(OTLPReceiver.self, config) }
        #expect(error?.setting == "tls.certificate")
        #expect(error?.file == "/nowhere/certificate.pem")
    }

    @Test func settingsOfTLSComeTogether() {
        #expect(Self.diagnostics("{listen: [\"127.0.0.1:0\"]}").isEmpty)
        let lacking = Self.diagnostics("{listen: [\"127.0.0.1:0\"], tls: {certificate: a.pem}}").joined()
        #expect(lacking.contains("key"))
    }

    @Test func endsOnceItIsAskedTo() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(OTLPReceiver.Port.output)
            let node = try harness.make(OTLPReceiver.self)
            try await harness.run(node) { try await world.clock.sleep(for: .seconds(1)) }
            try require(output.messages.isEmpty, "nobody sent anything")
        }
    }

    /// As in a change that is undone before the old receiver has noticed that it was to go.
    @Test func servesOnWhereItIsToldToEndAndToGoOnAtOnce() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            _ = harness.read(OTLPReceiver.Port.output)
            let node = try harness.make(OTLPReceiver.self)
            let told = Lock([Bool]())
            await node.intake.whenServing { isServing in told.withLock { $0.append(isServing) } }
            try await harness.run(node) {
                try await world.clock.sleep(for: .seconds(1))
                await node.quiesce()
                await node.reopen()
                try await world.clock.sleep(for: .seconds(1))
                try require(told.withLock { $0 } == [true, false, true], "\(told.withLock { $0 })")
            }
        }
    }
}
