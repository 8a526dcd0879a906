import Foundation
import PhoenixRuntime
import Testing

@testable import PhoenixNodes

@Suite struct RFC3339Tests {
    @Test func momentsGoThereAndBack() {
        // Foundation's calendar is the judge, over four centuries and at every kind of day.
        var random = SeededGenerator(seed: 7)
        let formatter = ISO8601DateFormatter()
        for _ in 0..<2000 {
            let seconds = UInt64.random(in: 0..<18_000_000_000, using: &random)
            let text = RFC3339.text(unixNano: seconds * 1_000_000_000)
            #expect(text == formatter.string(from: Date(timeIntervalSince1970: Double(seconds))), "seed 7")
            #expect(RFC3339.unixNano(text) == seconds * 1_000_000_000)
        }
    }

    @Test(arguments: [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000_000_000 as UInt64),
        ("2026-01-01t01:30:00.5+01:30", 1_767_225_600_500_000_000),
        ("2025-12-31 19:00:00.0000000019-05:00", 1_767_225_600_000_000_001),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000_000_000), ("1969-01-01T00:00:00Z", 0),
        ("0000-01-01T00:00:00Z", 0), ("9999-12-31T23:59:59Z", .max),
    ])
    func everyFormIsRead(_ text: String, _ nanoseconds: UInt64) {
        #expect(RFC3339.unixNano(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "now", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
        "1767225600",
    ])
    func anythingElseIsNone(_ text: String) { #expect(RFC3339.unixNano(text) == nil) }
}
