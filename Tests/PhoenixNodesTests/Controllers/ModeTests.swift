import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// The node around the law, in a world of its own.
@Suite struct ModeTests {
    // As the engine calls it: a direct call from here would find the protocol's own, which is asynchronous as well.
    private static func inherit<Kind: Node>(_ node: Kind, _ state: Kind.State) async {
        await node.inherit(state)
    }
    private static func observation(_ counts: Counts, _ mode: Mode, _ clock: ManualClock) -> Observation {
        var observation = counts.observation(in: mode, 0)
        observation.timeUnixNano = clock.unixNanoseconds
        return observation
    }

    /// The simulation once more, through the real node: an hour in three times the load, and one after it.
    @Test func steersAPlant() throws {
        try World.run(seeds: 1..<4) { world in
            let harness = NodeHarness(world.clock, id: "control")
            harness.link(ModeController.Port.input)
            let modes = harness.read(ModeController.Port.output)
            let metrics = harness.read(ModeController.Port.metrics)
            let observations = harness.read(ModeController.Port.observations)
            let node = try harness.make(ModeController.self)
            let plant = Plant.all[2]
            try await harness.run(node) {
                for step in 0..<(3 * 240) {
                    let raw = step >= 240 && step < 480 ? 60_000.0 : 12_000
                    let counts = Counts(plant, raw, growth: 1)
                    let mode = modes.messages.last?.mode ?? .conservative
                    try await harness.feed(
                        ModeController.Port.input,
                        Self.observation(counts, mode, world.clock)
                    )
                    try await world.clock.sleep(for: .seconds(15))
                }
            }
            let told = modes.messages
            try require(told.map(\.mode) == [.conservative, .balanced, .conservative], "\(told)")
            try require(told.map(\.version) == [1, 2, 3], "versions \(told.map(\.version))")
            try require(Set(told.map(\.correlationID)).count == 3, "correlation ids repeat")
            let up = Double(told[1].timeUnixNano - told[0].timeUnixNano) / 1e9
            try require(up >= 3600 && up <= 3660 + 1, "reacted after \(up - 3600) s")
            let last = try #require(observations.messages.last)
            let current = last.readings.filter {
                $0.name == "phoenix_control_optimization_mode" && $0.value == 1
            }
            try require(current.map(\.attributes) == [["mode": "conservative"]], "\(current)")
            let transitions = last.readings.first { $0.name == ControlReadings.transitions }
            try require(transitions?.value == 2, "\(String(describing: transitions))")
            try require(
                metrics.messages.last?.count == last.readings.count,
                "metrics and observations differ"
            )
        }
    }

