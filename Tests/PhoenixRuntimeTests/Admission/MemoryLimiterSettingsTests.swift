import PhoenixGraph
import Testing

@testable import PhoenixRuntime

@Suite("The section memory_limiter")
struct MemoryLimiterSettingsTests {
    @Test func `only a limit is needed, the others follow from it`() {
        var settings = MemoryLimiterSettings()
        #expect(settings.limits == AdmissionGate.Limits())
        settings.limit = 1_000
        #expect(settings.limits.softBytes == 800)
        #expect(settings.limits.hardBytes == 1_000)
        #expect(settings.limits.residentBytes == 1_250)
        settings.softLimit = 100
        #expect(settings.limits.softBytes == 100)
    }

    @Test func `a soft limit above the hard one is refused, with both ways out`() {
        var settings = MemoryLimiterSettings()
        (settings.limit, settings.softLimit) = (100, 200)
        let mark = Mark(file: "g.yaml", line: 3, column: 1)
        var report = Report()
        settings.check(FieldMarks(node: mark, fields: [:]), &report)
        #expect(report.diagnostics.map(\.remedy) == ["lower `soft_limit` or raise `limit`"])
    }
}
