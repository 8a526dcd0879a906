import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// The node around the store; what a scrape gets is tested where it is written.
@Suite struct PrometheusTests {
    /// The exposed series that the node told, second by second.
    private static func told(
        _ config: Prometheus.Config,
        _ body: @escaping @Sendable (NodeHarness, World) async throws -> Void
    ) throws -> [Double] {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(Prometheus.Port.input)
            let output = harness.read(Prometheus.Port.observations)
            let node = try harness.make(Prometheus.self, config)
            try await harness.run(node) { try await body(harness, world) }
            return output.messages.compactMap { observation in
                observation.readings.first { $0.name == "phoenix_exposed_series" }?.value
            }
        }
    }

    @Test func seriesExpireByTheClockThoughNobodyScrapes() throws {
        var config = Prometheus.Config()
        config.metricExpiration = .seconds(3)
        let told = try Self.told(config) { harness, world in
            let batch = try PointText.batch(
                "a{} gauge time=0s 1\nb{} gauge time=0s 1",
                harness.context.series
            )
            try await harness.feed(Prometheus.Port.input, batch)
            try await world.clock.sleep(for: .milliseconds(6500))
        }
        #expect(told.prefix(2) == [2, 2])
        #expect(told.suffix(2) == [0, 0])
        #expect(zip(told, told.dropFirst()).allSatisfy { $0 >= $1 })
    }

    @Test func holdsNoMoreThanItMay() throws {
        var config = Prometheus.Config()
        config.maxSeries = 2
        let told = try Self.told(config) { harness, world in
            let text = (0..<5).map { "m\($0){} gauge time=0s 1" }.joined(separator: "\n")
            try await harness.feed(
                Prometheus.Port.input,
                try PointText.batch(text, harness.context.series)
            )
            try await world.clock.sleep(for: .milliseconds(1500))
        }
        #expect(told == [2])
    }

    /// An endpoint for observers' metrics dropped the pipelines' latency, since it had a figure of that name of its own.
    @Test func itsOwnNamesLeaveThoseOfObserversFree() {
        var board = KPIBoard(KPIBoard.Rules())
        let told = ["phoenix_exposed_series", "phoenix_exposed_latency_seconds", "phoenix_received_points_total"]
        let readings = told.map { Observation.Reading($0, 1, ["pipeline": "full", "share": "0.5"]) }
        board.take(Observation(source: "endpoint", timeUnixNano: 0, readings: readings), at: .zero)
        let names = Set(board.report(at: .zero, own: nil).readings.map(\.name))
        #expect(names.isSuperset(of: ["phoenix_pipeline_latency_seconds", "phoenix_pipeline_received_points_total"]))
        #expect(names.isDisjoint(with: PrometheusFace.Names(Prometheus.Config()).reserved))
    }

    /// They were written as they were given, and the whole endpoint could not be read.
    @Test(arguments: ["my-app", "my.app", "9app", "métr", "a b"])
    func itsOwnNamesAreThoseOfPrometheus(_ namespace: String) throws {
        for strategy in Prometheus.Strategy.allCases {
            var config = Prometheus.Config()
            (config.namespace, config.translationStrategy) = (namespace, strategy)
            config.activeSeriesMetric = "my-series"
            let harness = NodeHarness(ManualClock())
            let store = ExpositionStore(Prometheus.options(config))
            let face = PrometheusFace(config, store, harness.context)
            let names = face.contents.families.map(\.name)
            let legal = #/[a-zA-Z_:][a-zA-Z0-9_:]*/#
            for name in names { #expect(name.wholeMatch(of: legal) != nil, "\(name)") }
            #expect(names.contains("my_series"))
            #expect(Set(names).count == names.count)
            #expect(Prometheus.options(config).reservedNames.isSuperset(of: names))
        }
    }

    /// The number of its series under a name that it has already made two families of one.
    @Test(arguments: ["phoenix_exposed_series", "phoenix-received.points_total", "target_info", "-"])
    func aNameForItsSeriesMustBeFree(_ name: String) {
        var config = Prometheus.Config()
        config.activeSeriesMetric = name
        var report = Report()
        let mark = Mark(file: "g", line: 1, column: 1)
        config.check(FieldMarks(node: mark, fields: [:]), &report)
        #expect(report.diagnostics.count == 1)
    }

    @Test func namesWhatAnotherGraphWouldForget() {
        var (old, new) = (Prometheus.Config(), Prometheus.Config())
        #expect(Prometheus.inheritance(from: Settings(old), to: Settings(new)) == .everything)
        old.namespace = "before"
        new.namespace = "after"
        #expect(Prometheus.inheritance(from: Settings(old), to: Settings(new)) != .everything)
    }
}
