import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// Nodes that bring their series in another form, and merge them for it.
extension RestartTests {
    @Test(arguments: 1...UInt64(10)) func anIntervalAndARolloutGoOnWhereTheyWere(seed: UInt64) throws {
        try live(Interval.self, seed: seed, lostRounds: 0...3) { random in
            var config = Interval.Config()
            config.interval = .seconds(Int.random(in: 1...20, using: &random))
            return Settings(config)
        }
        try live(Rollout.self, seed: seed, lostRounds: 0...3) { _ in
            var config = Rollout.Config()
            config.share = 0
            return Settings(config)
        }
    }
    @Test func windowsAreAddedToTheTotalOfTheProcessBefore() throws {
        try World.run(seed: 1) { world in
            let began = world.clock.unixNanoseconds
            let saved = Lock<[UInt8]?>(nil)
            var (totals, starts): ([UInt64], Set<UInt64>) = ([], [])
            for process in 0..<3 {
                let harness = NodeHarness(world.clock)
                harness.context.series = SeriesTable()
                harness.link(RelabelingPort.input)
                let output = harness.read(RelabelingPort.output)
                let node = try harness.make(DeltaToCumulative.self)
                if let bytes = saved.withLock({ $0 }) { try await Self.inherit(node, bytes, harness) }
                try await harness.run(node) {
                    for round in 0..<3 {
                        let table = harness.context.series
                        let identity = MetricIdentity(name: "sold", kind: .sum, temporality: .delta, isMonotonic: true)
                        let id = table.id(resource: table.intern([]), metric: table.metric(identity), attributes: table.intern([]))
                        let window = UInt64(process * 3 + round)
                        var parts = MetricBatch.Parts()
                        parts.numbers.append(
                            try #require(id),
                            time: began + (window + 1) * 10_000_000_000,
                            start: began + window * 10_000_000_000,
                            bits: 1 << window,
                            flags: .isInteger
                        )
                        try await world.clock.sleep(for: .seconds(10))
                        try await harness.feed(RelabelingPort.input, MetricBatch(parts))
                    }
                    try await world.clock.sleep(for: .milliseconds(1))
                    let bytes = try await node.picture().map(Self.written)
                    saved.withLock { $0 = bytes }
                }
                for batch in output.messages {
                    totals += batch.numbers.values
                    starts.formUnion(batch.numbers.starts)
                }
            }
            try require(totals == (1...9).map { (1 << UInt64($0)) - 1 }, "\(totals)")
            // A process that begins anew would say so with a start of its own.
            try require(starts.count == 1 && starts.allSatisfy { $0 < began + 10_000_000_000 }, "\(starts)")
        }
    }
}
