import Testing

@testable import PhoenixRuntime

@Suite("What the engine remembers of changes")
struct ReloadLedgerTests {
    @Test func `the time of the last change outlives what changed nothing`() {
        var ledger = ReloadLedger()
        func add(_ outcome: ReloadRecord.Outcome, seconds: Int) {
            ledger.add(
                ReloadRecord(
                    outcome: outcome,
                    generation: 1,
                    origin: "test",
                    startUnixNano: 0,
                    duration: .seconds(seconds)
                )
            )
        }
        add(.unchanged, seconds: 9)
        #expect(ledger.lastDuration == .zero)
        for (seconds, outcome) in [ReloadRecord.Outcome.taken, .failed, .undone].enumerated() {
            add(outcome, seconds: seconds + 1)
            for _ in 0...ReloadLedger.mostRecords {
                add(.refused, seconds: 0)
                add(.unchanged, seconds: 0)
            }
            #expect(ledger.lastDuration == .seconds(seconds + 1))
        }
    }
}
