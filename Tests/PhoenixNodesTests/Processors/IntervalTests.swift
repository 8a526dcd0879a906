import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct IntervalTests {
    /// Random processes report at random moments. After every end of an interval all that came before it is out, and nothing
    /// that came later: increases over whole intervals are equal. No series comes twice in one.
    @Test(arguments: 1...UInt64(8)) func increasesOverWholeIntervalsAreEqual(seed: UInt64) throws {
        try World.run(seed: seed) { world in
            var random = world.random
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let output = harness.read(RelabelingPort.output)
            let table = harness.context.series
            let names = SyntheticNames(table, lane: "synthetic")
            var load = SyntheticLoad.Settings()
            (load.hosts, load.profile.base, load.restarts) = (2, 8, 0.05)
            let source = Lock(SyntheticLoad(load, seed: seed, at: world.clock.unixNanoseconds))
            var config = Interval.Config()
            config.interval = .seconds(20)
            let ends = (1...12).map { _ in Int.random(in: 0...4, using: &random) }
            let moments = ends.map { count in
                (0..<count).map { _ in UInt64.random(in: 2..<20_000, using: &random) }.sorted()
            }
            let node = try harness.make(Interval.self, config)
            let booked = Lock((input: IncreaseLedger(), read: 0, output: IncreaseLedger()))
            try await harness.run(node) {
                let began = world.clock.unixNanoseconds
                func sleep(until moment: UInt64) async throws {
                    let now = world.clock.unixNanoseconds
                    try await world.clock.sleep(for: .nanoseconds(Int64(moment - now)))
                }
                for (index, window) in moments.enumerated() {
                    let begin = began + UInt64(index) * 20_000_000_000
                    for moment in window {
                        try await sleep(until: begin + moment * 1_000_000)
                        let now = world.clock.unixNanoseconds
                        for parts in source.withLock({ $0.report(at: now, into: names) }) {
                            let batch = MetricBatch(parts)
                            booked.withLock { $0.input.book(batch, table) }
                            try await harness.feed(RelabelingPort.input, batch)
                        }
                    }
                    // To the end, and the tick that finds it.
                    try await sleep(until: begin + 20_001_000_000)
                    let messages = output.messages
                    let (due, found, batches) = booked.withLock { booked in
                        let new = messages[booked.read...]
                        for batch in new { booked.output.book(batch, table) }
                        booked.read = messages.count
                        return (booked.input.totals, booked.output.totals, Array(new))
                    }
                    try require(found == due, "\(found) for \(due)")
                    try require(batches.count <= 1, "\(batches.count) batches in one interval")
                    for batch in batches {
                        let ids = batch.numbers.series
                        try require(Set(ids).count == ids.count, "a series came twice")
                    }
                }
            }
        }
    }

    @Test func whatIsHeldGoesToTheHeir() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let output = harness.read(RelabelingPort.output)
            var (long, short) = (Interval.Config(), Interval.Config())
            (long.interval, short.interval) = (.seconds(600), .seconds(1))
            try await harness.relay(Interval.self, [Settings(long), Settings(short)]) { leg in
                if leg == 0 {
                    let text = "m{} sum cumulative monotonic start=1s time=1s 7"
                    try await world.clock.sleep(for: .seconds(1))
                    try await harness.feed(
                        RelabelingPort.input,
                        PointText.batch(text, harness.context.series)
                    )
                }
                try await world.clock.sleep(for: .seconds(3))
                try require(output.messages.count == leg, "\(output.messages.count) in leg \(leg)")
            }
            try require(output.messages.count == 1, "\(output.messages.count)")
        }
    }
}
