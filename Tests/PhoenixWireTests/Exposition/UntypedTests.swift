import PhoenixModel
import SwiftProtobuf
import Testing

@testable import PhoenixWire

/// What Prometheus knew no type of stays without one (CONFORMANCE, the hint `prometheus.type`).
@Suite struct UntypedTests {
    private static func put(_ fixture: ExpositionFixture, _ name: String, untyped: Bool, scope: String = "") {
        let identity = MetricIdentity(scope: Scope(name: scope), name: name, kind: .gauge)
        let metric = fixture.table.metric(identity, MetricNotes(isUntyped: untyped))
        let none = fixture.table.intern([])
        fixture.put(fixture.table.id(resource: none, metric: metric, attributes: none)!, 1.0)
    }

    @Test func isExposedWithoutAType() throws {
        let fixture = ExpositionFixture()
        Self.put(fixture, "what", untyped: true)
        #expect(try fixture.text() == "# TYPE what untyped\nwhat 1\n")
        #expect(try fixture.text(.openMetrics) == "# TYPE what unknown\nwhat 1.0\n# EOF\n")
        #expect(try fixture.messages().messages.map(\.type) == [.untyped])
    }
    @Test func aGaugeMayStandBesideIt() throws {
        for first in [true, false] {
            let fixture = ExpositionFixture { $0.addsScopeLabels = true }
            Self.put(fixture, "what", untyped: first, scope: "a")
            Self.put(fixture, "what", untyped: !first, scope: "b")
            let lines = try fixture.text().split(separator: "\n")
            #expect(lines.contains(#"what{otel_scope_name="a"} 1"#))
            #expect(lines.contains(#"what{otel_scope_name="b"} 1"#))
            #expect(lines.count { $0.hasPrefix("# TYPE") } == 1)
        }
    }
    @Test func oneWhoKnowsTheTypeIsEnough() {
        let table = SeriesTable()
        let identity = MetricIdentity(name: "what", kind: .gauge)
        let metric = table.metric(identity, MetricNotes(isUntyped: true))
        #expect(metric.said.isUntyped)
        #expect(table.metric(identity, MetricNotes(isUntyped: true)).said.isUntyped)
        #expect(!table.metric(identity, MetricNotes(description: "Known.")).said.isUntyped)
        #expect(!table.metric(identity, MetricNotes(isUntyped: true)).said.isUntyped)
    }
    @Test(arguments: [("unknown", true), ("gauge", false), ("info", false)])
    func metadataOfRequestsSaysSo(type: String, isUntyped: Bool) throws {
        var metadata = Opentelemetry_Proto_Common_V1_KeyValue()
        metadata.key = "prometheus.type"
        metadata.value.stringValue = type
        var point = Opentelemetry_Proto_Metrics_V1_NumberDataPoint()
        (point.timeUnixNano, point.asInt) = (1, 7)
        var metric = Opentelemetry_Proto_Metrics_V1_Metric()
        (metric.name, metric.metadata, metric.gauge.dataPoints) = ("what", [metadata], [point])
        var request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest()
        request.resourceMetrics = [.with { $0.scopeMetrics = [.with { $0.metrics = [metric] }] }]

        for isJSON in [false, true] {
            let table = SeriesTable()
            let body: [UInt8] = isJSON ? try request.jsonUTF8Bytes() : try request.serializedBytes()
            let decoder = OTLPDecoder(table: table, lane: "test")
            _ = try body.withUnsafeBytes { isJSON ? try decoder.decodeJSON($0) : try decoder.decode($0) }
            let batch = try #require(decoder.takeBatch(epoch: 0))
            #expect(table.series(batch.numbers.series[0])?.metric.said.isUntyped == isUntyped)
        }
    }
    @Test func scrapedOnceMoreItIsTheSame() throws {
        let text = "# TYPE heat gauge\nheat 3\n# TYPE what untyped\nwhat 1\n"
        var scraper = ScrapeFixture(honorsLabels: true)
        let copy = ExpositionFixture()
        let outcome = scraper.scrape(text + "bare 2\n")
        for batch in outcome.batches { copy.store.ingest(batch, scraper.table, now: .zero) }
        #expect(try copy.text() == "# TYPE bare untyped\nbare 2\n" + text)
    }
}
