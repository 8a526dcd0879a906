import Foundation
import PhoenixModel
import Testing

/// Counters against the oracle, over random histories: churn, idling, restarts, jitter, disorder, repetition, changes of
/// the mapping, dropping, eviction, clocks ahead and behind.
@Suite struct CounterPropertyTests {
    private func check(_ numbers: CounterHistory.Numbers) async {
        await Histories.each { seed in
            var history = CounterHistory(seed: seed, numbers, clocks: Clocks(seed: seed))
            history.run(steps: 6 + Int(seed % 30))
            let (oracle, ledger, chained) = (history.oracle, history.ledger, history.chained)
            #expect(ledger.complaints.isEmpty, "seed \(seed): \(ledger.complaints)")
            #expect(chained.complaints.isEmpty, "seed \(seed), chained: \(chained.complaints)")
            for (name, expected) in oracle.totals {
                let allowed = numbers == .integers ? 0 : ledger.tolerance(of: name)
                for (title, found) in [
                    ("first", ledger.totals[name] ?? 0), ("chained", chained.totals[name] ?? 0),
                ] {
                    let difference = found > expected ? found - expected : expected - found
                    #expect(
                        difference <= allowed,
                        "seed \(seed), \(title), \(Groups.name(of: name)): \(found) for \(expected)"
                    )
                }
            }
            #expect(Set(ledger.totals.keys).isSubset(of: oracle.totals.keys), "seed \(seed)")
            #expect(history.counts.resets == oracle.resets, "seed \(seed)")
            #expect(history.counts.late == oracle.late, "seed \(seed)")
            #expect(history.counts.overlaps == 0, "seed \(seed)")
        }
    }
    @Test func integersAreExact() async { await check(.integers) }
    @Test func doublesAreWithinTwoUlp() async { await check(.doubles) }
    @Test func mixedNumbersAreWithinTwoUlp() async { await check(.mixed) }
    @Test(
        arguments: [574, 4927, 8503] as [UInt64],
        [.integers, .doubles, .mixed] as [CounterHistory.Numbers]
    )
    func historiesThatOnceFailed(seed: UInt64, numbers: CounterHistory.Numbers) {
        var history = CounterHistory(seed: seed, numbers, clocks: .ahead)
        history.run(steps: 6 + Int(seed % 30))
        let (oracle, ledger) = (history.oracle, history.ledger)
        for (name, expected) in oracle.totals {
            let found = ledger.totals[name] ?? 0
            let difference = found > expected ? found - expected : expected - found
            #expect(difference <= ledger.tolerance(of: name), "\(name): \(found) for \(expected)")
        }
    }
}

/// How many random histories each property goes through: ten thousand as it is released, fewer where nothing is optimised.
///
/// `PHOENIX_HISTORIES` sets another number, as `make soak` does, and `PHOENIX_HISTORY_SEED` the first seed: the same words
/// repeat a run, and one history alone with `PHOENIX_HISTORIES=1`.
enum Histories {
    #if DEBUG
    private static let usual: UInt64 = 1500
    #else
    private static let usual: UInt64 = 10_000
    #endif
    static let seeds: ClosedRange<UInt64> = {
        let count = max(1, number("PHOENIX_HISTORIES") ?? usual)
        let first = number("PHOENIX_HISTORY_SEED") ?? 1
        print("histories: PHOENIX_HISTORY_SEED=\(first) PHOENIX_HISTORIES=\(count)")
        return first...(first + count - 1)
    }()
    /// Puts each history to a test, on all cores: they know nothing of each other.
    static func each(_ check: @escaping @Sendable (_ seed: UInt64) -> Void) async {
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        await withTaskGroup(of: Void.self) { group in
            for share in 0..<UInt64(cores) {
                group.addTask {
                    for seed in stride(from: seeds.lowerBound + share, through: seeds.upperBound, by: cores) {
                        check(seed)
                        // Tests beside have their turn.
                        await Task.yield()
                    }
                }
            }
        }
    }
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
