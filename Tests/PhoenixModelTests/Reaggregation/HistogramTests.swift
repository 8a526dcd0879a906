import PhoenixModel
import Testing

/// Histograms: counts at shared bounds are known, so they add exactly; what has other bounds stands beside.
@Suite struct HistogramTests {
    private struct Observed {
        var name: String
        var buckets: [UInt64]
        var layout: BucketLayout
        var time: Int64
        var start: Int64?
        var sum: Double = 0
        var flags: PointFlags = .hasSum
        /// Where it is not that of the buckets.
        var count: UInt64?
    }
    private static let coarse = BucketLayout(bounds: [10, 100])
    private static let fine = BucketLayout(bounds: [5, 10, 50, 100])
    private static let other = BucketLayout(bounds: [7, 70])

    private func send(_ feed: inout Feed, _ points: [Observed]) -> MetricBatch? {
        var parts = MetricBatch.Parts()
        for point in points {
            parts.histograms.series.append(feed.id(point.name))
            parts.histograms.times.append(Feed.moment(point.time))
            parts.histograms.starts.append(point.start.map(Feed.moment) ?? 0)
            parts.histograms.flags.append(point.flags)
            parts.histograms.counts.append(point.count ?? point.buckets.reduce(0, +))
            parts.histograms.sums.append(point.sum)
            parts.histograms.minima.append(0)
            parts.histograms.maxima.append(0)
            parts.histograms.layouts.append(point.layout)
            parts.histograms.offsets.append(parts.histograms.buckets.count)
            parts.histograms.buckets += point.buckets
        }
        return feed.apply(parts)
    }
    private func buckets(_ batch: MetricBatch?, _ index: Int = 0) -> [UInt64] {
        guard let points = batch?.histograms, index < points.count else { return [] }
        return Array(
            points.buckets[points.offsets[index]..<points.offsets[index] + points.layouts[index].bucketCount]
        )
    }

    @Test func equalBoundsAdd() {
        var feed = Feed("h", .histogram)
        feed.clock = 10
        let batch = send(
            &feed,
            [
                Observed(name: "a", buckets: [1, 2, 3], layout: Self.coarse, time: 10, start: 5, sum: 1.5),
                Observed(name: "b", buckets: [4, 0, 1], layout: Self.coarse, time: 10, start: 5, sum: 2),
            ]
        )
        #expect(buckets(batch) == [5, 2, 4])
        #expect(batch?.histograms.counts == [11])
        #expect(batch?.histograms.sums == [3.5])
    }
    @Test func boundsThatContainTheOutputsMergeOntoThem() {
        var feed = Feed("h", .histogram)
        feed.clock = 10
        let batch = send(
            &feed,
            [
                Observed(name: "a", buckets: [1, 2, 3], layout: Self.coarse, time: 10, start: 5),
                Observed(name: "b", buckets: [1, 2, 3, 4, 5], layout: Self.fine, time: 10, start: 5),
            ]
        )
        #expect(buckets(batch) == [4, 9, 8])
        #expect(feed.reaggregator.counts.unlikeLayouts == 0)
    }
    @Test func otherBoundsGoToAMarkedSibling() {
        var feed = Feed("h", .histogram)
        feed.clock = 10
        let batch = send(
            &feed,
            [
                Observed(name: "a", buckets: [1, 2, 3], layout: Self.coarse, time: 10, start: 5),
                Observed(name: "b", buckets: [4, 5, 6], layout: Self.other, time: 10, start: 5),
            ]
        )
        #expect(buckets(batch, 0) == [1, 2, 3])
        #expect(buckets(batch, 1) == [4, 5, 6])
        let sibling = batch.flatMap { feed.table.series($0.histograms.series[1]) }
        #expect(sibling?.attributes[Reaggregator.layoutAttribute] != nil)
        #expect(feed.reaggregator.counts.unlikeLayouts == 1)
    }
    @Test func aStreamThatChangesItsBoundsIsNotCountedAnew() {
        var feed = Feed("h", .histogram)
        func say(_ buckets: [UInt64], _ layout: BucketLayout, at time: Int64) -> MetricBatch? {
            feed.clock = UInt64(time)
            return send(&feed, [Observed(name: "a", buckets: buckets, layout: layout, time: time, start: 5)])
        }
        #expect(buckets(say([1, 1, 0], Self.coarse, at: 10)) == [1, 1, 0])
        // Bounds that say all that the first ones do.
        #expect(buckets(say([1, 2, 1, 0, 0], Self.fine, at: 20)) == [3, 1, 0])
        #expect(buckets(say([3, 2, 0], Self.coarse, at: 30)) == [3, 2, 0])
        // Bounds of which none is shared: of the growth no more is known than how much it is.
        let beside = say([1, 5, 1], Self.other, at: 40)
        #expect(buckets(beside) == [0, 0, 2])
        #expect(beside?.histograms.starts == [Feed.moment(30)])
        #expect(buckets(say([4, 3, 1], Self.coarse, at: 50)) == [3, 2, 1])
        #expect(feed.reaggregator.counts.resets == 0)
        // A count that fell is a reset all the same.
        #expect(buckets(say([1, 0, 1], Self.other, at: 60)) == [1, 0, 3])
        #expect(feed.reaggregator.counts.resets == 1)
    }
    @Test func oneBucketOfAllIsNone() {
        var feed = Feed("h", .histogram)
        feed.clock = 10
        for (index, count) in [1, 2, 3, 4].enumerated() {
            let layout = index % 2 == 0 ? BucketLayout(bounds: []) : .none
            let buckets = index % 2 == 0 ? [UInt64(count)] : []
            let time = Int64(10 + index)
            var observed = Observed(name: "a", buckets: buckets, layout: layout, time: time, start: 5)
            observed.count = UInt64(count)
            #expect(send(&feed, [observed])?.histograms.counts == [UInt64(count)])
        }
        #expect(feed.reaggregator.counts.unlikeLayouts == 0)
    }
    @Test func aBucketThatFellIsAResetThoughTheCountRose() {
        var feed = Feed("h", .histogram)
        _ = send(&feed, [Observed(name: "a", buckets: [5, 5, 0], layout: Self.coarse, time: 10)])
        let batch = send(&feed, [Observed(name: "a", buckets: [4, 9, 0], layout: Self.coarse, time: 20)])
        #expect(buckets(batch) == [4, 9, 0])
        #expect(feed.reaggregator.counts.resets == 1)
    }
    @Test func aBucketThatFellTellsAlsoWhereItIsShownAsOneWithAnother() {
        var feed = Feed("h", .histogram)
        _ = send(&feed, [Observed(name: "x", buckets: [0, 0, 0], layout: Self.coarse, time: 1)])
        _ = send(&feed, [Observed(name: "a", buckets: [5, 1, 0, 0, 0], layout: Self.fine, time: 10)])
        let batch = send(&feed, [Observed(name: "a", buckets: [1, 5, 0, 0, 0], layout: Self.fine, time: 20)])
        #expect(buckets(batch) == [6, 0, 0])
    }
    @Test func theSumIsThereOnlyWhileAllHaveOne() {
        var feed = Feed("h", .histogram)
        feed.clock = 10
        let batch = send(
            &feed,
            [
                Observed(name: "a", buckets: [1, 0, 0], layout: Self.coarse, time: 10, start: 5, sum: 3),
                Observed(name: "b", buckets: [1, 0, 0], layout: Self.coarse, time: 10, start: 5, flags: []),
            ]
        )
        #expect(batch?.histograms.flags == [.isNews])
    }
    @Test func windowsOfTwoBatchesAreTwoWindows() {
        var feed = Feed("h", .histogram, .delta)
        _ = send(&feed, [Observed(name: "a", buckets: [1, 0, 0], layout: Self.coarse, time: 10, start: 0)])
        let batch = send(
            &feed,
            [Observed(name: "b", buckets: [0, 1, 0], layout: Self.coarse, time: 10, start: 0)]
        )
        #expect(buckets(batch) == [0, 1, 0])
        #expect(batch?.histograms.times == [Feed.moment(10) + 1])
    }

