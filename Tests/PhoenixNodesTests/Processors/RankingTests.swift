import PhoenixModel
import PhoenixRuntime
import Testing

@testable import PhoenixNodes

@Suite struct RankingTests {
    private let second: UInt64 = 1_000_000_000
    private func key(_ name: String, group: String = "a") -> Ranking.Key {
        let group = Attribute("group", group)
        return Ranking.Key(
            name: AttributeSet([group, Attribute("name", name)]),
            group: AttributeSet([group])
        )
    }
    private func admitted(_ ranking: borrowing Ranking) -> [String] {
        ranking.admitted.map { $0["name"]?.text ?? "" }.sorted()
    }

    @Test func theFirstComeInWhileThereIsRoomAndTheBestStay() {
        var ranking = Ranking(.init(k: 2))
        for (name, amount) in [("x", 1.0), ("y", 5.0), ("z", 9.0)] {
            let isIn = ranking.admits(key(name), isExempt: false, at: 0)
            #expect(isIn == (name != "z"))
            ranking.score(key(name), by: amount, at: second)
        }
        // Of x and y, which came in, the worse makes room for z: there are two places.
        let changed = ranking.rank(at: 2 * second)
        #expect(Set(changed.compactMap { ranking.name(of: $0) }) == [key("x").name, key("z").name])
        #expect(admitted(ranking) == ["y", "z"])
        let later = ranking.rank(at: 3 * second)
        #expect(later.isEmpty)
    }

