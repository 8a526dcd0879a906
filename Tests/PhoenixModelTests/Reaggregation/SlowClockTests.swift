import PhoenixModel
import Testing

/// Members whose clocks disagree with ours and with each other: what they say is not lost, here or behind another, nothing is
/// told twice, and no output goes back in time.
@Suite struct SlowClockTests {
    private static let hour: Int64 = 3600
    private static func forgetful(
        _ kind: PointKind = .sum,
        _ temporality: Temporality = .cumulative,
        isMonotonic: Bool = true
    ) -> Feed {
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = 120
        return Feed("requests", kind, temporality, isMonotonic: isMonotonic, options: options)
    }
    /// One behind a feed.
    private struct Behind: ~Copyable {
        private var reaggregator: Reaggregator
        init(_ feed: borrowing Feed) {
            var options = Reaggregator.Options()
            options.forgetAfterSeconds = 120
            reaggregator = Reaggregator(
                table: feed.table,
                lane: "behind",
                options: options,
                watchingSince: Feed.began
            )
        }
        mutating func send(_ batch: MetricBatch?, _ feed: borrowing Feed) -> [Feed.Shown] {
            guard let batch else { return [] }
            return feed.shown(
                reaggregator.apply(batch, now: feed.now) {
                    .output(resource: $0.resource, attributes: $0.attributes)
                }
            )
        }
        mutating func lapse(_ feed: borrowing Feed) { _ = reaggregator.lapse(now: feed.now, epoch: 0) }
    }
    private static func batch(_ feed: borrowing Feed, _ point: Feed.Point) -> MetricBatch.Parts {
        var parts = MetricBatch.Parts()
        parts.numbers.append(
            feed.id(point.name),
            time: Feed.moment(point.time),
            start: point.start.map(Feed.moment) ?? 0,
            bits: point.value.bits,
            flags: point.value.flags
        )
        return parts
    }

    @Test func theFirstTotalInANewPlaceIsNotLostBehindAnother() {
        var feed = Self.forgetful()
        var behind = Behind(feed)
        feed.clock = 10
        let first = Feed.Point("a", .int(100), at: 10 - Self.hour, since: -2 * Self.hour)
        #expect(behind.send(feed.apply(Self.batch(feed, first)), feed).map(\.integer) == [0])
        _ = feed.remap { _ in "elsewhere" }
        feed.clock = 20
        let second = Feed.Point("a", .int(105), at: 20 - Self.hour, since: -2 * Self.hour)
        #expect(behind.send(feed.apply(Self.batch(feed, second)), feed).map(\.integer) == [5])
        feed.clock = 30
        let third = Feed.Point("a", .int(106), at: 30 - Self.hour, since: -2 * Self.hour)
        #expect(behind.send(feed.apply(Self.batch(feed, third)), feed).map(\.integer) == [6])
    }
    @Test func theFirstTotalAfterASilenceIsNotLostBehindAnother() {
        var feed = Self.forgetful()
        var behind = Behind(feed)
        let start = -2 * Self.hour
        _ = behind.send(
            feed.apply(Self.batch(feed, .init("a", .int(100), at: -Self.hour, since: start))),
            feed
        )
        var total: Int64 = 0
        for clock in [200, 210, 220] as [UInt64] {
            feed.clock = clock
            behind.lapse(feed)
            let point = Feed.Point("a", .int(Int64(clock)), at: Int64(clock) - Self.hour, since: start)
            let shown = behind.send(feed.apply(Self.batch(feed, point)), feed)
            total = shown.last?.integer ?? total
        }
        #expect(total == 20)
    }
    @Test func windowsAreNotTooOldBehindAnother() {
        // The one behind forgets sooner.
        var feed = Feed("requests", .sum, .delta)
        var behind = Behind(feed)
        _ = behind.send(feed.apply(Self.batch(feed, .init("a", .int(1), at: 1, since: 0))), feed)
        feed.clock = 400
        behind.lapse(feed)
        feed.resolve = { _ in "slow" }
        let point = Feed.Point("b", .int(5), at: 400 - Self.hour, since: 390 - Self.hour)
        #expect(behind.send(feed.apply(Self.batch(feed, point)), feed).map(\.integer) == [5])
    }

