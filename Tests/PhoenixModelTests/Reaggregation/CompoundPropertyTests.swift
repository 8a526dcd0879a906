import PhoenixModel
import Testing

/// Histograms, summaries and sums against the oracle, over random histories: churn, idling, restarts with and without a word, disorder,
/// repetition, unlike bounds and scales, changes of the mapping, dropping, forgetting; behind one reaggregator and behind two.
@Suite struct CompoundPropertyTests {
    private func check(
        _ kinds: [CompoundHistory.Kind],
        isDelta: Bool,
        isMonotonic: Bool = true,
        converts: Bool = false
    ) {
        for seed in Histories.seeds {
            var history = CompoundHistory(
                seed: seed,
                kinds,
                isDelta: isDelta,
                isMonotonic: isMonotonic,
                converts: converts
            )
            history.run(steps: 6 + Int(seed % 30))
            let (oracle, ledger, chained) = (history.oracle, history.ledger, history.chained)
            #expect(ledger.complaints.isEmpty, "seed \(seed): \(ledger.complaints)")
            #expect(chained.complaints.isEmpty, "seed \(seed), chained: \(chained.complaints)")
            for (name, expected) in oracle.totals {
                for (title, totals) in [("first", ledger.totals), ("chained", chained.totals)] {
                    let found = totals[name] ?? expected.map { _ in 0 }
                    #expect(found == expected, "seed \(seed), \(title), \(name)")
                }
            }
            #expect(Set(ledger.totals.keys).isSubset(of: oracle.totals.keys), "seed \(seed)")
            #expect(history.counts.resets == oracle.resets, "seed \(seed)")
            #expect(history.counts.late == oracle.late, "seed \(seed)")
            #expect(history.counts.overlaps == 0, "seed \(seed)")
        }
    }
    @Test func histogramsAreExact() { check([.histogram], isDelta: false) }
    @Test func exponentialHistogramsAreExact() { check([.exponential], isDelta: false) }
    @Test func summariesAreExact() { check([.summary], isDelta: false) }
    @Test func windowsOfHistogramsAreCountedOnce() { check([.histogram], isDelta: true) }
    @Test func windowsOfExponentialHistogramsAreCountedOnce() { check([.exponential], isDelta: true) }
    @Test func windowsOfSumsAreCountedOnce() { check([.sum], isDelta: true) }
    @Test func windowsOfSumsThatMayFallAreCountedOnce() { check([.sum], isDelta: true, isMonotonic: false) }
    @Test func windowsOfKindsInOneBatchDoNotMix() { check([.sum, .histogram, .exponential], isDelta: true) }
    @Test func windowsBecomeTotals() {
        check([.sum, .histogram, .exponential], isDelta: true, converts: true)
    }
    @Test func totalsBecomeWindows() {
        check([.sum, .histogram, .exponential], isDelta: false, converts: true)
    }
    @Test func sumsAreExact() { check([.sum], isDelta: false) }
    @Test func kindsInOneBatchDoNotMix() {
        check([.sum, .histogram, .exponential, .summary], isDelta: false)
    }
}
