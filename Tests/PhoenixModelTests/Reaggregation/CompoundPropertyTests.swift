import PhoenixModel
import Testing

/// Histograms, summaries and sums against the oracle, over random histories: churn, idling, restarts with and without a word, disorder,
/// repetition, unlike bounds and scales, changes of the mapping, dropping, forgetting, clocks ahead and behind; behind one
/// reaggregator and behind two.
@Suite struct CompoundPropertyTests {
    private func check(
        _ kinds: [CompoundHistory.Kind],
        isDelta: Bool,
        isMonotonic: Bool = true,
        converts: Bool = false
    ) async {
        await Histories.each { seed in
            var history = CompoundHistory(
                seed: seed,
                kinds,
                isDelta: isDelta,
                isMonotonic: isMonotonic,
                converts: converts,
                clocks: Clocks(seed: seed)
            )
            history.run(steps: 6 + Int(seed % 30))
            let (oracle, ledger, chained) = (history.oracle, history.ledger, history.chained)
            #expect(ledger.complaints.isEmpty, "seed \(seed): \(ledger.complaints)")
            #expect(chained.complaints.isEmpty, "seed \(seed), chained: \(chained.complaints)")
            for (place, expected) in oracle.totals {
                let name = "\(place / Groups.placeCount) \(Groups.name(of: place % Groups.placeCount))"
                #expect(ledger.totals[place] ?? .zero == expected, "seed \(seed), \(name)")
                #expect(chained.totals[place] ?? .zero == expected, "seed \(seed), chained, \(name)")
            }
            #expect(Set(ledger.totals.keys).isSubset(of: oracle.totals.keys), "seed \(seed)")
            #expect(history.counts.resets == oracle.resets, "seed \(seed)")
            #expect(history.counts.late == oracle.late, "seed \(seed)")
            #expect(history.counts.overlaps == 0, "seed \(seed)")
        }
    }
    @Test func histogramsAreExact() async { await check([.histogram], isDelta: false) }
    @Test func exponentialHistogramsAreExact() async { await check([.exponential], isDelta: false) }
    @Test func summariesAreExact() async { await check([.summary], isDelta: false) }
    @Test func windowsOfHistogramsAreCountedOnce() async { await check([.histogram], isDelta: true) }
    @Test func windowsOfExponentialHistogramsAreCountedOnce() async {
        await check([.exponential], isDelta: true)
    }
    @Test func windowsOfSumsAreCountedOnce() async { await check([.sum], isDelta: true) }
    @Test func windowsOfSumsThatMayFallAreCountedOnce() async {
        await check([.sum], isDelta: true, isMonotonic: false)
    }
    @Test func windowsOfKindsInOneBatchDoNotMix() async {
        await check([.sum, .histogram, .exponential], isDelta: true)
    }
    @Test func windowsBecomeTotals() async {
        await check([.sum, .histogram, .exponential], isDelta: true, converts: true)
    }
    @Test func totalsBecomeWindows() async {
        await check([.sum, .histogram, .exponential], isDelta: false, converts: true)
    }
    @Test func sumsAreExact() async { await check([.sum], isDelta: false) }
    @Test func kindsInOneBatchDoNotMix() async {
        await check([.sum, .histogram, .exponential, .summary], isDelta: false)
    }
}
