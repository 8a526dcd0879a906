import PhoenixModel
import Testing

/// Exemplars go where their points go, and say what is left out there.
@Suite struct ExemplarTests {
    private static func exemplar(_ id: SeriesID, _ trace: UInt8, filtered: [Attribute] = []) -> Exemplar {
        Exemplar(
            series: id,
            timeUnixNano: Feed.moment(9),
            bits: 5,
            flags: .isInteger,
            traceID: Array(repeating: trace, count: 16),
            spanID: Array(repeating: trace, count: 8),
            filteredAttributes: AttributeSet(filtered)
        )
    }
    private func number(_ id: SeriesID, _ value: UInt64, at time: Int64, _ parts: inout MetricBatch.Parts) {
        parts.numbers.append(
            id,
            time: Feed.moment(time),
            start: Feed.moment(1),
            bits: value,
            flags: .isInteger
        )
    }

    @Test func goWithTheMergedSeriesAndTellWhatItLacks() throws {
        var feed = Feed()
        feed.clock = 10
        var parts = MetricBatch.Parts()
        number(feed.id("a"), 3, at: 10, &parts)
        number(feed.id("b"), 4, at: 10, &parts)
        parts.exemplars = [
            Self.exemplar(feed.id("a"), 1),
            Self.exemplar(feed.id("b"), 2, filtered: [Attribute("user", "x")]),
        ]
        let applied = feed.apply(parts)
        let batch = try #require(applied)
        #expect(batch.numbers.count == 1)
        #expect(batch.exemplars.map(\.series) == [batch.numbers.series[0], batch.numbers.series[0]])
        #expect(batch.exemplars.map(\.traceID.first) == [1, 2])
        #expect(batch.exemplars[0].filteredAttributes == AttributeSet([Attribute("name", "a")]))
        let both = AttributeSet([Attribute("name", "b"), Attribute("user", "x")])
        #expect(batch.exemplars[1].filteredAttributes == both)
        #expect(feed.reaggregator.counts.exemplars == 0)
    }
    @Test func ofDroppedAndLatePointsAreCounted() {
        var feed = Feed()
        feed.clock = 20
        feed.resolve = { $0 == "a" ? "all" : nil }
        var parts = MetricBatch.Parts()
        number(feed.id("a"), 3, at: 10, &parts)
        number(feed.id("b"), 4, at: 10, &parts)
        parts.exemplars = [Self.exemplar(feed.id("b"), 1)]
        let first = feed.apply(parts)
        #expect(first?.count == 1 && first?.exemplars == [])
        var late = MetricBatch.Parts()
        number(feed.id("a"), 3, at: 10, &late)
        late.exemplars = [Self.exemplar(feed.id("a"), 1)]
        let second = feed.apply(late)
        #expect(second == nil)
        #expect(feed.reaggregator.counts.exemplars == 2)
    }
    @Test func noPointHasMoreThanItMay() {
        var feed = Feed()
        feed.clock = 10
        var parts = MetricBatch.Parts()
        number(feed.id("a"), 3, at: 10, &parts)
        parts.exemplars = (0..<40).map { Self.exemplar(feed.id("a"), $0) }
        let applied = feed.apply(parts)
        #expect(applied?.exemplars.count == Reaggregator.maximumExemplars)
        #expect(feed.reaggregator.counts.exemplars == UInt64(40 - Reaggregator.maximumExemplars))
    }
    @Test func ofAHistogramOfOtherBoundsGoToItsSibling() throws {
        var feed = Feed("h", .histogram)
        feed.clock = 10
        var parts = MetricBatch.Parts()
        for (name, bound) in [("a", 10.0), ("b", 7.0)] {
            parts.histograms.series.append(feed.id(name))
            parts.histograms.times.append(Feed.moment(10))
            parts.histograms.starts.append(Feed.moment(5))
            parts.histograms.flags.append(.hasSum)
            parts.histograms.counts.append(1)
            parts.histograms.sums.append(1)
            parts.histograms.minima.append(0)
            parts.histograms.maxima.append(0)
            parts.histograms.layouts.append(BucketLayout(bounds: [bound]))
            parts.histograms.offsets.append(parts.histograms.buckets.count)
            parts.histograms.buckets += [1, 0]
        }
        parts.exemplars = [Self.exemplar(feed.id("b"), 2), Self.exemplar(feed.id("a"), 1)]
        let applied = feed.apply(parts)
        let batch = try #require(applied)
        let sibling = try #require(
            batch.histograms.series.first {
                feed.table.series($0)?.attributes[Reaggregator.layoutAttribute] != nil
            }
        )
        #expect(batch.exemplars.map(\.series) == [sibling, batch.histograms.series.first { $0 != sibling }])
    }
}

/// Every point that goes no further is counted, by its reason.
@Suite struct ReaggregatorDropTests {
    @Test func endsThatEndNothingAreCounted() {
        var counter = Feed()
        counter.clock = 10
        _ = counter.send(.init("a", .int(3), at: 10, since: 1))
        #expect(counter.send(.init("a", .ended, at: 20)).isEmpty)
        #expect(counter.reaggregator.counts.ends == 1)
        var delta = Feed("bytes", .sum, .delta)
        #expect(delta.send(.init("a", .ended, at: 20)).isEmpty)
        #expect(delta.reaggregator.counts.ends == 1)
        var gauge = Feed("m", .gauge, .unspecified)
        _ = gauge.send(.init("a", .int(3), at: 10))
        let ended = gauge.send(.init("a", .ended, at: 20))
        #expect(ended.count == 1)
        #expect(gauge.reaggregator.counts.ends == 0)
        #expect(gauge.send(.init("a", .ended, at: 30)).isEmpty)
        #expect(gauge.reaggregator.counts.ends == 1)
    }
    @Test func streamsOfWhichNobodySawTheBeginningAreCounted() {
        var feed = Feed()
        feed.clock = 10
        _ = feed.send(.init("old", .int(3), at: 10, since: -5), .init("new", .int(3), at: 10, since: 5))
        #expect(feed.reaggregator.counts.unwatched == 1)
    }
    /// A member is forgotten to the second, though the others are looked for every half minute only.
    @Test func whoComesBackTooLateIsNew() {
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = 100
        var feed = Feed(options: options)
        feed.clock = 10
        _ = feed.send(.init("a", .int(3), at: 10, since: 1), .init("b", .int(1), at: 10, since: 1))
        feed.clock = 100
        _ = feed.send(.init("b", .int(1), at: 100, since: 1))
        feed.clock = 110
        let before = feed.send(.init("a", .int(8), at: 110, since: 1))
        #expect(before.map(\.integer) == [9])
        feed.clock = 211
        let after = feed.send(.init("a", .int(20), at: 211, since: 1))
        #expect(after.map(\.integer) == [0])
    }
}