    @Test func aWindowThatWentNowhereIsTaken() {
        var feed = Feed("h", .histogram, .delta)
        feed.resolve = { _ in nil }
        let first = Observed(name: "a", buckets: [1, 0, 0], layout: Self.coarse, time: 10, start: 0)
        let late = Observed(name: "a", buckets: [0, 7, 0], layout: Self.coarse, time: 20, start: 10)
        #expect(send(&feed, [first]) == nil)
        #expect(
            send(&feed, [Observed(name: "a", buckets: [2, 0, 0], layout: Self.coarse, time: 30, start: 20)])
                == nil
        )
        _ = feed.remap { _ in "all" }
        #expect(send(&feed, [first]) == nil)
        #expect(buckets(send(&feed, [late])) == [0, 7, 0])
        #expect(send(&feed, [late]) == nil)
        #expect(feed.reaggregator.counts.late == 2)
    }

    /// Random histories of several streams with coarse and fine bounds: the counts at the shared bounds add up.
    @Test func countsAreExactThroughRestartsAndChangesOfTheMapping() async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            var feed = Feed("h", .histogram)
            var expected: [UInt64] = [0, 0, 0]
            var last: [SeriesID: [UInt64]] = [:]
            var totals: [UInt64] = [0, 0, 0]
            var senders = Array(repeating: [UInt64](), count: 4)
            // The coarse one is first of each output, so that all others fit.
            feed.resolve = { _ in "0" }
            for step in 1...Int.random(in: 3...20, using: &random) {
                feed.clock = UInt64(step * 10)
                if Int.random(in: 0..<5, using: &random) == 0 {
                    let name = "\(Int.random(in: 0..<3, using: &random))"
                    _ = feed.remap { _ in name }
                }
                var points: [Observed] = []
                for index in 0..<4 where step == 1 || index == 0 || Bool.random(using: &random) {
                    let layout = index % 2 == 0 ? Self.coarse : Self.fine
                    let isRestart = senders[index].isEmpty || Int.random(in: 0..<6, using: &random) == 0
                    let before = isRestart ? Array(repeating: 0, count: layout.bucketCount) : senders[index]
                    let after = before.map { $0 + .random(in: 0...9, using: &random) }
                    for (place, (old, new)) in zip(before, after).enumerated() {
                        expected[index % 2 == 0 ? place : [0, 0, 1, 1, 2][place]] += new - old
                    }
                    let isNew = isRestart && !senders[index].isEmpty
                    senders[index] = after
                    let start: Int64? = isNew || step == 1 ? Int64(step * 10 - 4) : nil
                    points.append(
                        Observed(
                            name: "\(index)",
                            buckets: after,
                            layout: layout,
                            time: Int64(step * 10),
                            start: start
                        )
                    )
                }
                guard let batch = send(&feed, points) else { continue }
                for index in 0..<batch.histograms.count {
                    let id = batch.histograms.series[index]
                    let now = buckets(batch, index)
                    guard now.count == 3 else { continue }
                    for place in 0..<3 { totals[place] += now[place] - (last[id]?[place] ?? 0) }
                    last[id] = now
                }
            }
            #expect(totals == expected, "seed \(seed)")
            #expect(feed.reaggregator.counts.unlikeLayouts == 0, "seed \(seed)")
        }
    }
}
