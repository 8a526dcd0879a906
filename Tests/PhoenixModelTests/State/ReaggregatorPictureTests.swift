import Testing

@testable import PhoenixModel

/// Pictures of histograms: rows are changed in place, so what is to be written is a copy of them.
@Suite struct ReaggregatorPictureTests {
    private final class Bytes {
        var all: [UInt8] = []
    }
    private static func written(_ picture: ReaggregatorPicture) throws -> [UInt8] {
        let bytes = Bytes()
        var writer = try StateWriter { bytes.all += $0 }
        try writer.beginSection()
        try picture.write(to: &writer)
        try writer.finish()
        return bytes.all
    }
    private static func read(_ bytes: [UInt8], into feed: inout Feed) throws {
        var rest = bytes[...]
        var reader = try StateReader { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        _ = try reader.nextSection()
        try feed.reaggregator.read(from: &reader)
    }

    /// Two series; of the first a second writer, which began earlier. Bounds are objects of their own each time.
    private static func send(_ feed: inout Feed, _ buckets: [UInt64], at time: Int64) -> MetricBatch? {
        var parts = MetricBatch.Parts()
        for (name, start) in [("a", 8), ("a", 2), ("b", 8)] as [(String, Int64)] {
            parts.histograms.series.append(feed.id(name))
            parts.histograms.times.append(Feed.moment(time))
            parts.histograms.starts.append(Feed.moment(start))
            parts.histograms.flags.append(.hasSum)
            parts.histograms.counts.append(buckets.reduce(0, +))
            parts.histograms.sums.append(Double(time))
            parts.histograms.minima.append(0)
            parts.histograms.maxima.append(0)
            parts.histograms.layouts.append(BucketLayout(bounds: [1, 2]))
            parts.histograms.offsets.append(parts.histograms.buckets.count)
            parts.histograms.buckets += buckets
        }
        feed.clock = UInt64(time)
        return feed.apply(parts)
    }

    @Test func aPictureStandsWhileItsReaggregatorGoesOn() throws {
        var feed = Feed("h", .histogram)
        _ = Self.send(&feed, [1, 2, 3], at: 10)
        _ = Self.send(&feed, [2, 2, 5], at: 20)
        let (now, later) = (feed.reaggregator.picture(), feed.reaggregator.picture())
        let bytes = try Self.written(now)
        _ = Self.send(&feed, [9, 9, 9], at: 30)
        feed.clock = 5000
        _ = feed.reaggregator.lapse(now: feed.now, epoch: 0)
        #expect(try Self.written(later) == bytes)
    }
    @Test func whatOthersPassedOnIsNotCountedByWhoeverReadsIt() throws {
        var feed = Feed()
        feed.clock = 20
        feed.takeOver("a")
        var heir = Feed()
        heir.clock = 25
        try Self.read(Self.written(feed.reaggregator.picture()), into: &heir)
        heir.clock = 30
        #expect(heir.send(.init("a", .int(7), at: 30, since: 1)).map(\.integer) == [0])
        #expect(heir.send(.init("a", .int(9), at: 40, since: 1)).map(\.integer) == [2])
    }
    @Test func whatIsReadGoesOnAsWhatWasWritten() throws {
        var feed = Feed("h", .histogram)
        var heir = Feed("h", .histogram)
        _ = Self.send(&feed, [1, 2, 3], at: 10)
        _ = Self.send(&feed, [2, 2, 5], at: 20)
        try Self.read(try Self.written(feed.reaggregator.picture()), into: &heir)
        let expected = Self.send(&feed, [4, 4, 6], at: 30)
        let found = Self.send(&heir, [4, 4, 6], at: 30)
        #expect(found?.histograms.buckets == expected?.histograms.buckets)
        #expect(found?.histograms.counts == expected?.histograms.counts)
        #expect(found?.histograms.sums == expected?.histograms.sums)
    }
}
