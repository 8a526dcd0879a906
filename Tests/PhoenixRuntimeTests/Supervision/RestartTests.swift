import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixRuntime

@Suite("A node that fails is run again; it never ends the engine")
struct RestartTests {
    private let line = Graph.test(
        ["a": Ticker.type, "b": Relay.type, "c": Sink.type],
        "a.out > b.in",
        "b.out > c.in"
    )

    @Test func `one failure costs no point`() throws {
        try World.run(seeds: 0..<200) { world in
            let engine = Engine(world)
            engine.board.failures.change { $0["b"] = 1 }
            try await engine.run(line) {
                try await world.clock.sleep(for: .milliseconds(50))
                try require(await engine.supervisor.readiness.unready == ["b"], "ready while it rests")
                try await world.clock.sleep(for: .milliseconds(500))
                try require(await engine.supervisor.readiness.isReady, "unready after one failure")
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value == sent, "\(engine.board.points.value) of \(sent)")
            try require(engine.value("phoenix_node_restarts_total", ["node": "b"]) == 1, "restarts")
        }
    }

    @Test func `a batch that fails twice is set aside, and only that one`() throws {
        try World.run(seeds: 0..<100) { world in
            let engine = Engine(world)
            engine.board.failures.change { $0["b"] = 2 }
            try await engine.run(line) {
                try await world.clock.sleep(for: .seconds(1))
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value == sent - 1, "\(engine.board.points.value) of \(sent)")
            let dropped = engine.value(
                "phoenix_node_points_dropped_total",
                ["node": "b", "reason": "set_aside"]
            )
            try require(dropped == 1, "set aside: \(dropped)")
        }
    }

    @Test func `a node that fails while draining still reads what waits for it`() throws {
        try World.run(seeds: 0..<100) { world in
            let engine = Engine(world)
            try await engine.run(line) {
                try await world.clock.sleep(for: .milliseconds(95))
                engine.board.failures.change { $0["b"] = 1 }
                try require(await engine.supervisor.drain(within: .seconds(10)).isClean, "not clean")
            }
            let sent = engine.board.events.value.filter { $0 == "sent" }.count
            try require(engine.board.points.value == sent, "\(engine.board.points.value) of \(sent)")
        }
    }

    @Test func `delays double up to half a minute, and a quiet minute forgives`() {
        var supervision = Supervision()
        #expect(supervision.handle(.made([.init("a", .data)])) == [.run("a")])
        var delays: [Duration] = []
        for _ in 0..<12 {
            for case .runLater("a", let delay) in supervision.handle(.failed("a", isDrained: false, after: .seconds(1), "")) {
                delays.append(delay)
            }
            #expect(supervision.unready == ["a"])
            #expect(supervision.handle(.delayOver("a")) == [.run("a")])
        }
        #expect(
            delays.prefix(4) == [
                .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800),
            ]
        )
        #expect(delays.suffix(3) == [.seconds(30), .seconds(30), .seconds(30)])
        #expect(supervision.unready == ["a"], "it runs, and has failed too often to count on")
        #expect(
            supervision.handle(.failed("a", isDrained: false, after: .seconds(60), "")) == [
                .runLater("a", after: .milliseconds(100))
            ]
        )
        #expect(supervision.handle(.delayOver("a")) == [.run("a")])
        #expect(supervision.unready.isEmpty)
    }

    @Test func `a data node that returns early counts as failed`() {
        var supervision = Supervision()
        #expect(supervision.handle(.made([.init("a", .data)])) == [.run("a")])
        #expect(
            supervision.handle(.returned("a", isDrained: false, after: .seconds(1)))
                == [.runLater("a", after: .milliseconds(100))]
        )
        #expect(supervision.handle(.delayOver("a")) == [.run("a")])
        #expect(supervision.handle(.returned("a", isDrained: true, after: .seconds(1))) == [.flush("a")])
        #expect(supervision.handle(.finished("a")) == [.release("a"), .finish])
    }

    @Test func `a node with an heir pauses, hands over, and keeps the engine alive until the heir runs`() {
        var supervision = Supervision()
        #expect(supervision.handle(.made([.init("a", .data)])) == [.run("a")])
        #expect(supervision.handle(.retire("a", hasHeir: true)) == [.pause("a")])
        #expect(supervision.handle(.returned("a", isDrained: true, after: .zero)) == [.handOver("a")])
        #expect(supervision.handle(.finished("a")) == [.succeed("a")])
        #expect(supervision.handle(.made([.init("a", .data)])) == [.run("a")])
        #expect(supervision.handle(.retire("a", hasHeir: false)) == [])
    }

    @Test func `a node that fails as it goes hands over once it has read what its heir cannot`() {
        var supervision = Supervision()
        #expect(supervision.handle(.made([.init("a", .data)])) == [.run("a")])
        #expect(supervision.handle(.retire("a", hasHeir: true)) == [.pause("a")])
        #expect(
            supervision.handle(.failed("a", isDrained: false, after: .zero, ""))
                == [.runLater("a", after: .milliseconds(100))]
        )
        #expect(supervision.handle(.delayOver("a")) == [.run("a"), .pause("a")])
        #expect(supervision.handle(.failed("a", isDrained: true, after: .zero, "")) == [.handOver("a")])
    }

    @Test func `a node that is recalled reads all its inlets anew, and may be asked again before it does`() {
        var supervision = Supervision()
        #expect(supervision.handle(.made([.init("a", .data)])) == [.run("a")])
        #expect(supervision.handle(.retire("a", hasHeir: true)) == [.pause("a")])
        #expect(supervision.handle(.recall("a")) == [.interrupt("a")])
        #expect(supervision.handle(.returned("a", isDrained: true, after: .zero)) == [.resume("a"), .run("a")])
        #expect(supervision.handle(.retire("a", hasHeir: true)) == [.pause("a")])
        #expect(supervision.handle(.recall("a")) == [.interrupt("a")])
        #expect(supervision.handle(.retire("a", hasHeir: true)) == [.pause("a")])
        #expect(
            supervision.handle(.returned("a", isDrained: true, after: .zero)) == [.resume("a"), .run("a"), .pause("a")]
        )
        #expect(supervision.handle(.returned("a", isDrained: true, after: .zero)) == [.handOver("a")])
    }

    @Test(arguments: [true, false]) func `a node that is cut off goes as it is`(_ hasHeir: Bool) {
        var supervision = Supervision()
        #expect(supervision.handle(.made([.init("a", .data), .init("b", .source)])) == [.run("a"), .run("b")])
        #expect(supervision.handle(.retire("a", hasHeir: hasHeir)) == (hasHeir ? [.pause("a")] : []))
        #expect(supervision.handle(.cut("a")) == [.cancel("a")])
        #expect(
            supervision.handle(.returned("a", isDrained: false, after: .zero)) == [hasHeir ? .handOver("a") : .release("a")]
        )
    }

    @Test func `a graph that only attends runs until it is drained`() {
        var supervision = Supervision()
        let members: [Supervision.Member] = [.init("g", .attendant, feeds: ["e"]), .init("e", .data)]
        #expect(supervision.handle(.made(members)) == [.run("g"), .run("e")])
        #expect(supervision.handle(.drain) == [.quiesce("g")])
    }
}
