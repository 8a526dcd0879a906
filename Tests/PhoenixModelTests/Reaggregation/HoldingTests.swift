import PhoenixModel
import Testing

/// What is held comes out once, and all of it.
@Suite struct HoldingTests {
    @Test func eachOutputComesOnceAtItsNewestTime() {
        var feed = Feed()
        feed.resolve = { $0 }
        feed.reaggregator.isHolding = true
        feed.clock = 20
        #expect(
            feed.send(.init("a", .int(5), at: 10, since: 1), .init("b", .int(1), at: 10, since: 1)).isEmpty
        )
        #expect(feed.send(.init("a", .int(7), at: 20, since: 1)).isEmpty)
        feed.clock = 30
        let released = feed.shown(feed.reaggregator.release(now: feed.now, epoch: 0))
        #expect(released.sorted { $0.name < $1.name }.map(\.integer) == [7, 1])
        #expect(released.map(\.time).max() == Feed.moment(20))
        #expect(feed.reaggregator.release(now: feed.now, epoch: 0) == nil)
    }
    @Test func nothingHeldIsForgottenHoweverLongItIsHeld() {
        var feed = Feed()
        feed.resolve = { $0 }
        feed.clock = 10
        _ = feed.send(.init("a", .int(5), at: 10, since: 1))
        feed.reaggregator.isHolding = true
        feed.clock = 20
        _ = feed.send(.init("a", .int(7), at: 20, since: 1))
        // Longer than inputs and outputs are remembered.
        feed.clock = 5000
        #expect(feed.lapse().isEmpty)
        #expect(feed.shown(feed.reaggregator.release(now: feed.now, epoch: 0)).map(\.integer) == [7])
    }
}
