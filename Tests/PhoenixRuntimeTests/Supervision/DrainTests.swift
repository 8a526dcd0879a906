import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A drain ends the engine from its sources to its sinks")
struct DrainTests {
    private let line = Graph.test(
        ["a": Ticker.type, "b": Relay.type, "c": Sink.type],
        "a.out > b.in",
        "b.out > c.in"
    )

    @Test func `what the sources took comes out of the sinks, and each node flushes after its inlets end`()
        throws
    {
        try World.run(seeds: 0..<200) { world in
            let engine = Engine(world, batches: 1 + Int(world.seed % 3))
            try await engine.run(line) {
                try await world.clock.sleep(for: .milliseconds(95))
                try require(await engine.supervisor.readiness == Readiness(phase: .running), "not running")
                let report = await engine.supervisor.drain(within: .seconds(10))
                try require(report.isClean, "\(report)")
            }
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(
                sent >= 9 && engine.board.points.value == sent,
                "\(sent), \(engine.board.points.value)"
            )
            let ends = engine.board.events.value.filter { $0 != "sent" }
            try require(ends == ["a flushed", "b ended", "b flushed", "c ended"], "\(ends)")
            try require(await engine.supervisor.readiness.phase == .ended, "not ended")
            try require(world.clock.monotonic < .seconds(1), "waited for \(world.clock.monotonic)")
            try require(
                engine.value("phoenix_node_points_in_total", ["node": "c"]) == Double(sent),
                "vitals in"
            )
            try require(
                engine.value("phoenix_node_points_out_total", ["node": "a"]) == Double(sent),
                "vitals out"
            )
        }
    }

    @Test func `a controller whose metrics an exporter reads ends before it`() throws {
        try World.run(seeds: 0..<200) { world in
            let engine = Engine(world)
            let loop = Graph.test(
                ["a": Ticker.type, "b": Relay.type, "c": Sink.type, "d": Sink.type, "g": Governor.type],
                "a.out > b.in",
                "b.out > c.in",
                "c.observations > g.in",
                "d.observations > g.in",
                "g.mode > b.mode",
                "g.metrics > d.in",
                "b.out > d.in"
            )
            try await engine.run(loop) {
                try await world.clock.sleep(for: .milliseconds(50))
                let report = await engine.supervisor.drain(within: .seconds(10))
                try require(report.isClean, "\(report)")
            }
            let order = engine.board.events.value.filter { $0.hasSuffix("ended") }
            try require(
                order.firstIndex(of: "g ended") ?? 99 < order.firstIndex(of: "d ended") ?? -1,
                "\(order)"
            )
            try require(order.count == 4, "\(order)")
        }
    }

    @Test func `at the deadline what still runs is cut off and named`() throws {
        try World.run(seeds: 0..<50) { world in
            let engine = Engine(world, batches: 2)
            engine.board.blocked.change { $0 = ["b"] }
            try await engine.run(line) {
                try await world.clock.sleep(for: .milliseconds(95))
                let report = await engine.supervisor.drain(within: .seconds(10))
                // The source waits behind the stuck node, and the sink never sees its end.
                try require(report.cutOff == ["a", "b", "c"], "\(report)")
                try require(report.stuck.isEmpty, "\(report)")
            }
            try require(
                engine.value("phoenix_node_points_dropped_total", ["reason": "ended"]) >= 1,
                "uncounted"
            )
        }
    }

    @Test func `cancelling the engine ends every node`() throws {
        try World.run(seeds: 0..<50) { world in
            let engine = Engine(world)
            await withTaskGroup { group in
                group.addTask { _ = try? await engine.supervisor.run(line) }
                await settle(Int(world.seed * 10))
                group.cancelAll()
            }
            try require(await engine.supervisor.readiness.phase == .ended, "not ended")
            try require(await engine.supervisor.drain(within: .seconds(1)).isClean, "drain after the end")
        }
    }
}