    @Test func aChallengerMustWinByTheMargin() {
        var ranking = Ranking(.init(k: 1, margin: 0.1))
        for name in ["in", "out"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        ranking.score(key("in"), by: 100, at: second)
        ranking.score(key("out"), by: 109, at: second)
        let changed = ranking.rank(at: second)
        #expect(changed.isEmpty)
        ranking.score(key("out"), by: 2, at: second)
        _ = ranking.rank(at: second)
        #expect(admitted(ranking) == ["out"])
    }

    @Test func theExemptTakeNoPlace() {
        var ranking = Ranking(.init(k: 1))
        let areIn = [
            ranking.admits(key("critical"), isExempt: true, at: 0),
            ranking.admits(key("x"), isExempt: false, at: 0),
        ]
        #expect(areIn == [true, true])
        ranking.score(key("critical"), by: 100, at: second)
        let changed = ranking.rank(at: second)
        #expect(changed.isEmpty)
        #expect(admitted(ranking) == ["critical", "x"])
    }

    @Test func onlyTheWindowCounts() {
        var ranking = Ranking(.init(k: 1, margin: 0, window: 20 * second))
        for name in ["early", "late"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        ranking.score(key("early"), by: 100, at: second)
        ranking.score(key("late"), by: 1, at: second)
        _ = ranking.rank(at: second)
        #expect(admitted(ranking) == ["early"])
        for name in ["early", "late"] { ranking.see(key(name), at: 22 * second) }
        ranking.score(key("late"), by: 1, at: 22 * second)
        _ = ranking.rank(at: 22 * second)
        #expect(admitted(ranking) == ["late"])
    }

    @Test func groupsRankApartAndTheSilentAreForgotten() {
        var ranking = Ranking(.init(k: 1, window: 10 * second))
        for group in ["a", "b"] {
            let isIn = ranking.admits(key("x", group: group), isExempt: false, at: 0)
            #expect(isIn)
        }
        ranking.see(key("x", group: "b"), at: 20 * second)
        _ = ranking.forget(at: 21 * second)
        let count = ranking.count
        #expect(count == 1)
        let isIn = ranking.admits(key("y", group: "a"), isExempt: false, at: 21 * second)
        #expect(isIn)
    }

    @Test func aLongerWindowGoesOnWithWhatWasGained() {
        var ranking = Ranking(.init(k: 1, margin: 0, window: 20 * second))
        for name in ["early", "late"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        ranking.score(key("late"), by: 1, at: second)
        ranking.score(key("early"), by: 100, at: 2 * second)
        ranking.change(to: .init(k: 1, margin: 0, window: 200 * second), at: 3 * second)
        _ = ranking.rank(at: 3 * second)
        #expect(admitted(ranking) == ["early"])
        for name in ["early", "late"] { ranking.see(key(name), at: 300 * second) }
        ranking.score(key("late"), by: 1, at: 300 * second)
        _ = ranking.rank(at: 300 * second)
        #expect(admitted(ranking) == ["late"])
    }

    @Test func whatAClockAheadOfOursWroteDoesNotStandStill() {
        var ranking = Ranking(.init(k: 1, margin: 0, window: 20 * second))
        _ = ranking.admits(key("early"), isExempt: false, at: 0)
        ranking.score(key("early"), by: 100, at: 3600 * second)
        _ = ranking.rank(at: 3600 * second)
        var heir = Ranking(.init(k: 1, margin: 0, window: 20 * second))
        for entry in ranking.entries { heir.restore(entry, window: 20 * second, at: second) }
        _ = heir.admits(key("late"), isExempt: false, at: second)
        _ = heir.rank(at: second)
        #expect(admitted(heir) == ["early"])
        heir.score(key("late"), by: 1, at: 22 * second)
        _ = heir.rank(at: 22 * second)
        #expect(admitted(heir) == ["late"])
        _ = heir.forget(at: 23 * second)
        let count = heir.count
        #expect(count == 1)
    }

    @Test func theValueRanksWhereItIsToldTo() {
        var ranking = Ranking(.init(k: 1, margin: 0, byIncrease: false))
        for name in ["x", "y"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        let (x, y) = (ranking.number(of: key("x"), at: 0), ranking.number(of: key("y"), at: 0))
        _ = ranking.rank(at: second, values: [(x, 10), (y, 2)])
        #expect(admitted(ranking) == ["x"])
        // Series of one entity add up.
        _ = ranking.rank(at: second, values: [(x, 1), (y, 1), (y, 1)])
        #expect(admitted(ranking) == ["y"])
    }

    /// Against a full sort of each group: who is in, who would be with another K, and who changed place.
    @Test(arguments: UInt64(1)...150) func thePlacesThatMatterAreThoseOfAFullSort(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (k, cut) = (Int.random(in: 1...6, using: &random), Int.random(in: 1...9, using: &random))
        var ranking = Ranking(.init(k: k, margin: 0.5, byIncrease: false))
        ranking.cuts = [k, cut]
        let keys = (0..<Int.random(in: 1...40, using: &random)).map { index in
            key("n\(index % 7)\(index)", group: "g\(Int.random(in: 0..<3, using: &random))")
        }
        for key in keys { _ = ranking.admits(key, isExempt: false, at: 0) }
        var admitted = Set(ranking.admitted)
        for round in 1...6 as ClosedRange<UInt64> {
            let before = keys.map {
                [ranking.foresees($0, isExempt: false, k: k), ranking.foresees($0, isExempt: false, k: cut)]
            }
            // Few scores, so that many are equal.
            let scores = keys.map { _ in Double(Int.random(in: 0..<5, using: &random)) }
            let numbers = keys.map { ranking.number(of: $0, at: 0) }
            let changed = ranking.rank(at: round, values: Array(zip(numbers, scores)))
            var (isIn, wouldBe): (Set<AttributeSet>, Set<AttributeSet>) = ([], [])
            for group in Set(keys.map(\.group)) {
                let members = keys.indices.filter { keys[$0].group == group }.map { index in
                    (
                        name: keys[index].name,
                        score: scores[index] * (admitted.contains(keys[index].name) ? 1.5 : 1)
                    )
                }
                let order = members.sorted { left, right in
                    left.score == right.score ? left.name.precedes(right.name) : left.score > right.score
                }
                isIn.formUnion(order.prefix(k).map(\.name))
                wouldBe.formUnion(order.prefix(cut).map(\.name))
            }
            admitted = isIn
            #expect(Set(ranking.admitted) == isIn, "seed \(seed), round \(round)")
            let after = keys.map {
                [ranking.foresees($0, isExempt: false, k: k), ranking.foresees($0, isExempt: false, k: cut)]
            }
            #expect(
                after == keys.map { [isIn.contains($0.name), wouldBe.contains($0.name)] },
                "seed \(seed), round \(round)"
            )
            let moved = keys.indices.filter { before[$0] != after[$0] }.map { numbers[$0] }
            #expect(changed == Set(moved), "seed \(seed), round \(round)")
        }
    }
}

extension Ranking {
    fileprivate mutating func admits(_ key: Key, isExempt: Bool, at now: UInt64) -> Bool {
        admits(number(of: key, at: now), isExempt: isExempt)
    }
    fileprivate mutating func score(_ key: Key, by amount: Double, at now: UInt64) {
        let number = number(of: key, at: now)
        see(number, at: now)
        grow(number, by: amount, at: now)
    }
    fileprivate mutating func see(_ key: Key, at now: UInt64) { see(number(of: key, at: now), at: now) }
}