    /// Has another input seen and forgotten, so that what ended before may have been counted.
    private static func forget(_ feed: inout Feed) {
        feed.clock = 10
        _ = feed.send(.init("other", .int(1), at: 10, since: 0))
        feed.clock = 400
        _ = feed.lapse()
    }
    @Test func windowsThatComeAsTheyAreMadeCountFromTheSecondOn() {
        var feed = Self.forgetful(.sum, .delta)
        Self.forget(&feed)
        #expect(feed.send(.init("a", .int(5), at: 400 - Self.hour, since: 390 - Self.hour)).isEmpty)
        #expect(feed.reaggregator.counts.late == 1)
        feed.clock = 410
        let second = Feed.Point("a", .int(7), at: 410 - Self.hour, since: 400 - Self.hour)
        let shown = feed.send(second)
        #expect(shown.map(\.integer) == [7])
        // By our clock: others were told what came after those times.
        #expect(shown.map(\.time) == [feed.now])
        #expect(shown.map(\.start) == [feed.now - 10 * Feed.second])
        #expect(feed.send(.init("a", .int(5), at: 400 - Self.hour, since: 390 - Self.hour), second).isEmpty)
        #expect(feed.reaggregator.counts.late == 3)
        feed.clock = 420
        let next = feed.send(.init("a", .int(8), at: 420 - Self.hour, since: 410 - Self.hour))
        #expect(next.map(\.integer) == [8])
        #expect(next.map(\.time) == [feed.now])
    }
    @Test func windowsThatWereLongUnderWayMayHaveBeenCounted() {
        var feed = Self.forgetful(.sum, .delta)
        Self.forget(&feed)
        let windows = (-3...0).map {
            Feed.Point("other", .int(5), at: Int64($0 * 10), since: Int64($0 * 10 - 10))
        }
        for window in windows {
            #expect(feed.send(window).isEmpty)
            feed.clock += 1
        }
        #expect(feed.send(windows[3]).isEmpty)
        #expect(feed.reaggregator.counts.late == 5)
    }

    @Test(arguments: [Temporality.unspecified, .cumulative, .delta])
    func whatComesAgainDoesNotGoBackInTime(temporality: Temporality) {
        var feed = Self.forgetful(temporality == .unspecified ? .gauge : .sum, temporality)
        feed.clock = 10
        // Ten minutes ahead of us, an hour behind.
        let first = feed.send(.init("fast", .int(5), at: 610, since: 600))
        #expect(first.map(\.time) == [Feed.moment(610)])
        for clock in [500, 700] as [UInt64] {
            feed.clock = clock
            _ = feed.lapse()
        }
        let again = feed.send(.init("slow", .int(7), at: 700 - Self.hour, since: 690 - Self.hour))
        // A total begins anew; of windows the first may have been counted.
        let expected: [Int64?] = temporality == .delta ? [] : [temporality == .cumulative ? 0 : 7]
        #expect(again.map(\.integer) == expected)
        feed.clock = 710
        let next = feed.send(.init("slow", .int(7), at: 710 - Self.hour, since: 700 - Self.hour))
        for shown in [again, next] where !shown.isEmpty {
            #expect(shown[0].time > first[0].time)
            #expect(shown[0].time <= feed.now)
        }
    }
    /// Until its time has passed here, so that the times of others need not be ahead of ours for its sake.
    @Test func anOutputAheadOfUsIsNotForgotten() {
        var feed = Self.forgetful(.gauge, .unspecified)
        feed.resolve = { $0 }
        _ = feed.send(.init("fast", .int(5), at: Self.hour))
        feed.clock = 1000
        _ = feed.lapse()
        #expect(feed.reaggregator.counts.outputs == 1)
        #expect(feed.send(.init("right", .int(5), at: 1000)).map(\.time) == [feed.now])
        feed.clock = 3000
        _ = feed.lapse()
        #expect(feed.send(.init("fast", .int(6), at: 3000)).map(\.time) == [Feed.moment(Self.hour) + 1])
        feed.clock = 4000
        _ = feed.lapse()
        feed.clock = 4200
        _ = feed.lapse()
        #expect(feed.reaggregator.counts.outputs == 0)
    }
}
