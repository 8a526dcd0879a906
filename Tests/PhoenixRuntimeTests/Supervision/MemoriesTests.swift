import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("What outlives the process is asked of every node, whatever becomes of the graph")
struct MemoriesTests {
    private let line = Graph.test(
        ["a": Ticker.type, "b": Relay.type, "b2": Relay.type, "c": Sink.type],
        "a.out > b.in",
        "b.out > b2.in",
        "b2.out > c.in"
    )
    private let other = Graph.test(
        ["a": Ticker.type, "z": Relay.type, "b2": Relay.type, "c": Sink.type],
        "a.out > z.in",
        "z.out > b2.in",
        "b2.out > c.in"
    )
    /// Looks at the memories again and again while the graph changes.
    private func watch(_ engine: Engine, _ clock: ManualClock, _ rounds: Int) async throws {
        for _ in 0..<rounds {
            let graph = await engine.supervisor.runningGraph
            if let memories = await engine.supervisor.memories {
                let wanted = graph.vertices.values.filter { $0.type == Relay.type }.map(\.id)
                let lacking = Set(wanted).subtracting(memories.nodes.map(\.id))
                // The graph may have changed between the two questions.
                let isSame = await engine.supervisor.runningGraph == graph
                try require(lacking.isEmpty || !isSame, "\(lacking) would be forgotten")
            }
            await settle(1)
            try await clock.sleep(for: .milliseconds(1))
        }
    }

    @Test func `readers come before their senders`() throws {
        try World.run(seed: 1) { world in
            let engine = Engine(world)
            try await engine.run(line) {
                await settle()
                let memories = try #require(await engine.supervisor.memories)
                try require(memories.nodes.map(\.id) == ["b2", "b"], "\(memories.nodes.map(\.id))")
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
            let ended = try #require(await engine.supervisor.memories)
            try require(ended.nodes.map(\.id).sorted() == ["b", "b2"], "\(ended.nodes.map(\.id))")
        }
    }

    @Test func `none is asked before the nodes run`() throws {
        try World.run(seed: 1) { world in
            try require(await Engine(world).supervisor.memories == nil, "there are memories")
        }
    }

    @Test func `a node is known to be parked until it cannot come back`() throws {
        try World.run(seed: 1) { world in
            let engine = Engine(world)
            try await engine.run(line) {
                await settle()
                let outcome = try await engine.supervisor.reload(to: other).record.outcome
                try require(outcome == .probation, "\(outcome)")
                let parked = await engine.supervisor.memories?.parked
                try require(parked == ["b"], "\(String(describing: parked))")
                try await world.clock.sleep(for: .seconds(5))
                await settle()
                let after = await engine.supervisor.memories?.parked
                try require(after == [], "\(String(describing: after))")
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
        }
    }

    /// `b` is taken out, and comes back since the node in its place dies in its probation.
    @Test func `a node that is parked is asked until it cannot come back`() throws {
        try World.run(seeds: 0..<100) { world in
            let engine = Engine(world)
            engine.board.failures.change { $0["z"] = 1000 }
            try await engine.run(line) {
                try await world.clock.sleep(for: .milliseconds(1 + Int(world.seed % 50)))
                let before = try #require(await engine.supervisor.memories)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            let outcome = try await engine.supervisor.reload(to: other).record.outcome
                            try require(outcome == .probation, "\(outcome)")
                        } catch let failure as ReloadFailure {
                            // It did not live as long as that.
                            try require(failure.node == "z", "\(failure)")
                        }
                    }
                    group.addTask { try await watch(engine, world.clock, 400) }
                    try await group.waitForAll()
                }
                try require(await !engine.supervisor.stillStand(before), "no memory moved")
                try require(await engine.supervisor.runningGraph.vertices["b"] != nil, "it did not come back")
                let ids = await engine.supervisor.memories?.nodes.map(\.id)
                try require(ids == ["b2", "b"], "\(String(describing: ids))")
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
        }
    }
}
