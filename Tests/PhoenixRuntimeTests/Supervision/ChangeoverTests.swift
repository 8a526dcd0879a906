import PhoenixGraph
import Testing

@testable import PhoenixRuntime

@Suite("The decisions of a change")
struct ChangeoverTests {
    /// A change that replaces `r`, removes `x`, adds `a` and has told `l` live settings; nothing linked yet.
    private static func begun() -> Changeover {
        var change = Changeover()
        #expect(change.handle(.reconfigured("l")) == [])
        #expect(change.handle(.prepared(added: ["a"], replaced: ["r"], removed: ["x"])) == [.lead, .limit(.leading)])
        return change
    }
    private static func handingOver() -> Changeover {
        var change = begun()
        #expect(change.handle(.led) == [.retire, .limit(.handingOver)])
        return change
    }
    private static func onProbation() -> Changeover {
        var change = handingOver()
        #expect(change.handle(.succeeded("r")) == [])
        #expect(change.handle(.parked("x")) == [.prove])
        return change
    }

    @Test func `what goes well is settled after its probation`() {
        var change = Self.onProbation()
        #expect(change.phase == .probation)
        #expect(change.handle(.probationOver) == [.settle])
        #expect(change.handle(.failed("a", "late")) == [])
        #expect(change.phase == .ended && change.cause == nil)
    }

    @Test func `the next change ends the probation`() {
        var change = Self.onProbation()
        #expect(change.handle(.cutShort) == [.settle])
    }

    @Test(arguments: ["a", "r", "l"]) func `a watched node that fails on probation brings everything back`(_ id: NodeID) {
        var change = Self.onProbation()
        #expect(change.handle(.failed(id, "why")) == [.leadBack, .limit(.leadingBack)])
        #expect(change.cause == .init(phase: .probation, node: id, message: "why"))
        #expect(
            change.handle(.led) == [
                .takeBack("r"), .revive("x"), .dismiss("a"), .restore("l"), .limit(.givingBack),
            ]
        )
        #expect(change.handle(.parked("a")) == [])
        #expect(change.handle(.restored("l", true)) == [])
        #expect(change.handle(.succeeded("r")) == [.giveUp])
    }

    @Test func `a node that is kept may fail without harm to the change`() {
        var change = Self.onProbation()
        #expect(change.handle(.failed("k", "its own affair")) == [])
    }

    @Test func `a failure before the links have moved is acted on where the road forks`() {
        var change = Self.begun()
        #expect(change.handle(.failed("a", "early")) == [])
        #expect(change.handle(.led) == [.leadBack, .limit(.leadingBack)])
        #expect(
            change.handle(.led) == [.recall("r"), .recall("x"), .dismiss("a"), .restore("l"), .limit(.givingBack)]
        )
    }

    @Test func `a removed node is brought back once, and may end by itself then`() {
        var early = Self.onProbation()
        #expect(early.handle(.failed("a", "why")) == [.leadBack, .limit(.leadingBack)])
        #expect(early.handle(.led).contains(.revive("x")))
        #expect(early.handle(.parked("x")) == [])
        var late = Self.handingOver()
        #expect(late.handle(.failed("a", "why")) == [.leadBack, .limit(.leadingBack)])
        #expect(late.handle(.led).contains(.recall("x")))
        #expect(late.handle(.recalled("x", false)) == [])
        #expect(late.handle(.parked("x")) == [.revive("x")])
        #expect(late.handle(.parked("x")) == [])
    }

    @Test func `who is overdue is named, recalled, and asked to hand back where that comes too late`() {
        var change = Self.handingOver()
        #expect(change.handle(.succeeded("q")) == [])
        #expect(change.handle(.overdue(.handingOver)) == [.leadBack, .limit(.leadingBack)])
        #expect(change.cause?.message == "`r`, `x` did not drain and hand over in time")
        #expect(change.handle(.overdue(.handingOver)) == [], "a deadline of a phase that is over")
        #expect(change.handle(.led).starts(with: [.recall("r"), .recall("x")]))
        #expect(change.handle(.recalled("x", true)) == [])
        #expect(change.handle(.recalled("r", false)) == [])
        #expect(change.handle(.succeeded("r")) == [.takeBack("r")], "the heir took over, and gives back at once")
        #expect(change.handle(.succeeded("r")) == [])
        #expect(change.handle(.parked("a")) == [])
        #expect(change.handle(.restored("l", false)) == [.giveUp])
        #expect(change.unrestored == ["l"])
    }

    @Test func `who does not give back is cancelled, and then left behind`() {
        var change = Self.onProbation()
        #expect(change.handle(.failed("a", "why")) == [.leadBack, .limit(.leadingBack)])
        #expect(change.handle(.led).last == .limit(.givingBack))
        #expect(change.handle(.restored("l", true)) == [])
        #expect(
            change.handle(.overdue(.givingBack)) == [.cut("a"), .cut("r"), .limit(.forcing)]
        )
        #expect(change.handle(.parked("a")) == [])
        #expect(change.handle(.overdue(.forcing)) == [.abandon("r")])
        #expect(change.handle(.succeeded("r")) == [.giveUp])
    }

    @Test func `while the engine drains there is no way back`() {
        var change = Self.handingOver()
        #expect(change.handle(.cutShort) == [])
        #expect(change.handle(.failed("a", "why")) == [])
        #expect(change.handle(.succeeded("r")) == [])
        #expect(change.handle(.parked("x")) == [.prove, .settle])
    }

    @Test func `a change of live settings only has nothing to wait for`() {
        var change = Changeover()
        #expect(change.handle(.reconfigured("l")) == [])
        #expect(change.handle(.prepared(added: [], replaced: [], removed: [])) == [.lead, .limit(.leading)])
        #expect(change.handle(.led) == [.retire, .prove])
    }
}
