import PhoenixModel
import Testing

@testable import PhoenixNodes

@Suite struct RankingTests {
    private let second: UInt64 = 1_000_000_000
    private func key(_ name: String, group: String = "a") -> Ranking.Key {
        Ranking.Key(group: [.string(group)], entity: [.string(name)])
    }
    private let series = SeriesID(slot: 1, generation: 2)
    private func admitted(_ ranking: Ranking) -> [String] {
        ranking.entities.filter { $0.value.isAdmitted || $0.value.isExempt }
            .map { $0.key.entity[0]?.text ?? "" }.sorted()
    }

    @Test func theFirstComeInWhileThereIsRoomAndTheBestStay() {
        var ranking = Ranking(.init(k: 2))
        for (name, amount) in [("x", 1.0), ("y", 5.0), ("z", 9.0)] {
            let isIn = ranking.admits(key(name), isExempt: false, at: 0)
            #expect(isIn == (name != "z"))
            ranking.score(key(name), series, by: amount, at: second)
        }
        // Of x and y, which came in, the worse makes room for z: there are two places.
        let changed = ranking.rank(at: 2 * second)
        #expect(changed == [key("x"), key("z")])
        #expect(admitted(ranking) == ["y", "z"])
        let later = ranking.rank(at: 3 * second)
        #expect(later.isEmpty)
    }

    @Test func aChallengerMustWinByTheMargin() {
        var ranking = Ranking(.init(k: 1, margin: 0.1))
        for name in ["in", "out"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        ranking.score(key("in"), series, by: 100, at: second)
        ranking.score(key("out"), series, by: 109, at: second)
        let changed = ranking.rank(at: second)
        #expect(changed.isEmpty)
        ranking.score(key("out"), series, by: 2, at: second)
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
        ranking.score(key("critical"), series, by: 100, at: second)
        let changed = ranking.rank(at: second)
        #expect(changed.isEmpty)
        #expect(admitted(ranking) == ["critical", "x"])
    }

    @Test func onlyTheWindowCounts() {
        var ranking = Ranking(.init(k: 1, margin: 0, window: 20 * second))
        for name in ["early", "late"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        ranking.score(key("early"), series, by: 100, at: second)
        ranking.score(key("late"), series, by: 1, at: second)
        _ = ranking.rank(at: second)
        #expect(admitted(ranking) == ["early"])
        for name in ["early", "late"] { ranking.see(key(name), at: 22 * second) }
        ranking.score(key("late"), series, by: 1, at: 22 * second)
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
        _ = ranking.rank(at: 21 * second)
        #expect(ranking.entities.count == 1)
        let isIn = ranking.admits(key("y", group: "a"), isExempt: false, at: 21 * second)
        #expect(isIn)
    }

    @Test func theValueRanksWhereItIsToldTo() {
        var ranking = Ranking(.init(k: 1, margin: 0, byIncrease: false))
        for name in ["x", "y"] { _ = ranking.admits(key(name), isExempt: false, at: 0) }
        for value in [10.0, 20.0, 1.0] { ranking.score(key("x"), series, by: value, at: second) }
        ranking.score(key("y"), series, by: 2, at: second)
        _ = ranking.rank(at: second)
        #expect(admitted(ranking) == ["y"])
    }
}
