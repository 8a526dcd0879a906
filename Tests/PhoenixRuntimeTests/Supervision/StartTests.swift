import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A graph starts whole or not at all")
struct StartTests {
    @Test func `a node that cannot be made is named with its place, and nothing has run`() throws {
        try World.run { world in
            let engine = Engine(world)
            engine.board.failures.change { $0["z.init"] = 1 }
            let graph = Graph.test(["a": Ticker.type, "z": Ticker.type])
            do {
                try await engine.supervisor.run(graph)
                throw Unexpected("it ran")
            } catch let error as StartError {
                #expect(error.node == "z")
                #expect(error.description.hasPrefix("test.yaml:1:1: error: `z` cannot start: "))
            }
            #expect(engine.board.events.value.isEmpty)
            #expect(await engine.supervisor.readiness.phase == .ended)
        }
    }

    @Test func `a type that the build lacks is named`() throws {
        try World.run { world in
            let graph = Graph.test(["a": NodeType(.exporter, "nowhere")])
            let error = await #expect(throws: StartError.self) {
                try await Engine(world).supervisor.run(graph)
            }
            #expect(error?.description.contains("this build has no exporter nowhere") == true)
        }
    }

    @Test func `a port that is taken is told with the node that wants it`() throws {
        try World.run { world in
            let server = FakeServer(taken: ["127.0.0.1:80"])
            let engine = Engine(world, listeners: Listeners(server))
            engine.board.blocked.change { $0 = ["a.listens"] }
            let graph = Graph.test(["a": Ticker.type])
            let error = await #expect(throws: StartError.self) { try await engine.supervisor.run(graph) }
            #expect(error?.node == "a")
            #expect(error?.description.contains("cannot listen on 127.0.0.1:80") == true)
            #expect(engine.board.events.value.isEmpty)
        }
    }
}
