import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct DeltaToCumulativeTests {
    private static func sent(
        _ line: [DeltaToCumulative.Config],
        _ texts: [String]
    ) throws -> ([String], String) {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let vitals = Vitals()
            harness.context.vitals = vitals.node("node")
            let output = harness.read(RelabelingPort.output)
            try await harness.relay(DeltaToCumulative.self, line.map { Settings($0) }) { leg in
                let text = texts[leg]
                try await harness.feed(RelabelingPort.input, PointText.batch(text, harness.context.series))
                try await world.clock.sleep(for: .seconds(1))
            }
            let dropped = vitals.snapshot().families.first { $0.name == "phoenix_node_points_dropped_total" }
            let reasons = (dropped?.samples ?? []).filter { $0.value > 0 }
                .map { "\($0.labels["reason"] ?? "?") \(Int($0.value))" }
            return (
                output.messages.map { PointText.text($0, harness.context.series) },
                reasons.joined(separator: ", ")
            )
        }
    }

    @Test func anHeirAddsUpFromWhereTheNodeBeforeStopped() throws {
        var other = DeltaToCumulative.Config()
        other.expiry = .seconds(60)
        let (sent, _) = try Self.sent(
            [DeltaToCumulative.Config(), other],
            ["m{} sum delta monotonic start=0s time=10s 5", "m{} sum delta monotonic start=10s time=20s 2"]
        )
        // Windows that are ahead of the clock: the first total claims no more than its own moment.
        #expect(
            sent == [
                "m{} sum cumulative monotonic start=9999999999ns time=10s 5",
                "m{} sum cumulative monotonic start=9999999999ns time=20s 7",
            ]
        )
    }
    @Test func streamsBeyondTheLimitAreDroppedAndCounted() throws {
        var config = DeltaToCumulative.Config()
        config.maxStreams = 1
        let (sent, dropped) = try Self.sent(
            [config],
            ["a{} sum delta monotonic start=0s time=10s 5\nb{} sum delta monotonic start=0s time=10s 6"]
        )
        #expect(sent == ["a{} sum cumulative monotonic start=9999999999ns time=10s 5"])
        #expect(dropped == "max_streams 1")
    }
    @Test func settingsSayWhatIsWrong() {
        let text = """
            graph: g
            version: 1
            receivers: {synthetic: {}}
            processors: {delta_to_cumulative: {from: synthetic, max_streams: -1}}
            exporters: {debug: {from: delta_to_cumulative}}
            """
        #expect(throws: (any Error).self) {
            try GraphLoader(NodeSpecs(.standard), files: [:]).load(text: text)
        }
    }
}
