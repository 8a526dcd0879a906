import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct CardinalityTests {
    private static func value(
        _ observation: Observation,
        _ name: String,
        _ labels: [String: String] = [:]
    ) -> Double? {
        observation.readings.first { $0.name == name && $0.attributes == labels }?.value
    }
    /// `count` processes of `host`, each with two metrics.
    private static func batch(
        _ count: Int,
        host: String,
        executable: String = "java",
        from first: Int = 0,
        _ table: SeriesTable
    )
        throws -> MetricBatch
    {
        let lines = (first..<first + count).flatMap { pid in
            ["cpu", "threads"].map {
                "\($0){resource: host.name=\(host), process.executable.name=\(executable), process.pid=\(pid)} gauge 1"
            }
        }
        return try PointText.batch(lines.joined(separator: "\n"), table)
    }

    /// Against a set of what was seen and when, in random order.
    @Test(arguments: UInt64(1)...10) func itCountsLikeASet(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let table = SeriesTable()
        var census = CardinalityCensus(
            table,
            process: ["host.name"],
            .init(metrics: 3, processes: 4, labels: 5)
        )
        var oracle: [SeriesID: (metric: String, host: String, seen: UInt32)] = [:]
        for step in UInt32(1)...300 {
            let (host, metric) = (
                "h\(Int.random(in: 0..<6, using: &random))", "m\(Int.random(in: 0..<5, using: &random))"
            )
            let line =
                "\(metric){resource: host.name=\(host); pid=\(Int.random(in: 0..<20, using: &random))} gauge 1"
            let batch = try PointText.batch(line, table)
            census.take(batch, at: step)
            oracle[batch.numbers.series[0]] = (metric, host, step)
            census.expire(at: step, window: 40)
            oracle = oracle.filter { step - $0.value.seen <= 40 }
            let count = census.count
            #expect(count == oracle.count, "seed \(seed), step \(step)")
            // Names have bounds; what is counted under a name is right, and nothing is lost in all.
            for (name, number) in census.metrics.all {
                #expect(
                    number <= oracle.values.filter { $0.metric == name }.count,
                    "seed \(seed), step \(step)"
                )
            }
            let total = census.metrics.counts.reduce(0, +)
            #expect(total == oracle.count, "seed \(seed), step \(step)")
            let processes = (census.processes.all.count, census.processes.counts.reduce(0, +))
            #expect(processes.0 <= 4 && processes.1 == oracle.count)
        }
        let (born, died, count) = (census.born, census.died, census.count)
        #expect(Int(born - died) == count)
    }

    @Test(arguments: [10, 1000, 100_000]) func valuesAreEstimatedToFiveStandardErrors(_ count: Int) {
        var values = HyperLogLog()
        var random = SeededGenerator(seed: UInt64(count))
        for _ in 0..<count {
            let hash = UInt64.random(in: .min ... .max, using: &random)
            values.insert(hash)
            values.insert(hash)
        }
        let error = abs(values.estimate / Double(count) - 1)
        #expect(error < 5 * HyperLogLog.standardError, "\(values.estimate) of \(count)")
    }

    @Test func theBeginningIsNoGrowth() {
        var trend = CardinalityTrend(window: .seconds(60), least: 10)
        for second in stride(from: 0, to: 60, by: 5) {
            trend.note(Double(second) * 100, at: .seconds(second))
            #expect(trend.growth == 1)
        }
        for second in stride(from: 60, to: 200, by: 5) { trend.note(6000, at: .seconds(second)) }
        #expect(trend.growth == 1)
        trend.note(18_000, at: .seconds(200))
        #expect(trend.growth == 3)
        // The ramp of the beginning is part of the deviation.
        #expect(trend.zScore > 3)
    }

    @Test func anExplosionIsAlertedAndNamesWhatGrew() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(Cardinality.Port.input)
            let told = harness.read(ObserverPort.observations)
            let shown = harness.read(ObserverPort.metrics)
            var config = Cardinality.Config()
            (config.explosionSeries, config.highRiskSeries, config.highRiskLeast) = (60, 5000, 50)
            let node = try harness.make(Cardinality.self, config)
            let table = harness.context.series
            try await harness.run(node) {
                for round in 0..<40 {
                    try await harness.feed(Cardinality.Port.input, try Self.batch(30, host: "a", table))
                    if round > 30 {
                        let many = try Self.batch(100, host: "b", executable: "leaky", from: 100, table)
                        try await harness.feed(Cardinality.Port.input, many)
                    }
                    try await world.clock.sleep(for: .seconds(10))
                }
            }
            let quiet = told.messages.prefix {
                $0.timeUnixNano < world.clock.unixNanoseconds - 95_000_000_000
            }
            try require(quiet.allSatisfy { $0.alerts.isEmpty }, "alerted early")
            let alerted = told.messages.first { !$0.alerts.isEmpty }
            guard let alerted else { throw Unexpected("no alert") }
            try require(alerted.alerts[0].name == KPIName.explosionAlert, "\(alerted.alerts)")
            try require(alerted.alerts[0].reason.contains("process.pid"), "\(alerted.alerts)")
            try require(Self.value(alerted, KPIName.intake) == 260, "\(alerted.readings)")
            try require(Self.value(alerted, KPIName.highRisk) == 1, "\(alerted.readings)")
            try require(
                Self.value(alerted, "phoenix_cardinality_series", ["metric": "cpu"]) == 130,
                "\(alerted.readings)"
            )
            try require(
                Self.value(alerted, "phoenix_cardinality_label_values", ["label": "host.name"]) == 2,
                "labels"
            )
            try require(
                Self.value(alerted, "phoenix_cardinality_process_series", ["process": "b/leaky"]) == 200,
                "\(alerted.readings)"
            )
            try require(!shown.messages.isEmpty, "no metrics")
        }
    }

    @Test func whatDoesNotComeAnyMoreCountsNoMore() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(Cardinality.Port.input)
            let told = harness.read(ObserverPort.observations)
            var config = Cardinality.Config()
            config.aliveWithin = .seconds(20)
            let node = try harness.make(Cardinality.self, config)
            try await harness.run(node) {
                let batch = try Self.batch(10, host: "a", harness.context.series)
                try await harness.feed(Cardinality.Port.input, batch)
                try await world.clock.sleep(for: .seconds(120))
            }
            let counts = told.messages.compactMap { Self.value($0, KPIName.intake) }
            try require(counts.prefix(4) == [20, 20, 20, 20] && counts.last == 0, "\(counts)")
            // Labels are counted anew once in a window.
            let labels = told.messages.last.flatMap {
                Self.value($0, "phoenix_cardinality_label_values", ["label": "process.pid"])
            }
            try require(labels == nil, "\(String(describing: labels))")
        }
    }
}
