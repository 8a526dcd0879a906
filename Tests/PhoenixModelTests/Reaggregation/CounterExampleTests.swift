import PhoenixModel
import Testing

/// The rules of counters, one by one.
@Suite struct CounterExampleTests {
    @Test func aStreamOlderThanTheWatchCountsFromItsFirstValueOn() {
        var feed = Feed()
        #expect(feed.send(.init("a", .int(100), at: 10, since: -50)).map(\.integer) == [0])
        #expect(feed.send(.init("a", .int(107), at: 20, since: -50)).map(\.integer) == [7])
    }
    @Test func aStreamYoungerThanTheWatchCountsFromZero() {
        var feed = Feed()
        feed.clock = 10
        let shown = feed.send(.init("a", .int(100), at: 10, since: 5))
        #expect(shown.map(\.integer) == [100])
        #expect(shown.map(\.start) == [Feed.moment(5)])
        #expect(shown.map(\.time) == [Feed.moment(10)])
    }
    @Test func whatOthersPassedOnUntilNowIsNotCountedAgain() {
        var feed = Feed()
        feed.clock = 20
        feed.takeOver("a")
        // One that came in by itself counts from its beginning, though that was before.
        let first = feed.send(.init("b", .int(3), at: 20, since: 12))
        #expect(first.map(\.integer) == [3])
        // Whoever read what others told takes it for a new beginning.
        #expect(first.map(\.start) == [Feed.moment(20) - 1] && first.map(\.time) == [Feed.moment(20)])
        #expect(feed.send(.init("a", .int(7), at: 30, since: 1)).map(\.integer) == [3])
        #expect(feed.send(.init("a", .int(9), at: 40, since: 1)).map(\.integer) == [5])
        // A later beginning of the same is one.
        #expect(feed.send(.init("a", .int(4), at: 60, since: 50)).map(\.integer) == [9])
    }
    @Test func aRestartAfterItWasTakenOverCounts() {
        var feed = Feed()
        feed.clock = 20
        feed.takeOver("a")
        feed.clock = 30
        #expect(feed.send(.init("a", .int(4), at: 30, since: 25)).map(\.integer) == [4])
    }
    @Test func whatOthersPassedOnIsNotCountedAgainAfterItWasForgotten() {
        var feed = Feed()
        feed.clock = 20
        feed.takeOver("a")
        feed.clock = 2000
        _ = feed.lapse()
        #expect(feed.reaggregator.counts.members == 0)
        #expect(feed.send(.init("a", .int(7), at: 2000, since: 1)).map(\.integer) == [0])
    }
    @Test(arguments: [nil, 10] as [Int64?])
    func aStartThatIsUnknownOrThePointsOwnTimeContributesNothing(start: Int64?) {
        var feed = Feed()
        feed.clock = 10
        #expect(feed.send(.init("a", .int(100), at: 10, since: start)).map(\.integer) == [0])
    }
    @Test func aSenderThatAlwaysStartsAtItsTimeDoesNotResetWithEachPoint() {
        var feed = Feed()
        for second in Int64(1)...5 {
            let shown = feed.send(.init("a", .int(100 + second), at: second, since: second))
            #expect(shown.map(\.integer) == [second - 1])
        }
        #expect(feed.reaggregator.counts.resets == 0)
    }
    @Test func aClockThatIsAheadDoesNotMakeAnOldStreamYoung() {
        var feed = Feed()
        feed.clock = 10
        // An hour ahead: it began 30 seconds before we did.
        #expect(feed.send(.init("a", .int(100), at: 3610, since: 3570)).map(\.integer) == [0])
    }
    @Test func aClockThatIsBehindDoesNotMoveTheStart() {
        var feed = Feed()
        let first = feed.send(.init("a", .int(100), at: -3600, since: -4000))
        let second = feed.send(.init("a", .int(130), at: -3590, since: -4000))
        #expect(second.map(\.integer) == [30])
        #expect(first.map(\.start) == second.map(\.start))
    }
    @Test func aFallIsAReset() {
        var feed = Feed()
        _ = feed.send(.init("a", .int(100), at: 10))
        #expect(feed.send(.init("a", .int(30), at: 20)).map(\.integer) == [30])
        #expect(feed.reaggregator.counts.resets == 1)
    }
    @Test func aNewStartIsAResetThoughTheValueRose() {
        var feed = Feed()
        _ = feed.send(.init("a", .int(100), at: 10, since: -5))
        #expect(feed.send(.init("a", .int(300), at: 20, since: 12)).map(\.integer) == [300])
        #expect(feed.reaggregator.counts.resets == 1)
    }
    @Test func aStartThatJittersIsNone() {
        var feed = Feed()
        feed.clock = 30
        _ = feed.send(.init("a", .int(100), at: 10, since: 3))
        #expect(feed.send(.init("a", .int(105), at: 20, since: 4)).map(\.integer) == [105])
        #expect(feed.send(.init("a", .int(106), at: 30, since: 3)).map(\.integer) == [106])
        #expect(feed.reaggregator.counts.resets == 0)
        #expect(feed.reaggregator.counts.overlaps == 0)
    }
    @Test func lateAndRepeatedPointsAreCountedAndIgnored() {
        var feed = Feed()
        _ = feed.send(.init("a", .int(100), at: 20))
        #expect(feed.send(.init("a", .int(90), at: 10), .init("a", .int(100), at: 20)).isEmpty)
        #expect(feed.reaggregator.counts.late == 2)
    }
    @Test func aGroupIsEmittedOnceAtItsNewestTime() {
        var feed = Feed()
        feed.clock = 10
        let shown = feed.send(
            .init("a", .int(5), at: 9, since: 3),
            .init("b", .int(7), at: 10, since: 2),
            .init("c", .int(1), at: 8, since: 4)
        )
        #expect(shown.map(\.integer) == [13])
        #expect(shown.map(\.time) == [Feed.moment(10)])
        #expect(shown.map(\.start) == [Feed.moment(2)])
    }
    @Test func batchesOfOneTimeShowDifferentTimes() {
        var feed = Feed()
        feed.clock = 10
        let first = feed.send(.init("a", .int(5), at: 10, since: 3))
        let second = feed.send(.init("b", .int(5), at: 10, since: 3))
        #expect(second.map(\.integer) == [10])
        #expect(second[0].time == first[0].time + 1)
        #expect(second[0].start == first[0].start)
    }
    @Test func twoPointsOfOneSeriesInABatchAreTakenInOrder() {
        var feed = Feed()
        feed.clock = 20
        let shown = feed.send(.init("a", .int(50), at: 10, since: 1), .init("a", .int(3), at: 20, since: 15))
        #expect(shown.map(\.integer) == [53])
    }
    @Test func twoWritersOfOneSeriesAreToldApartByTheirStarts() {
        var feed = Feed()
        _ = feed.send(.init("a", .int(1000), at: 10, since: -100))
        _ = feed.send(.init("a", .int(5), at: 11, since: -50))
        var last: Int64 = 0
        for round in Int64(0)..<5 {
            _ = feed.send(.init("a", .int(1001 + round), at: 20 + 10 * round, since: -100))
            last = feed.send(.init("a", .int(6 + round), at: 21 + 10 * round, since: -50))[0].integer ?? -1
        }
        // The older one's first point of which it was known that there are two is lost: 5 and 9 increments, never 1000.
        #expect(last == 14)
        #expect(feed.reaggregator.counts.overlaps == 5)
        #expect(feed.reaggregator.counts.resets == 1)
    }
    @Test func whoComesBackAfterItWasForgottenIsNotCountedTwice() {
        var feed = Feed()
        feed.clock = 10
        _ = feed.send(.init("a", .int(100), at: 10, since: 5))
        feed.clock = 5000
        _ = feed.lapse()
        #expect(feed.reaggregator.counts.members == 0)
        #expect(feed.send(.init("a", .int(150), at: 5000, since: 5)).map(\.integer) == [0])
        // Another that began before the first was last seen may have been seen then; a later one was not.
        #expect(feed.send(.init("b", .int(20), at: 5000, since: 9)).map(\.integer) == [0])
        #expect(feed.send(.init("c", .int(20), at: 5000, since: 11)).map(\.integer) == [20])
    }
    @Test func aForgottenSenderWithAClockAheadDoesNotHoldUpTheOthers() {
        var feed = Feed()
        feed.clock = 10
        _ = feed.send(.init("a", .int(100), at: 1_000_000, since: 999_995))
        feed.clock = 5000
        _ = feed.lapse()
        #expect(feed.send(.init("b", .int(20), at: 5000, since: 4000)).map(\.integer) == [20])
    }
    @Test func anOutputFreezesAndResumes() {
        var feed = Feed()
        feed.clock = 10
        let before = feed.send(.init("a", .int(100), at: 10, since: 5))
        feed.clock = 850
        _ = feed.lapse()
        let after = feed.send(.init("b", .int(11), at: 850, since: 840))
        #expect(after.map(\.integer) == [111])
        #expect(after.map(\.start) == before.map(\.start))
    }
    @Test func remappingMovesIncreasesOnly() {
        var feed = Feed()
        feed.clock = 10
        _ = feed.send(.init("a", .int(100), at: 10, since: 5))
        #expect(feed.remap { _ in "other" }.isEmpty)
        feed.clock = 20
        let shown = feed.send(.init("a", .int(103), at: 20, since: 5))
        #expect(shown.map(\.name) == ["other"])
        #expect(shown.map(\.integer) == [3])
        #expect(shown.map(\.start) == [Feed.moment(10)])
        #expect(feed.reaggregator.counts.admitted == 1)
        #expect(feed.reaggregator.counts.outputs == 2)
    }
    @Test func whatASeriesGrewByWhileDroppedIsNobodys() {
        var feed = Feed()
        feed.clock = 10
        _ = feed.send(.init("a", .int(100), at: 10, since: 5))
        _ = feed.remap { _ in nil }
        #expect(feed.send(.init("a", .int(500), at: 20, since: 5)).isEmpty)
        #expect(feed.reaggregator.counts.dropped[2] == 1)
        _ = feed.remap { _ in "all" }
        #expect(feed.send(.init("a", .int(510), at: 30, since: 5)).map(\.integer) == [110])
    }
    @Test func integersStayExactBeyondTheRangeOfDoubles() {
        var feed = Feed()
        feed.clock = 10
        let large: Int64 = 1 << 62
        let shown = feed.send(.init("a", .int(large + 1), at: 10, since: 5))
        #expect(shown.map(\.integer) == [large + 1])
        // Beyond Int64 there is only the double.
        let beyond = feed.send(.init("b", .int(large + 1), at: 11, since: 5))
        #expect(beyond.map(\.double) == [0x1p63])
    }
    @Test func whatIsNoAmountIsCountedAndIgnored() {
        var feed = Feed()
        feed.clock = 10
        _ = feed.send(.init("a", .double(1), at: 1))
        #expect(feed.send(.init("a", .double(.nan), at: 2), .init("a", .double(.infinity), at: 3)).isEmpty)
        #expect(feed.send(.init("a", .int(-5), at: 4)).isEmpty)
        #expect(feed.send(.init("a", .double(3), at: 5)).map(\.double) == [2])
        #expect(feed.reaggregator.counts.invalid == 3)
    }
    @Test func aFullTableRefusesAndCounts() {
        let table = SeriesTable(capacity: 1024)
        let metric = table.metric(
            MetricIdentity(name: "m", kind: .sum, temporality: .cumulative, isMonotonic: true)
        )
        var parts = MetricBatch.Parts()
        for index in 0..<1024 {
            let set = table.intern([Attribute("i", .int(Int64(index)))])
            guard let id = table.id(resource: table.intern([]), metric: metric, attributes: set) else {
                continue
            }
            parts.numbers.append(id, time: 2_000_000_000, start: 0, bits: 1, flags: .isInteger)
        }
        var reaggregator = Reaggregator(table: table, lane: "out", watchingSince: 1_000_000_000)
        let out = reaggregator.apply(MetricBatch(parts), now: 2_000_000_000) { _ in
            .output(resource: .empty, attributes: AttributeSet([Attribute("out", "all")]))
        }
        #expect(out == nil)
        #expect(reaggregator.counts.refused == UInt64(parts.numbers.count))
    }
}
