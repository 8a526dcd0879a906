import PhoenixModel
import Testing

/// Exponential histograms: no count is lost in finding a scale that fits all.
@Suite struct ExponentialTests {
    private func send(
        _ feed: inout Feed,
        _ name: String,
        scale: Int32,
        offset: Int32,
        _ counts: [UInt64],
        at time: Int64,
        zero: UInt64 = 0
    ) -> MetricBatch? {
        var parts = MetricBatch.Parts()
        parts.exponentials.series.append(feed.id(name))
        parts.exponentials.times.append(Feed.moment(time))
        parts.exponentials.starts.append(Feed.moment(1))
        parts.exponentials.flags.append([])
        parts.exponentials.counts.append(counts.reduce(zero, +))
        parts.exponentials.sums.append(0)
        parts.exponentials.minima.append(0)
        parts.exponentials.maxima.append(0)
        parts.exponentials.scales.append(scale)
        parts.exponentials.zeroCounts.append(zero)
        parts.exponentials.zeroThresholds.append(0)
        parts.exponentials.positives.append(.init(offset: offset, start: 0, count: counts.count))
        parts.exponentials.negatives.append(.init())
        parts.exponentials.buckets = counts
        return feed.apply(parts)
    }
    @Test func theFinerIsBroughtToTheCoarserScale() {
        var feed = Feed("e", .exponentialHistogram)
        feed.clock = 100
        _ = send(&feed, "a", scale: 1, offset: -1, [1, 2, 3], at: 10)
        let batch = send(&feed, "b", scale: 0, offset: 0, [5], at: 10)
        // At scale 0 the buckets -1, 0 and 1 of scale 1 are -1, 0 and 0.
        #expect(batch?.exponentials.scales == [0])
        #expect(batch?.exponentials.buckets == [1, 10])
        #expect(batch?.exponentials.positives.map(\.offset) == [-1])
    }
    @Test func bucketsFarApartNeedNoRoomBetweenThem() {
        var feed = Feed("e", .exponentialHistogram)
        feed.clock = 100
        _ = send(&feed, "a", scale: 20, offset: -(1 << 29), [1], at: 10)
        let batch = send(&feed, "b", scale: 20, offset: 1 << 29, [2], at: 10)
        #expect(batch?.exponentials.counts == [3])
        #expect(batch?.exponentials.buckets.reduce(0, +) == 3)
        #expect((batch?.exponentials.buckets.count ?? 0) <= 160)
    }
    /// Random streams of several scales: the counts below each power of two add up.
    @Test func noCountIsLost() async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            var feed = Feed("e", .exponentialHistogram)
            var senders: [String: (scale: Int32, counts: [UInt64])] = [:]
            var (expected, shown): (UInt64, UInt64) = (0, 0)
            for step in 1...Int.random(in: 2...12, using: &random) {
                feed.clock = UInt64(step * 10)
                let name = "\(Int.random(in: 0..<3, using: &random))"
                var sender =
                    senders[name] ?? (.random(in: -2...4, using: &random), Array(repeating: 0, count: 12))
                for index in sender.counts.indices {
                    let added = UInt64.random(in: 0...5, using: &random)
                    sender.counts[index] += added
                    expected += added
                }
                senders[name] = sender
                guard
                    let points = send(
                        &feed,
                        name,
                        scale: sender.scale,
                        offset: -6,
                        sender.counts,
                        at: Int64(step * 10)
                    )?
                    .exponentials
                else { continue }
                shown = points.counts[0]
                #expect(points.buckets.reduce(points.zeroCounts[0], +) == points.counts[0], "seed \(seed)")
            }
            #expect(shown == expected, "seed \(seed)")
        }
    }
}
