import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A running graph is changed, and no point is lost or doubled")
struct ReloadTests {
    private let line = Graph.test(
        ["a": Ticker.type, "b": Relay.type, "c": Sink.type],
        "a.out > b.in",
        "b.out > c.in"
    )

    private func run(_ world: World, from old: Graph, to new: Graph) async throws -> (Engine, GraphDiff?) {
        let engine = Engine(world, batches: 1 + Int(world.seed % 4))
        let diff = Shared(GraphDiff?.none)
        try await engine.run(old) {
            try await world.clock.sleep(for: .milliseconds(1 + Int(world.seed % 100)))
            await settle(Int(world.seed % 13))
            let done = try await engine.supervisor.reload(to: new)
            diff.change { $0 = done.plan.diff }
            try await world.clock.sleep(for: .milliseconds(55))
            try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
        }
        return (engine, diff.value)
    }

    @Test func `a node is put into the stream`() throws {
        let longer = Graph.test(
            ["a": Ticker.type, "b": Relay.type, "b2": Relay.type, "c": Sink.type],
            "a.out > b.in",
            "b.out > b2.in",
            "b2.out > c.in"
        )
        try World.run(seeds: 0..<200) { world in
            let (engine, diff) = try await run(world, from: line, to: longer)
            try require(
                diff?.changes == ["a": .keep, "b": .keep, "b2": .add, "c": .keep],
                "\(String(describing: diff))"
            )
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value == sent, "\(engine.board.points.value) of \(sent)")
            try require(engine.board.events.value.contains("b2 flushed"), "not run")
        }
    }

    @Test func `a node is taken out of the stream, and sends what it held`() throws {
        let shorter = Graph.test(["a": Ticker.type, "c": Sink.type], "a.out > c.in")
        try World.run(seeds: 0..<200) { world in
            let (engine, _) = try await run(world, from: line, to: shorter)
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value == sent, "\(engine.board.points.value) of \(sent)")
            try require(engine.board.events.value.filter { $0 == "b flushed" }.count == 1, "flushes")
        }
    }

    @Test func `an heir takes over the state and the queue of the node before it`() throws {
        // Its mode port is linked now, so the relay is made anew; it hands over the batch that it held.
        var steered = Graph.test(
            ["a": Ticker.type, "b": Relay.type, "c": Sink.type, "g": Governor.type],
            "a.out > b.in",
            "b.out > c.in",
            "c.observations > g.in",
            "g.mode > b.mode"
        )
        steered.name = "steered"
        try World.run(seeds: 0..<300) { [steered] world in
            let (engine, diff) = try await run(world, from: line, to: steered)
            try require(diff?.changes["b"] == .replace(["mode"]), "\(String(describing: diff))")
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value == sent, "\(engine.board.points.value) of \(sent)")
            try require(
                engine.board.events.value.filter { $0 == "b flushed" }.count == 1,
                "flushed with an heir"
            )
        }
    }

    @Test func `a removed node ends that feeds an inlet which goes and one which stays, both full`() throws {
        let forked = Graph.test(
            ["a": Ticker.type, "b": Relay.type, "j": Joint.type, "c": Sink.type],
            "a.out > b.in",
            "a.out > j.in",
            "b.out > j.in",
            "b.out > j.other",
            "j.out > c.in"
        )
        let plain = Graph.test(
            ["a": Ticker.type, "j": Joint.type, "c": Sink.type],
            "a.out > j.in",
            "j.out > c.in"
        )
        try World.run(seeds: 0..<400) { world in
            let engine = Engine(world, batches: 1)
            try await engine.run(forked) {
                try await world.clock.sleep(for: .milliseconds(1 + Int(world.seed % 100)))
                await settle(Int(world.seed % 29))
                let done = try await engine.supervisor.reload(to: plain, settled: true)
                try require(done.plan.diff.changes["j"] == .replace(["other"]), "\(done.plan.diff)")
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
            // Each point came by one way, and those of before by two more.
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value > sent && (engine.board.points.value - sent) % 2 == 0, "lost")
        }
    }

    @Test func `a new node that is cut off on the way back loses only what is counted`() throws {
        // `z` reads one batch and hangs; `y` fails, which undoes the change.
        let wrong = Graph.test(
            ["a": Ticker.type, "y": Relay.type, "z": Relay.type, "c": Sink.type],
            "a.out > y.in",
            "a.out > z.in",
            "z.out > c.in"
        )
        try World.run(seeds: 0..<50) { world in
            let engine = Engine(world)
            engine.board.failures.change { $0["y"] = 1 }
            engine.board.blocked.change { $0 = ["z"] }
            let lost = Shared(0)
            try await engine.run(line) {
                await settle()
                var limits = ReloadLimits()
                limits.giveBack = .seconds(1)
                let error = await #expect(throws: ReloadFailure.self) {
                    try await engine.supervisor.reload(to: wrong, limits: limits, settled: true)
                }
                try require(error?.node == "y", "\(String(describing: error))")
                lost.add(await engine.supervisor.reloads.pointsUndone)
                try await world.clock.sleep(for: .milliseconds(100))
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(
                lost.value > 0 && engine.board.points.value + lost.value == sent,
                "\(engine.board.points.value) arrived and \(lost.value) were counted as lost of \(sent)"
            )
        }
    }

    @Test func `an error leaves the old graph running`() throws {
        try World.run(seeds: 0..<50) { world in
            let engine = Engine(world)
            engine.board.failures.change { $0["z.init"] = 1 }
            try await engine.run(line) {
                let broken = Graph.test(["a": Ticker.type, "z": Ticker.type])
                await settle()
                let error = await #expect(throws: ReloadFailure.self) {
                    try await engine.supervisor.reload(to: broken)
                }
                try require(error?.node == "z" && error?.step == .make, "\(String(describing: error))")
                try await world.clock.sleep(for: .milliseconds(100))
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
                await #expect(throws: ReloadError.notRunning) { try await engine.supervisor.reload(to: line) }
            }
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(
                sent > 5 && engine.board.points.value == sent,
                "\(engine.board.points.value) of \(sent)"
            )
        }
    }
}
