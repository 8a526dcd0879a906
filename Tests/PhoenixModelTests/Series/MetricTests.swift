import PhoenixModel
import Testing

/// What makes two metrics one.
@Suite struct MetricTests {
    @Test func namesAreTheirBytes() {
        // One letter, and the same letter made of two: canonically equivalent, and other bytes.
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        #expect(composed == decomposed, "Swift takes them for equal, hence this test")
        let table = SeriesTable()
        func metric(_ name: String, unit: String = "", scope: String = "") -> Metric {
            table.metric(
                MetricIdentity(scope: Scope(name: scope), name: name, unit: unit, kind: .gauge)
            )
        }
        #expect(metric(composed) !== metric(decomposed))
        #expect(metric("m", unit: composed) !== metric("m", unit: decomposed))
        #expect(metric("m", scope: composed) !== metric("m", scope: decomposed))
        #expect(metric(composed, unit: "s", scope: "x") === metric(composed, unit: "s", scope: "x"))
    }

    @Test func partsDoNotRunTogether() {
        let one = MetricIdentity(name: "ab", unit: "c", kind: .gauge)
        let other = MetricIdentity(name: "a", unit: "bc", kind: .gauge)
        #expect(one != other)
        #expect(one.hashValue != other.hashValue)
    }
}
