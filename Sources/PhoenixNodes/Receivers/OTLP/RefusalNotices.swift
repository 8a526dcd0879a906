/// What of the refusals is told to people, and when: one line a minute for each reason, with the number of the others.
struct RefusalNotices {
    /// One request that was refused, as far as it is known.
    struct Example: Sendable, Equatable {
        var speech: OTLPReply.Speech
        var what: String
        /// Its `user-agent`.
        var sender: String?
        var peer: String?
    }
    struct Notice: Sendable, Equatable {
        var reason: RequestRefusal
        var example: Example
        /// How many more there were since the line before.
        var leftOut: Int
    }
    /// What was not told yet.
    private struct Pile {
        var example: Example?
        var count = 0
        var toldAt: Duration?
    }
    static let pause = Duration.seconds(60)

    private var piles = Array(repeating: Pile(), count: RequestRefusal.allCases.count)

    /// Notes a refusal; the first since the last line is the example.
    mutating func add(_ reason: RequestRefusal, _ example: () -> Example) {
        let index = Int(reason.rawValue)
        piles[index].count += 1
        if piles[index].example == nil { piles[index].example = example() }
    }
    /// What is to be told now.
    ///
    /// - Parameter isLast: nothing will be told later.
    mutating func due(at now: Duration, isLast: Bool = false) -> [Notice] {
        var notices: [Notice] = []
        for (index, reason) in RequestRefusal.allCases.enumerated() {
            let pile = piles[index]
            guard let example = pile.example else { continue }
            if !isLast, let toldAt = pile.toldAt, now - toldAt < Self.pause { continue }
            notices.append(Notice(reason: reason, example: example, leftOut: pile.count - 1))
            piles[index] = Pile(toldAt: now)
        }
        return notices
    }
}
