import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// The judge of a pipeline: it must find nothing where nothing is lost, and what is lost to the last point.
@Suite struct FidelityTests {
    private static func config(_ change: (inout Fidelity.Config) -> Void = { _ in }) -> Fidelity.Config {
        var config = Fidelity.Config()
        (config.pipelines, config.warmup) = (["reduced"], .zero)
        change(&config)
        return config
    }

    /// What the observer tells at the end of a load that goes through a processor, and past it.
    ///
    /// `lose` takes points out of what the processor sends.
    private static func told<Kind: Node>(
        _ type: Kind.Type,
        _ settings: Settings<Kind.Config>,
        modes: Bool = true,
        restarts: Double = 0.05,
        lose: @escaping @Sendable (MetricBatch) -> MetricBatch? = { $0 }
    ) throws -> [Observation] {
        try World.run(seed: 3) { world in
            let processor = NodeHarness(world.clock, id: "processor")
            processor.link(RelabelingPort.input)
            processor.link(RelabelingPort.mode)
            let reduced = processor.read(RelabelingPort.output)
            let observer = NodeHarness(world.clock, id: "fidelity")
            observer.context.series = processor.context.series
            observer.link(Fidelity.Port.full)
            observer.link(Fidelity.Port.first)
            let output = observer.read(ObserverPort.observations)
            let (node, judge) = (
                try processor.make(type, settings), try observer.make(Fidelity.self, config())
            )
            var load = SyntheticLoad.Settings()
            (load.hosts, load.profile.base, load.restarts) = (2, 30, restarts)
            var source = SyntheticLoad(load, seed: 11, at: world.clock.unixNanoseconds)
            let names = SyntheticNames(processor.context.series, lane: "load")
            try await observer.run(judge) {
                try await processor.run(node) {
                    var sent = 0
                    for round in 0..<20 {
                        if modes, round % 4 == 3 {
                            let mode = Mode.allCases[round / 4 % 3]
                            try await processor.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                            try await world.clock.sleep(for: .milliseconds(100))
                        }
                        for parts in source.report(at: world.clock.unixNanoseconds, into: names) {
                            let epoch = world.clock.unixNanoseconds / 1_000_000_000
                            let batch = MetricBatch(parts, epoch: epoch)
                            try await observer.feed(Fidelity.Port.full, batch)
                            try await processor.feed(RelabelingPort.input, batch)
                        }
                        try await world.clock.sleep(for: .seconds(7))
                        for batch in reduced.messages[sent...] {
                            if let kept = lose(batch) { try await observer.feed(Fidelity.Port.first, kept) }
                        }
                        sent = reduced.messages.count
                        try await world.clock.sleep(for: .seconds(8))
                    }
                }
            }
            return output.messages
        }
    }
    private static func value(
        _ name: String,
        _ observation: Observation?,
        _ labels: [String: String] = [:]
    ) -> Double? {
        observation?.readings.first { reading in
            reading.name == name && labels.allSatisfy { reading.attributes[$0.key] == $0.value }
        }?.value
    }

    @Test func findsNothingWhereNothingIsLost() throws {
        var (base, lean) = (Aggregate.Config(), Aggregate.Config())
        (base.drop, lean.keep) = (["process.pid"], ["host.name"])
        let told = try Self.told(Aggregate.self, Settings(base, modes: [.aggressive: lean]))
        #expect(told.allSatisfy { Self.value("phoenix_conservation_error", $0) == 0 })
        #expect(told.allSatisfy { $0.alerts.isEmpty })
        #expect(try #require(Self.value("phoenix_fidelity_windows_total", told.last)) > 10)
        #expect(Self.value("phoenix_fidelity_unequal_windows_total", told.last) == 0)
        #expect(Self.value("phoenix_signal_preservation", told.last) == 1)
        let cpu = ["metric": "process.cpu.time"]
        #expect(Self.value("phoenix_metric_conservation_drift", told.last, cpu) == 0)
    }

    /// Sums of gauges are those of the members, whichever way they are added up; of processes that end without a word nobody
    /// knows to the second when they did.
    @Test func levelsAreTheSame() throws {
        var (base, lean) = (Aggregate.Config(), Aggregate.Config())
        (base.drop, lean.keep) = (["process.pid"], ["host.name"])
        let told = try Self.told(Aggregate.self, Settings(base, modes: [.aggressive: lean]), restarts: 0)
        let errors = told.compactMap { Self.value("phoenix_gauge_error", $0, ["metric": "process.threads"]) }
        #expect(errors.count > 10 && errors.allSatisfy { $0 == 0 }, "\(errors)")
    }

    @Test func tellsHowMuchIsLeftUnderItsOwnName() throws {
        var config = TopK.Config()
        (config.k, config.window) = (3, .seconds(60))
        let told = try Self.told(TopK.self, Settings(config), modes: false)
        #expect(
            Self.value("phoenix_fidelity_unequal_windows_total", told.last) == 0,
            "\(told.flatMap(\.alerts))"
        )
        let preserved = try #require(Self.value("phoenix_signal_preservation", told.last))
        #expect(preserved > 0 && preserved < 1)
    }

    @Test func findsWhatIsLostAndSaysOfWhichMetric() throws {
        var config = Aggregate.Config()
        config.drop = ["process.pid"]
        // Every second point of a sum is lost on the way.
        let told = try Self.told(Aggregate.self, Settings(config), modes: false) { batch in
            var parts = MetricBatch.Parts()
            let numbers = batch.numbers
            for index in numbers.series.indices where index % 2 == 0 {
                parts.numbers.append(
                    numbers.series[index],
                    time: numbers.times[index],
                    start: numbers.starts[index],
                    bits: numbers.values[index],
                    flags: numbers.flags[index]
                )
            }
            return MetricBatch(parts, epoch: batch.epoch)
        }
        #expect(try #require(Self.value("phoenix_fidelity_unequal_windows_total", told.last)) > 5)
        let worst = told.compactMap { Self.value("phoenix_conservation_error", $0) }.max() ?? 0
        #expect(worst > 0.1)
        let alerts = told.flatMap(\.alerts)
        #expect(alerts.contains { $0.name == "conservation" && $0.reason.contains("process.") })
    }

    @Test func aStreamThatStandsStillIsNotWaitedForForEver() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(Fidelity.Port.full)
            harness.link(Fidelity.Port.first)
            let output = harness.read(ObserverPort.observations)
            let node = try harness.make(Fidelity.self, Self.config { $0.patience = .seconds(20) })
            try await harness.run(node) {
                let text = "m{} sum cumulative monotonic start=0s time=10s 5"
                let batch = try PointText.batch(text, harness.context.series)
                try await world.clock.sleep(for: .seconds(10))
                try await harness.feed(Fidelity.Port.full, batch)
                try await world.clock.sleep(for: .seconds(40))
            }
            let forced = output.messages.compactMap {
                Self.value("phoenix_fidelity_forced_windows_total", $0)
            }
            try require(forced.last == 1, "forced \(forced)")
        }
    }
}
