import PhoenixModel
import Testing

/// The rules of gauges and of sums that may fall, one by one.
@Suite struct GaugeExampleTests {
    @Test(
        arguments: [
            (.sum, .int(9)), (.avg, .double(3)), (.min, .int(1)), (.max, .int(5)), (.last, .int(3)),
        ] as [(GaugeMerge, Feed.Number)]
    )
    func gaugesMeetAsTold(merge: GaugeMerge, expected: Feed.Number) {
        var feed = Feed("m", .gauge, .unspecified, merge: merge)
        let shown = feed.send(
            .init("a", .int(1), at: 1),
            .init("b", .int(5), at: 2),
            .init("c", .int(3), at: 3)
        )
        #expect(shown.map(\.bits) == [expected.bits])
        #expect(shown.map(\.flags) == [expected.flags])
    }
    @Test func conventionsChooseWhereNobodyDid() {
        #expect(GaugeMerge.conventional(for: "process.memory.usage") == .sum)
        #expect(GaugeMerge.conventional(for: "system.cpu.utilization") == .avg)
        #expect(GaugeMerge.conventional(for: "room.temperature") == .last)
    }
    @Test func sumsThatMayFallAddTheirLiveValues() {
        var feed = Feed("queue.length", .sum, .cumulative, isMonotonic: false)
        _ = feed.send(.init("a", .int(10), at: 1), .init("b", .int(-3), at: 1))
        #expect(feed.send(.init("a", .int(4), at: 2)).map(\.integer) == [1])
    }
    @Test func aMemberAloneIsShownBitByBit() {
        var feed = Feed("m", .gauge, .unspecified, merge: .sum)
        _ = feed.send(
            .init("a", .double(1e300), at: 1),
            .init("b", .double(0.1), at: 1),
            .init("c", .int(7), at: 1)
        )
        _ = feed.send(.init("c", .ended, at: 2))
        #expect(feed.send(.init("a", .ended, at: 2)).map(\.double) == [0.1])
    }
    @Test func infinitiesAndNoNumbersLeaveASumAgain() {
        var feed = Feed("m", .gauge, .unspecified, merge: .sum)
        _ = feed.send(.init("a", .double(1.5), at: 1), .init("b", .double(2), at: 1))
        #expect(feed.send(.init("c", .double(.infinity), at: 1)).map(\.double) == [.infinity])
        #expect(feed.send(.init("b", .double(.nan), at: 2))[0].double?.isNaN == true)
        _ = feed.send(.init("c", .double(4), at: 2))
        #expect(feed.send(.init("b", .double(2), at: 3)).map(\.double) == [7.5])
    }
    @Test func aSumIsAnIntegerAgainWhenTheDoubleLeft() {
        var feed = Feed("m", .gauge, .unspecified, merge: .sum)
        let shown = feed.send(
            .init("a", .int(1), at: 1),
            .init("b", .int(2), at: 1),
            .init("c", .double(0.5), at: 1)
        )
        #expect(shown.map(\.double) == [3.5])
        #expect(feed.send(.init("c", .ended, at: 2)).map(\.integer) == [3])
    }
    @Test func theExtremeThatLeavesGivesWayToTheNext() {
        var feed = Feed("m", .gauge, .unspecified, merge: .max)
        _ = feed.send(.init("a", .int(1), at: 1), .init("b", .int(9), at: 1), .init("c", .int(5), at: 1))
        #expect(feed.send(.init("b", .int(2), at: 2)).map(\.integer) == [5])
        #expect(feed.send(.init("c", .ended, at: 2)).map(\.integer) == [2])
        #expect(feed.send(.init("b", .ended, at: 3)).map(\.integer) == [1])
        #expect(feed.send(.init("a", .ended, at: 3)).map(\.isEnd) == [true])
    }
    @Test func aMemberLapsesAfterTwoAndAHalfOfItsIntervals() {
        var feed = Feed("m", .gauge, .unspecified, merge: .sum)
        for round in 0..<3 {
            feed.clock = UInt64(round * 10)
            _ = feed.send(
                .init("a", .int(1), at: Int64(round * 10)),
                .init("b", .int(2), at: Int64(round * 10))
            )
        }
        feed.clock = 40
        _ = feed.send(.init("b", .int(2), at: 40))
        feed.clock = 45
        #expect(feed.lapse().isEmpty)
        feed.clock = 46
        #expect(feed.lapse().map(\.integer) == [2])
        feed.clock = 50
        #expect(feed.send(.init("a", .int(3), at: 50)).map(\.integer) == [5])
    }
    @Test func aGroupThatAllLeftEndsAndDoesNotEndTwice() {
        var feed = Feed("m", .gauge, .unspecified, merge: .last)
        _ = feed.send(.init("a", .int(1), at: 0))
        feed.clock = 301
        #expect(feed.lapse().map(\.isEnd) == [true])
        feed.clock = 310
        #expect(feed.lapse().isEmpty)
    }
    @Test func aReplacedGaugeEndsAtOnceAndItsValueMoves() {
        var feed = Feed("m", .gauge, .unspecified, merge: .sum)
        _ = feed.send(.init("a", .int(1), at: 1), .init("b", .int(2), at: 1))
        let shown = feed.remap { $0 }.sorted { $0.name < $1.name }
        #expect(shown.map(\.name) == ["a", "all", "b"])
        #expect(shown.map(\.integer) == [1, nil, 2])
        #expect(shown.map(\.isEnd) == [false, true, false])
    }
    @Test func aMappingThatSaysTheSameChangesNothing() {
        var feed = Feed("m", .gauge, .unspecified, merge: .max)
        _ = feed.send(.init("a", .int(1), at: 1), .init("b", .int(2), at: 1))
        #expect(feed.remap { _ in "all" }.isEmpty)
    }
    @Test func lateAndRepeatedPointsAreCountedAndIgnored() {
        var feed = Feed("m", .gauge, .unspecified, merge: .last)
        _ = feed.send(.init("a", .int(1), at: 10))
        #expect(feed.send(.init("a", .int(7), at: 9), .init("a", .int(1), at: 10)).isEmpty)
        #expect(feed.reaggregator.counts.late == 2)
    }
}
