import PhoenixModel
import Testing

/// A series is of one kind. A node that tells one id in two sections is mistaken: that stops nothing, and no total is wrong.
@Suite struct MixedKindTests {
    private static let layout = BucketLayout(bounds: [10])
    private static func histogram(_ id: SeriesID, _ counts: [UInt64], at time: Int64) -> MetricBatch.Parts {
        var parts = MetricBatch.Parts()
        parts.histograms.series = [id]
        (parts.histograms.times, parts.histograms.starts) = ([Feed.moment(time)], [Feed.moment(1)])
        (parts.histograms.flags, parts.histograms.counts) = ([.hasSum], [counts.reduce(0, +)])
        (parts.histograms.sums, parts.histograms.minima, parts.histograms.maxima) = ([0], [0], [0])
        (parts.histograms.layouts, parts.histograms.offsets) = ([layout], [0])
        parts.histograms.buckets = counts
        return parts
    }
    private static func exponential(_ id: SeriesID, _ count: UInt64, at time: Int64) -> MetricBatch.Parts {
        var parts = MetricBatch.Parts()
        parts.exponentials.series = [id]
        (parts.exponentials.times, parts.exponentials.starts) = ([Feed.moment(time)], [Feed.moment(1)])
        (parts.exponentials.flags, parts.exponentials.counts) = ([.hasSum], [count])
        (parts.exponentials.sums, parts.exponentials.minima, parts.exponentials.maxima) = ([0], [0], [0])
        (parts.exponentials.scales, parts.exponentials.zeroCounts) = ([0], [0])
        (parts.exponentials.zeroThresholds, parts.exponentials.negatives) = ([0], [.init()])
        parts.exponentials.positives = [.init(offset: 0, start: 0, count: 1)]
        parts.exponentials.buckets = [count]
        return parts
    }
    private static func summary(_ id: SeriesID, _ count: UInt64, at time: Int64) -> MetricBatch.Parts {
        var parts = MetricBatch.Parts()
        parts.summaries.series = [id]
        (parts.summaries.times, parts.summaries.starts) = ([Feed.moment(time)], [Feed.moment(1)])
        (parts.summaries.flags, parts.summaries.counts) = ([.hasSum], [count])
        (parts.summaries.sums, parts.summaries.offsets) = ([0], [0])
        return parts
    }
    private static func others(_ id: SeriesID, at time: Int64) -> [MetricBatch.Parts] {
        [exponential(id, 900, at: time), summary(id, 900, at: time)]
    }
    private func buckets(_ batch: MetricBatch?) -> [UInt64] { batch.map { $0.histograms.buckets } ?? [] }

    @Test func onlyPointsOfTheMetricsKindCount() {
        var feed = Feed("h", .histogram)
        let id = feed.id("a")
        for parts in Self.others(id, at: 9) { #expect(feed.apply(parts) == nil) }
        #expect(feed.reaggregator.counts.invalid == 2)
        #expect(buckets(feed.apply(Self.histogram(id, [1, 2], at: 10))) == [0, 0])
        for parts in Self.others(id, at: 15) { #expect(feed.apply(parts) == nil) }
        #expect(buckets(feed.apply(Self.histogram(id, [3, 5], at: 20))) == [2, 3])
    }
    @Test func aKindThatWentNowhereLastDoesNotReplaceWhatIsRemembered() {
        var feed = Feed("h", .histogram)
        let id = feed.id("a")
        feed.resolve = { _ in nil }
        #expect(feed.apply(Self.histogram(id, [1, 2], at: 10)) == nil)
        for parts in Self.others(id, at: 15) { #expect(feed.apply(parts) == nil) }
        _ = feed.remap { _ in "all" }
        #expect(buckets(feed.apply(Self.histogram(id, [3, 5], at: 20))) == [2, 3])
    }
    @Test func aLastPointOfAnotherKindCountsAsNone() {
        for index in 0..<2 {
            var feed = Feed("h", .histogram)
            let id = feed.id("a")
            feed.resolve = { _ in nil }
            #expect(feed.apply(Self.others(id, at: 9)[index]) == nil)
            _ = feed.remap { _ in "all" }
            // What it counted by then may have been told.
            #expect(buckets(feed.apply(Self.histogram(id, [1, 2], at: 10))) == [0, 0])
            #expect(buckets(feed.apply(Self.histogram(id, [3, 5], at: 20))) == [2, 3])
        }
    }
    @Test func aSumInTheSectionOfHistogramsIsNone() {
        var feed = Feed("s", .sum)
        let id = feed.id("a")
        #expect(feed.send(.init("a", .int(5), at: 10, since: 1)).map(\.integer) == [0])
        #expect(feed.apply(Self.histogram(id, [1, 2], at: 15)) == nil)
        #expect(feed.send(.init("a", .int(7), at: 20, since: 1)).map(\.integer) == [2])
        #expect(feed.reaggregator.counts.invalid == 1)
    }
    @Test func whatOthersPassOnIsWatchedByItsKind() {
        var feed = Feed("h", .histogram)
        let id = feed.id("a")
        let all = Destination.output(resource: .empty, attributes: AttributeSet([Attribute("out", "all")]))
        for parts in [Self.histogram(id, [1, 2], at: 10)] + Self.others(id, at: 15) {
            _ = feed.reaggregator.watch(MetricBatch(parts), now: feed.now) { _ in all }
        }
        #expect(buckets(feed.apply(Self.histogram(id, [3, 5], at: 20))) == [2, 3])
    }
}
