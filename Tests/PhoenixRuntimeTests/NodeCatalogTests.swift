import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A catalog makes nodes by their names")
struct NodeCatalogTests {
    @Test func `types are found by role and name`() {
        #expect(testCatalog[Relay.type]?.spec.summary == Relay.summary)
        #expect(testCatalog[NodeType(.exporter, "relay")] == nil)
        #expect(testCatalog[Ticker.type]?.isSource == true)
        #expect(testCatalog[Relay.type]?.isSource == false)
    }

    @Test func `a type that is there twice is told`() {
        let twice = testCatalog + [Relay.self]
        #expect(twice.duplicates == [Relay.type])
        #expect(
            NodeContract(twice).flaws.contains { $0.hasPrefix("processor relay: two types bear this name") }
        )
    }

    @Test func `the contract holds for the nodes of these tests, but for their order`() {
        let sorted: NodeCatalog = [Governor.self, Sink.self, Relay.self, Ticker.self]
        #expect(NodeContract(sorted).flaws == [])
        let mixed: NodeCatalog = [Ticker.self, Sink.self]
        #expect(NodeContract(mixed).flaws.count == 1)
    }

    @Test func `a harness feeds a node, drains it and reads what it sent`() throws {
        try World.run(seeds: 0..<50) { world in
            let harness = NodeHarness(world.clock, id: "relay")
            harness.link(Relay.input)
            let output = harness.read(Relay.output)
            let relay = try harness.make(Relay.self)
            try await harness.run(relay) {
                try await harness.feed(Relay.input, batch(1), batch(2))
                try await harness.feed(Relay.input, batch(3))
            }
            try require(output.messages.map(\.count) == [1, 2, 3], "\(output.messages.map(\.count))")
        }
    }

    @Test func `a graph of the catalog drains and cancels`() throws {
        try World.run(seeds: 0..<20) { world in
            let graph = Graph.test(["a": Ticker.type, "b": Relay.type], "a.out > b.in")
            let services = EngineServices(time: world.clock, seed: world.seed)
            try await NodeContract.drains(graph, testCatalog, services: services)
            try await NodeContract.cancels(graph, testCatalog, services: services)
        }
    }

    @Test func `a world that stalls says so, with its seed`() {
        let error = #expect(throws: WorldError.self) {
            try World.run(seed: 7) { _ in
                let queue = InletQueue<Parcel>()
                var reader = Inlet(queue).makeAsyncIterator()
                _ = await reader.next()
            }
        }
        #expect(error?.seed == 7)
        #expect(error?.what.hasPrefix("stalled") == true)
    }
}
