/// What of many alike is told to people, and when: one line a minute for each reason, with the number of the others.
struct Notices<Reason: CaseIterable & Hashable & Sendable, Item: Sendable & Equatable> {
    typealias Example = Item
    struct Notice: Sendable, Equatable {
        var reason: Reason
        var example: Item
        /// How many more there were since the line before.
        var leftOut: Int
    }
    /// What was not told yet.
    private struct Pile {
        var example: Item?
        var count = 0
        var toldAt: Duration?
    }
    private static var pause: Duration { .seconds(60) }

    private var piles: [Reason: Pile] = [:]

    /// Notes one; the first since the last line is the example.
    mutating func add(_ reason: Reason, _ example: () -> Item) {
        piles[reason, default: Pile()].count += 1
        if piles[reason]?.example == nil { piles[reason]?.example = example() }
    }
    /// What is to be told now.
    ///
    /// - Parameter isLast: nothing will be told later.
    mutating func due(at now: Duration, isLast: Bool = false) -> [Notice] {
        var notices: [Notice] = []
        for reason in Reason.allCases {
            guard let pile = piles[reason], let example = pile.example else { continue }
            if !isLast, let toldAt = pile.toldAt, now - toldAt < Self.pause { continue }
            notices.append(Notice(reason: reason, example: example, leftOut: pile.count - 1))
            piles[reason] = Pile(toldAt: now)
        }
        return notices
    }
}
