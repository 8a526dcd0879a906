import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct LimitTests {
    private static func text(_ names: Range<Int>, time: Int) -> String {
        names.map { "m{; n=\($0)} sum cumulative monotonic start=1s time=\(time)s \(time)" }
            .joined(separator: "\n")
    }
    private static func config(_ change: (inout Limit.Config) -> Void) -> Limit.Config {
        var config = Limit.Config()
        change(&config)
        return config
    }

    /// What a node sends for batches that come a second apart, as text.
    private static func sent(
        _ settings: Settings<Limit.Config>,
        _ steps: [(text: String, mode: Mode?)],
        apart seconds: Int = 1
    ) throws -> [String] {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let output = harness.read(RelabelingPort.output)
            let node = try harness.make(Limit.self, settings)
            try await harness.run(node) {
                for step in steps {
                    if let mode = step.mode {
                        try await harness.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                        try await world.clock.sleep(for: .milliseconds(10))
                    }
                    try await harness.feed(
                        RelabelingPort.input,
                        try PointText.batch(step.text, harness.context.series)
                    )
                    try await world.clock.sleep(for: .seconds(seconds))
                }
            }
            return output.messages.map { PointText.text($0, harness.context.series) }
        }
    }

    @Test func whoIsNotSeenAnyMoreGivesItsPlaceAway() throws {
        let settings = Settings(Self.config { ($0.total, $0.expiry) = (2, .seconds(30)) })
        let sent = try Self.sent(
            settings,
            [(Self.text(0..<3, time: 10), nil), (Self.text(2..<3, time: 20), nil)]
                + (3..<8).map { (Self.text(2..<3, time: $0 * 10), nil) },
            apart: 10
        )
        #expect(sent[0].contains("otel.metric.overflow"))
        #expect(sent[0].contains("{; n=0}") && sent[0].contains("{; n=1}"))
        // The third goes on in the overflow until a place is free, then counts on under its own name, from there.
        let own = try #require(sent.firstIndex { $0.contains("{; n=2}") })
        #expect(own > 2)
        #expect(sent[own].hasSuffix(" 10"), "only what grew since counts there: \(sent[own])")
    }

    @Test func aStricterModeSendsTheLastOnesAway() throws {
        var settings = Settings(Self.config { $0.total = 10 })
        settings.modes[.aggressive] = Self.config { $0.total = 1 }
        let sent = try Self.sent(
            settings,
            [
                (Self.text(0..<3, time: 0), nil), (Self.text(0..<3, time: 10), .aggressive),
                (Self.text(0..<3, time: 20), .conservative),
            ],
            apart: 10
        )
        #expect(!sent[0].contains("overflow"))
        #expect(sent[1].split(separator: "\n").count == 2)
        // The overflow begins a second after the watch at the earliest: whoever reads it began to watch as we did.
        #expect(sent[1].contains("overflow=bool(true)} sum cumulative monotonic start=1s time=10s 20"))
        #expect(sent[2].split(separator: "\n").count == 3, "all are back under their names")
    }

    @Test func onlyObservingChangesNothing() throws {
        let settings = Settings(Self.config { ($0.total, $0.observeOnly) = (1, true) })
        let text = Self.text(0..<3, time: 10)
        #expect(try Self.sent(settings, [(text, nil)]) == [text])
    }

    @Test func tellsWhoIsPastWhichLimit() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock, id: "cap")
            harness.link(RelabelingPort.input)
            let output = harness.read(RelabelingPort.observations)
            let node = try harness.make(Limit.self, Self.config { $0.metrics = ["m": 2] })
            try await harness.run(node) {
                try await harness.feed(
                    RelabelingPort.input,
                    try PointText.batch(Self.text(0..<5, time: 10), harness.context.series)
                )
                try await world.clock.sleep(for: .seconds(6))
            }
            let told = try #require(output.messages.last { $0.source == "cap/limit" })
            func value(_ name: String, _ key: String = "pipeline", _ label: String = "cap") -> Double? {
                told.readings.first { $0.name == name && $0.attributes[key] == label }?.value
            }
            try require(value("phoenix_limit_admitted_series") == 2, "\(told)")
            try require(value("phoenix_limit_series_past") == 3, "\(told)")
            try require(value("phoenix_limit_metric_series_past", "metric", "m") == 3, "\(told)")
            try require(value("phoenix_limit_points_past_total", "cause", "metric") == 3, "\(told)")
        }
    }

    @Test func settingsSayWhatIsWrong() {
        func errors(_ limit: String) -> String {
            let text = """
                graph: g
                version: 1
                receivers: {synthetic: {}}
                processors: {limit: {from: synthetic\(limit)}}
                exporters: {debug: {from: limit}}
                """
            do {
                _ = try GraphLoader(NodeSpecs(.standard), files: [:]).load(text: text)
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors("").contains("nothing is limited"))
        #expect(errors(", total: -1").contains("a limit of -1 series"))
        #expect(errors(", attributes: {route: -5}").contains("a limit of -5 series"))
        #expect(errors(", total: 5") == "")
    }
}
