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

    @Test(arguments: [Temporality.unspecified, .cumulative])
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
        // A total begins anew.
        #expect(again.map(\.integer) == [temporality == .cumulative ? 0 : 7])
        feed.clock = 710
        let next = feed.send(.init("slow", .int(7), at: 710 - Self.hour, since: 700 - Self.hour))
        for shown in [again, next] {
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
