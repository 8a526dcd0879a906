import Testing

@testable import PhoenixNodes

@Suite struct GatheringTests {
    /// Looks at the end of turns: how many requests there were, and what was decided.
    private struct Looks {
        var gathering = Gathering()
        var oldest = Duration.seconds(5)
        mutating func wait(_ requests: Int, after delay: Duration = .zero) -> Bool {
            gathering.waits(requests, since: oldest, now: oldest + delay)
        }
    }

    @Test func whoComesAloneDoesNotWait() {
        var looks = Looks()
        for _ in 0..<100 {
            let waits = looks.wait(1)
            #expect(!waits)
            looks.gathering.placed(1, now: looks.oldest)
        }
    }
    @Test func severalWaitWhileMoreCome() {
        var looks = Looks()
        let decisions = [
            looks.wait(3), looks.wait(5, after: Gathering.pause), looks.wait(5, after: Gathering.pause * 2),
        ]
        #expect(decisions == [true, true, false])
        looks.gathering.placed(5, now: looks.oldest)
        let next = looks.wait(2)
        #expect(next)
    }
    @Test func nobodyWaitsBeyondTheLimit() {
        var looks = Looks()
        var (requests, delay) = (2, Duration.zero)
        while looks.wait(requests, after: delay) {
            requests += 1
            delay += Gathering.pause
            guard delay <= Gathering.limit + Gathering.pause else { break }
        }
        #expect(delay >= Gathering.limit && delay < Gathering.limit + Gathering.pause)
    }
    @Test func inACrowdTheFirstWaitsToo() {
        var looks = Looks()
        looks.gathering.placed(Gathering.crowd, now: looks.oldest)
        looks.oldest += .milliseconds(1)
        let decisions = [looks.wait(1), looks.wait(1, after: Gathering.pause)]
        #expect(decisions == [true, false])
        looks.oldest += Gathering.memory
        let later = looks.wait(1)
        #expect(!later)
    }
}
