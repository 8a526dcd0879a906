import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct ManualTests {
    private static func config(_ mode: Mode, _ reason: String = "because") -> Manual.Config {
        var config = Manual.Config()
        (config.mode, config.reason) = (mode, reason)
        return config
    }

    // As the engine calls them: a direct call from here would find the protocol's own, which are asynchronous as well.
    private static func reconfigure<Kind: Node>(_ node: Kind, _ config: Kind.Config) async -> Bool {
        await node.reconfigure(Settings(config))
    }
    private static func inherit<Kind: Node>(_ node: Kind, _ state: Kind.State) async {
        await node.inherit(state)
    }

    @Test func asksOnceAtTheStartAndAgainWhenToldAnother() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            let output = harness.read(Manual.Port.output)
            let node = try harness.make(Manual.self, Self.config(.conservative, "quiet"))
            try await harness.run(node) {
                try await world.clock.sleep(for: .seconds(1))
                let taken = await Self.reconfigure(node, Self.config(.aggressive, "loud"))
                try require(taken, "new settings are taken in place")
                try await world.clock.sleep(for: .seconds(1))
                // The same settings again are no decision.
                let again = await Self.reconfigure(node, Self.config(.aggressive, "loud"))
                try require(again, "the same settings are taken")
            }
            let told = output.messages.map { "\($0.version) \($0.mode) \($0.reason) \($0.correlationID)" }
            try require(
                told == ["1 conservative quiet control-1", "2 aggressive loud control-2"],
                "told \(told)"
            )
        }
    }

    @Test func versionsGoOnInTheHeir() throws {
        try World.run { world in
            let first = NodeHarness(world.clock, id: "control")
            let old = try first.make(Manual.self, Self.config(.balanced))
            let state = try await first.runToHandOver(old) { try await world.clock.sleep(for: .seconds(1)) }
            let second = NodeHarness(world.clock, id: "control")
            let output = second.read(Manual.Port.output)
            let heir = try second.make(Manual.self, Self.config(.aggressive))
            await Self.inherit(heir, try #require(state))
            try await second.run(heir) { try await world.clock.sleep(for: .seconds(1)) }
            try require(output.messages.map(\.version) == [2], "versions \(output.messages.map(\.version))")
        }
    }

    @Test func itsPathTakesOrdersAndShowsTheMode() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            let desk = ModeDesk(harness.context, harness.context.wiring[Manual.Port.output])
            let api = ModePath(desk, path: "/api/v1/mode", harness.context).api
            try require(
                api.served == ["GET /api/v1/mode", "POST /api/v1/mode", "PUT /api/v1/mode"],
                "\(api.served)"
            )
            func ask(_ lines: String...) async throws -> [String] {
                Transcript.lines(await api.respond(to: try #require(Transcript.request(lines))))
            }
            let none = try await ask("GET /api/v1/mode")
            try require(none[0] == "503 application/json", "before a mode: \(none)")
            let order = #"{"mode": "aggressive", "reason": "load"}"#
            let said =
                #"{"correlation_id":"control-1","mode":"aggressive","reason":"load","status":"success","version":1}"#
            let taken = try await ask("PUT /api/v1/mode", order)
            try require(taken == ["200 application/json", said], "\(taken)")
            let shown = try await ask("GET /api/v1/mode")
            try require(shown[1].contains(#""mode":"aggressive""#), "\(shown)")
            let wrong = try await ask("POST /api/v1/mode", #"{"mode": "turbo"}"#)
            try require(wrong[0] == "400 application/json", "\(wrong)")
        }
    }
}
