import PhoenixModel
import Testing

/// Sums of increments: what comes is added once, in windows that follow each other.
@Suite struct DeltaTests {
    private static func delta() -> Feed { Feed("bytes", .sum, .delta) }

    @Test func equalWindowsAddUp() {
        var feed = Self.delta()
        let shown = feed.send(.init("a", .int(5), at: 10, since: 0), .init("b", .int(7), at: 10, since: 0))
        #expect(shown.map(\.integer) == [12])
        #expect(shown.map(\.start) == [Feed.moment(0)])
        #expect(shown.map(\.time) == [Feed.moment(10)])
    }
    @Test func unlikeWindowsAreUnited() {
        var feed = Self.delta()
        let shown = feed.send(.init("a", .int(5), at: 10, since: 2), .init("b", .int(7), at: 12, since: 4))
        #expect(shown.map(\.start) == [Feed.moment(2)])
        #expect(shown.map(\.time) == [Feed.moment(12)])
    }
    @Test func theSameWindowOfTwoBatchesIsNoRepetitionForAReader() {
        var feed = Self.delta()
        let first = feed.send(.init("a", .int(5), at: 10, since: 0))
        let second = feed.send(.init("b", .int(7), at: 10, since: 0))
        #expect(second.map(\.integer) == [7])
        #expect(second[0].start == first[0].time)
        #expect(second[0].time == first[0].time + 1)
    }
    @Test func aRepeatedWindowIsIgnoredThoughOthersCameBetween() {
        var feed = Self.delta()
        _ = feed.send(.init("a", .int(5), at: 10, since: 0), .init("a", .int(6), at: 20, since: 10))
        #expect(feed.send(.init("a", .int(5), at: 10, since: 0)).isEmpty)
        #expect(feed.reaggregator.counts.late == 1)
    }
    @Test func aLateWindowFillsItsGapOnce() {
        var feed = Self.delta()
        _ = feed.send(.init("a", .int(5), at: 10, since: 0), .init("a", .int(6), at: 30, since: 20))
        #expect(feed.send(.init("a", .int(9), at: 20, since: 10)).map(\.integer) == [9])
        #expect(feed.send(.init("a", .int(9), at: 20, since: 10)).isEmpty)
    }
    /// It was dropped, and counted as that: once more it is a repetition, as it is to those who counted it.
    @Test func aWindowThatWentNowhereIsTaken() {
        var feed = Self.delta()
        feed.resolve = { _ in nil }
        let repeated = Feed.Point("a", .int(5), at: 10, since: 0)
        #expect(feed.send(repeated).isEmpty)
        _ = feed.remap { _ in "all" }
        #expect(feed.send(repeated).isEmpty)
        #expect(feed.reaggregator.counts.late == 1)
        #expect(feed.send(.init("a", .int(6), at: 20, since: 10)).map(\.integer) == [6])
    }
    @Test func aWindowThatIsLateCountsWhereItsStreamGoesWhenItComes() {
        var feed = Self.delta()
        _ = feed.send(.init("a", .int(5), at: 10, since: 0))
        _ = feed.remap { _ in nil }
        #expect(feed.send(.init("a", .int(6), at: 30, since: 20)).isEmpty)
        _ = feed.remap { _ in "all" }
        #expect(feed.send(.init("a", .int(9), at: 20, since: 10)).map(\.integer) == [9])
        #expect(feed.send(.init("a", .int(6), at: 30, since: 20)).isEmpty)
        #expect(feed.send(.init("a", .int(9), at: 20, since: 10)).isEmpty)
    }
    @Test func incrementsMayBeNegativeWhereTheSumMayFall() {
        var feed = Feed("level", .sum, .delta, isMonotonic: false)
        #expect(feed.send(.init("a", .int(-5), at: 10, since: 0)).map(\.integer) == [-5])
        var monotonic = Self.delta()
        #expect(monotonic.send(.init("a", .int(-5), at: 10, since: 0)).isEmpty)
        #expect(monotonic.reaggregator.counts.invalid == 1)
    }

    /// Random histories: each window is sent, some twice, some after the next one; the batches go on to a second
    /// reaggregator, which must come to the same.
    @Test func everyWindowIsCountedOnceAlsoBehindAnother() async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            var feed = Self.delta()
            var behind = Reaggregator(table: feed.table, lane: "behind", watchingSince: Feed.began)
            var ends: [Int: Int64] = [:]
            var (sent, shown, chained): (Int64, Int64, Int64) = (0, 0, 0)
            var lastTime: [SeriesID: UInt64] = [:]
            for step in 1...Int.random(in: 3...20, using: &random) {
                var parts = MetricBatch.Parts()
                feed.clock = UInt64(step * 10)
                for name in 0..<4 where Bool.random(using: &random) {
                    var windows: [(start: Int64, end: Int64, value: Int64)] = []
                    var end = ends[name] ?? 0
                    for _ in 0..<Int.random(in: 1...2, using: &random) {
                        let start = end + (Int.random(in: 0..<4, using: &random) == 0 ? 3 : 0)
                        end = start + .random(in: 1...9, using: &random)
                        windows.append((start, end, .random(in: 0...1000, using: &random)))
                    }
                    ends[name] = end
                    sent += windows.reduce(0) { $0 + $1.value }
                    // Out of order only over a gap: what follows without one has been told to be whole.
                    if windows.count == 2, Bool.random(using: &random) { windows.swapAt(0, 1) }
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        windows.append(windows[windows.count - 1])
                    }
                    for window in windows {
                        parts.numbers.append(
                            feed.id("\(name)"),
                            time: Feed.moment(window.end),
                            start: Feed.moment(window.start),
                            bits: UInt64(bitPattern: window.value),
                            flags: .isInteger
                        )
                    }
                }
                guard let batch = feed.apply(parts) else { continue }
                for index in 0..<batch.numbers.count {
                    shown += Int64(bitPattern: batch.numbers.values[index])
                    let id = batch.numbers.series[index]
                    #expect(batch.numbers.starts[index] >= lastTime[id] ?? 0, "seed \(seed): windows overlap")
                    lastTime[id] = batch.numbers.times[index]
                }
                let passed = behind.apply(batch, now: feed.now) {
                    .output(resource: $0.resource, attributes: $0.attributes)
                }
                for value in passed?.numbers.values ?? [] { chained += Int64(bitPattern: value) }
            }
            #expect(shown == sent, "seed \(seed)")
            #expect(chained == sent, "seed \(seed), chained")
        }
    }
}
