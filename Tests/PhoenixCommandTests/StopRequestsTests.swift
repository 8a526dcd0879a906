import Testing

@testable import PhoenixCommand

@Suite struct StopRequestsTests {
    @Test func aCopyOfTheFirstRequestIsNoSecondOne() {
        var requests = StopRequests()
        let moments: [Duration] = [.zero, .zero, .milliseconds(499), .milliseconds(500), .seconds(100)]
        let answers = moments.map { requests.isAnother(at: .seconds(100) + $0) }
        #expect(answers == [false, false, false, true, true])
    }
}
