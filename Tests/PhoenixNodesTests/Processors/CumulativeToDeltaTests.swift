import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct CumulativeToDeltaTests {
    /// The sums of the windows that came out, by metric.
    private static func sums(_ batches: [MetricBatch], _ table: SeriesTable) -> [String: Double] {
        var sums: [String: Double] = [:]
        for batch in batches {
            let points = batch.numbers
            for index in points.series.indices {
                guard let metric = table.series(points.series[index])?.metric, metric.temporality == .delta
                else {
                    continue
                }
                let bits = points.values[index]
                sums[metric.name, default: 0] +=
                    points.flags[index].contains(.isInteger)
                    ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
            }
        }
        return sums
    }

    /// Random processes, restarted now and then, through a line of heirs: the windows come to what the counters grew by, and
    /// totals made of them again do, too.
    @Test(arguments: 1...UInt64(8)) func windowsComeToWhatCountersGrewByThroughHeirs(seed: UInt64) throws {
        try World.run(seed: seed) { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let output = harness.read(RelabelingPort.output)
            let table = harness.context.series
            let names = SyntheticNames(table, lane: "synthetic")
            var load = SyntheticLoad.Settings()
            (load.hosts, load.profile.base, load.restarts) = (2, 12, 0.05)
            let source = Lock(SyntheticLoad(load, seed: seed, at: world.clock.unixNanoseconds))
            var other = CumulativeToDelta.Config()
            other.expiry = .seconds(600)
            let line = [
                Settings(CumulativeToDelta.Config()), Settings(other), Settings(CumulativeToDelta.Config()),
            ]
            try await harness.relay(CumulativeToDelta.self, line) { _ in
                for _ in 0..<4 {
                    let now = world.clock.unixNanoseconds
                    for parts in source.withLock({ $0.report(at: now, into: names) }) {
                        try await harness.feed(RelabelingPort.input, MetricBatch(parts))
                    }
                    try await world.clock.sleep(for: .seconds(15))
                }
            }
            let (sums, totals) = (Self.sums(output.messages, table), source.withLock { $0.totals })
            try require(sums["process.cpu.time"] == Double(totals.cpuTime) / 64, "\(sums) for \(totals)")
            let disk = Double(totals.bytesRead + totals.bytesWritten)
            try require(sums["process.disk.io"] == disk, "\(sums) for \(totals)")
            try await Self.makeTotals(of: output.messages, table, world, like: sums)
        }
    }
    private static func makeTotals(
        of windows: [MetricBatch],
        _ table: SeriesTable,
        _ world: World,
        like sums: [String: Double]
    ) async throws {
        let harness = NodeHarness(world.clock)
        harness.context.series = table
        harness.link(RelabelingPort.input)
        let output = harness.read(RelabelingPort.output)
        let node = try harness.make(DeltaToCumulative.self)
        try await harness.run(node) {
            for batch in windows { try await harness.feed(RelabelingPort.input, batch) }
        }
        var ledger = IncreaseLedger()
        for batch in output.messages { ledger.book(batch, table) }
        try require(ledger.totals == sums, "\(ledger.totals) for \(sums)")
        try require(ledger.resets == 0, "a total fell")
    }

    @Test(arguments: Reaggregator.FirstValue.allCases) func theFirstValueCountsAsTheGraphSays(
        _ choice: Reaggregator.FirstValue
    ) throws {
        let shown = try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let output = harness.read(RelabelingPort.output)
            var config = CumulativeToDelta.Config()
            config.initialValue = choice
            let node = try harness.make(CumulativeToDelta.self, config)
            try await harness.run(node) {
                try await world.clock.sleep(for: .seconds(10))
                let text = """
                    new{} sum cumulative monotonic start=5s time=10s 1
                    old{} sum cumulative monotonic start=-5s time=10s 2
                    none{} sum cumulative monotonic time=10s 4
                    """
                try await harness.feed(RelabelingPort.input, PointText.batch(text, harness.context.series))
            }
            return output.messages.map { PointText.text($0, harness.context.series) }
        }
        let (new, old) = (
            "new{} sum delta monotonic start=5s time=10s 1", "old{} sum delta monotonic start=-5s time=10s 2"
        )
        switch choice {
        case .auto: #expect(shown == [new])
        case .keep: #expect(shown == ["\(new)\nnone{} sum delta monotonic time=10s 4\n\(old)"])
        case .drop: #expect(shown.isEmpty)
        }
    }
}