    @Test func theHeirGoesOn() throws {
        try World.run { world in
            let first = NodeHarness(world.clock, id: "control")
            first.link(ModeController.Port.input)
            let old = try first.make(ModeController.self)
            let state = try await first.runToHandOver(old) {
                try await world.clock.sleep(for: .seconds(5))
                await old.controlDesk.override(.aggressive, for: .seconds(600), reason: "test").expect(
                    .aggressive
                )
                try await world.clock.sleep(for: .seconds(100))
            }
            let second = NodeHarness(world.clock, id: "control")
            second.link(ModeController.Port.input)
            let output = second.read(ModeController.Port.output)
            let heir = try second.make(ModeController.self)
            await Self.inherit(heir, try #require(state))
            try await second.run(heir) {
                try await world.clock.sleep(for: .seconds(1))
                let status = await heir.controlDesk.status
                try require(status.mode == .aggressive && status.version == 2, "\(status)")
                try require(
                    status.override?.remaining == .seconds(499),
                    "\(String(describing: status.override))"
                )
                try await world.clock.sleep(for: .seconds(500))
            }
            // What holds is told again to those who are new, then the override ends at its time.
            let told = output.messages.map { "\($0.version) \($0.mode)" }
            try require(told == ["2 aggressive", "3 conservative"], "\(told)")
        }
    }

    /// Silence and its end are told like every decision, to whoever follows and whoever asks.
    @Test func theEndOfASilenceIsTold() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            harness.link(ModeController.Port.input)
            let output = harness.read(ModeController.Port.output)
            let node = try harness.make(ModeController.self)
            let counts = Counts(Plant.all[2], 9_000, growth: 1)
            try await harness.run(node) {
                try await world.clock.sleep(for: .seconds(300))
                let silent = await node.controlDesk.status
                try require(silent.isSafeMode && silent.reason.hasPrefix("SAFE_MODE"), "\(silent)")
                for _ in 0..<3 {
                    let heard = Self.observation(counts, .conservative, world.clock)
                    try await harness.feed(ModeController.Port.input, heard)
                    try await world.clock.sleep(for: .seconds(15))
                }
                let status = await node.controlDesk.status
                try require(!status.isSafeMode && status.transitionCount == 0, "\(status)")
                try require(status.reason.hasPrefix("observations come again"), "\(status)")
            }
            let told = output.messages
            try require(told.map(\.version) == [1, 2, 3], "\(told)")
            try require(told.last?.reason.hasPrefix("observations come again") == true, "\(told)")
        }
    }

    /// The examples of the contract are what is said.
    @Test func receiptsAreThoseOfTheContract() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            harness.link(ModeController.Port.input)
            let node = try harness.make(ModeController.self)
            try await harness.run(node) {
                let desk = await node.controlDesk
                let receipts = [
                    desk.override(.aggressive, for: .seconds(600), reason: "load test"), desk.clear(),
                ]
                for message in receipts.map(\.message) {
                    try require(ControlAPI.document.contains("message: \(message),"), message)
                }
            }
        }
    }

    @Test func waitsForTheFileBeforeItSaysAMode() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            harness.link(ModeController.Port.input)
            harness.link(ModeController.Port.edits)
            let output = harness.read(ModeController.Port.output)
            let node = try harness.make(ModeController.self)
            let found = ModeChange(.balanced, because: "before", correlationID: "pv3ux-1-41", version: 41)
            try await harness.run(node) {
                try await world.clock.sleep(for: .milliseconds(500))
                try require(output.messages.isEmpty, "it guessed: \(output.messages)")
                try await harness.feed(ModeController.Port.edits, found)
                try await world.clock.sleep(for: .seconds(10))
                try require(output.messages == [found], "no jump: \(output.messages)")
                // One word changed by hand.
                var edit = found
                edit.mode = .aggressive
                try await harness.feed(ModeController.Port.edits, edit)
                try await world.clock.sleep(for: .seconds(10))
            }
            try require(output.messages.map(\.version) == [41, 42], "\(output.messages)")
            try require(
                output.messages.last?.reason == "MANUAL: the control file was edited",
                "\(output.messages)"
            )
        }
    }

    // MARK: - settings

    private static func config(
        _ settings: String,
        _ variables: [String: String]
    ) throws -> ModeController.Config {
        let text = """
            graph: test
            version: 1
            receivers:
              synthetic: {}
            processors:
              optimized: {type: aggregate, from: synthetic, mode: mode, drop: [process.pid]}
            exporters:
              debug: {from: optimized}
            controllers:
              mode: {from: optimized.observations\(settings)}
            """
        let graph = try GraphLoader(NodeSpecs(.standard), variables: variables).load(text: text).graph
        return try Settings<ModeController.Config>(of: #require(graph.vertices["mode"])).base
    }

    /// The old system's variables are defaults; what a graph says wins.
    @Test func variablesAreDefaults() throws {
        let variables = [
            "TARGET_OPTIMIZED_PIPELINE_TS_COUNT": "30000",
            "THRESHOLD_OPTIMIZATION_CONSERVATIVE_MAX_TS": "16000",
            "THRESHOLD_OPTIMIZATION_AGGRESSIVE_MIN_TS": "40000", "HYSTERESIS_FACTOR": "0.2",
            "ADAPTIVE_CONTROLLER_INTERVAL_SECONDS": "30", "ADAPTIVE_CONTROLLER_STABILITY_SECONDS": "90",
            "PID_KP": "1", "PID_KI": "0", "PID_KD": "0.5", "PID_INTEGRAL_LIMIT": "500",
            "CORRELATION_ID_PREFIX": "mine",
        ]
        let plain = try Self.config("", [:])
        #expect(plain == ModeController.Config())
        let config = try Self.config(", stability: 45s", variables)
        #expect((config.target, config.conservativeMax, config.aggressiveMin) == (30_000, 16_000, 40_000))
        #expect((config.hysteresis, config.interval, config.stability) == (0.2, .seconds(30), .seconds(45)))
        #expect((config.kp, config.ki, config.kd, config.integralLimit) == (1, 0, 0.5, 500))
        #expect(config.correlationPrefix == "mine")
        #expect(config.control.calm == .seconds(45 * 30))
        // Set to nothing is not set; set to nonsense is told with the variable's name.
        #expect(try Self.config("", ["PID_KP": ""]).kp == 0.5)
        do {
            let config = try Self.config("", ["PID_KP": "much"])
            Issue.record("taken: \(config.kp)")
        } catch let refusal as GraphRefusal {
            #expect(refusal.description.contains("expected a number, found what `${env:PID_KP}` stands for"))
        }
    }

    @Test func thresholdsMustLeaveRoom() throws {
        #expect(throws: GraphRefusal.self) {
            try Self.config(", conservative_max: 20000, aggressive_min: 23000", [:])
        }
    }

    @Test func startsWithoutAFileInTheEnd() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "control")
            harness.link(ModeController.Port.input)
            harness.link(ModeController.Port.edits)
            let output = harness.read(ModeController.Port.output)
            let node = try harness.make(ModeController.self)
            try await harness.run(node) { try await world.clock.sleep(for: .seconds(4)) }
            try require(output.messages.map(\.reason) == ["start"], "\(output.messages)")
        }
    }
}

extension ControlReceipt {
    fileprivate func expect(_ mode: Mode) { #expect(success && current == mode, "\(message)") }
}
