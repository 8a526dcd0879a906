import PhoenixModel
import Testing

/// Counters against the oracle, over random histories: churn, idling, restarts, jitter, disorder, repetition, changes of
/// the mapping, dropping, eviction, clocks ahead.
@Suite struct CounterPropertyTests {
    private func check(_ numbers: CounterHistory.Numbers) {
        for seed in 1...Histories.count {
            let hasSkew = seed % 4 == 0
            var history = CounterHistory(seed: seed, numbers, hasSkew: hasSkew)
            history.run(steps: 6 + Int(seed % 30))
            let (oracle, ledger, chained) = (history.oracle, history.ledger, history.chained)
            if !hasSkew {
                #expect(ledger.complaints.isEmpty, "seed \(seed): \(ledger.complaints)")
                #expect(chained.complaints.isEmpty, "seed \(seed), chained: \(chained.complaints)")
            }
            for (name, expected) in oracle.totals {
                let allowed = numbers == .integers ? 0 : ledger.tolerance(of: name)
                var found = ["first": ledger.totals[name] ?? 0]
                if !hasSkew {
                    let total = chained.totals[name] ?? 0
                    // After forgetting there may be a gap, but never more than there was.
                    found["chained"] = history.chainForgot ? max(total, expected) : total
                }
                for (title, found) in found {
                    let difference = found > expected ? found - expected : expected - found
                    #expect(
                        difference <= allowed,
                        "seed \(seed), \(title), \(name): \(found) for \(expected)"
                    )
                }
            }
            #expect(Set(ledger.totals.keys).isSubset(of: oracle.totals.keys), "seed \(seed)")
            #expect(history.counts.resets == oracle.resets, "seed \(seed)")
            #expect(history.counts.late == oracle.late, "seed \(seed)")
            #expect(history.counts.overlaps == 0, "seed \(seed)")
        }
    }
    @Test func integersAreExact() { check(.integers) }
    @Test func doublesAreWithinTwoUlp() { check(.doubles) }
    @Test func mixedNumbersAreWithinTwoUlp() { check(.mixed) }
    @Test(
        arguments: [574, 4927, 8503] as [UInt64],
        [.integers, .doubles, .mixed] as [CounterHistory.Numbers]
    )
    func historiesThatOnceFailed(seed: UInt64, numbers: CounterHistory.Numbers) {
        var history = CounterHistory(seed: seed, numbers, hasSkew: true)
        history.run(steps: 6 + Int(seed % 30))
        let (oracle, ledger) = (history.oracle, history.ledger)
        for (name, expected) in oracle.totals {
            let found = ledger.totals[name] ?? 0
            let difference = found > expected ? found - expected : expected - found
            #expect(difference <= ledger.tolerance(of: name), "\(name): \(found) for \(expected)")
        }
    }
}

/// How many random histories a test goes through: ten thousand as it is released, fewer where nothing is optimised.
enum Histories {
    #if DEBUG
    static let count: UInt64 = 1500
    #else
    static let count: UInt64 = 10_000
    #endif
}
