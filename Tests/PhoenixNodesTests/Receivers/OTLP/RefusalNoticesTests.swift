import PhoenixWire
import Testing

@testable import PhoenixNodes

@Suite struct RefusalNoticesTests {
    private func example(_ what: String) -> RefusalNotices.Example {
        RefusalNotices.Example(speech: .http, what: what)
    }
    private func told(_ notices: inout RefusalNotices, at seconds: Int) -> [String] {
        notices.due(at: .seconds(seconds)).map {
            "\($0.reason.label): \($0.example.what), \($0.leftOut) left out"
        }
    }

    @Test func theFirstOfAKindIsToldAndThenOneAMinute() {
        var notices = RefusalNotices()
        let nothing = told(&notices, at: 0)
        notices.add(.malformed) { example("a") }
        let first = told(&notices, at: 1)
        for what in ["b", "c", "d"] { notices.add(.malformed) { example(what) } }
        let tooSoon = told(&notices, at: 60)
        let second = told(&notices, at: 61)
        let nothingSince = told(&notices, at: 500)
        #expect(nothing == [])
        #expect(first == ["malformed: a, 0 left out"])
        #expect(tooSoon == [])
        #expect(second == ["malformed: b, 2 left out"])
        #expect(nothingSince == [])
    }

    @Test func reasonsAreToldApart() {
        var notices = RefusalNotices()
        notices.add(.busy) { example("a") }
        let first = told(&notices, at: 0)
        notices.add(.busy) { example("b") }
        notices.add(.tooLarge) { example("c") }
        let second = told(&notices, at: 1)
        #expect(first == ["busy: a, 0 left out"])
        #expect(second == ["too_large: c, 0 left out"])
    }

    @Test func anExampleIsMadeOnlyWhereItIsTold() {
        var notices = RefusalNotices()
        var made = 0
        for _ in 0..<1000 {
            notices.add(.memory) {
                made += 1
                return example("a")
            }
        }
        let all = told(&notices, at: 0)
        #expect(made == 1)
        #expect(all == ["memory: a, 999 left out"])
    }

    @Test func labelsDifferAndWhatLosesPointsSaysHowToMendIt() {
        #expect(Set(RequestRefusal.allCases.map(\.label)).count == RequestRefusal.allCases.count)
        for reason in RequestRefusal.allCases { #expect((reason.advice == nil) == (reason == .stopping)) }
    }

    @Test(
        arguments: [
            (HTTPProblem.bodyTooLarge(limit: 1), RequestRefusal.tooLarge), (.tooMuchBuffered, .busy),
            (.gateTimeout, .busy), (.requestTimeout, .timeout), (.unreadable(status: 431, reason: ""), .http),
            (.handlerTimeout, nil), (.notFound, nil),
        ] as [(HTTPProblem, RequestRefusal?)]
    )
    func whatTheServerFindsHasItsReason(problem: HTTPProblem, reason: RequestRefusal?) {
        #expect(RequestRefusal(problem) == reason)
        #expect(RequestRefusal(GRPCRefusal.problem(problem)) == reason)
    }
}
