import PhoenixModel
import Testing

@testable import PhoenixWire

/// What is written, format by format.
@Suite struct ExpositionTextTests {
    @Test func numbersInText() throws {
        let fixture = ExpositionFixture {
            $0.namespace = "ns"
            $0.addsScopeLabels = false
            $0.constantLabels = ["phoenix.pipeline.strategy": "optimised"]
        }
        let resource = [Attribute("service.name", "shop"), Attribute("service.namespace", "eu")]
        let time = fixture.series(
            "process.cpu.time",
            [Attribute("state", "a\"b\\c\nd")],
            kind: .sum,
            unit: "s",
            resource: resource,
            help: "CPU \\ time\n\"used\""
        )
        fixture.put(time, 1234567.5)
        fixture.put(fixture.series("z.gauge"), 5)
        #expect(
            try fixture.text() == """
                # HELP ns_process_cpu_time_seconds_total CPU \\\\ time\\n"used"
                # TYPE ns_process_cpu_time_seconds_total counter
                ns_process_cpu_time_seconds_total{job="eu/shop",phoenix_pipeline_strategy="optimised",\
                state="a\\"b\\\\c\\nd"} 1.2345675e+06
                # TYPE ns_z_gauge gauge
                ns_z_gauge{phoenix_pipeline_strategy="optimised"} 5

                """
        )
        #expect(
            try fixture.text(.openMetrics) == """
                # TYPE ns_process_cpu_time_seconds counter
                # UNIT ns_process_cpu_time_seconds seconds
                # HELP ns_process_cpu_time_seconds CPU \\\\ time\\n\\"used\\"
                ns_process_cpu_time_seconds_total{job="eu/shop",phoenix_pipeline_strategy="optimised",\
                state="a\\"b\\\\c\\nd"} 1.2345675e+06
                # TYPE ns_z_gauge gauge
                ns_z_gauge{phoenix_pipeline_strategy="optimised"} 5
                # EOF

                """
        )
    }
    @Test func histogramsInBoth() throws {
        let fixture = ExpositionFixture()
        let id = fixture.series("latency", [Attribute("le", "mine")], kind: .histogram, unit: "ms")
        fixture.put(histogram: id, [1, 2, 3], bounds: [0.5, 10], sum: 12)
        #expect(
            try fixture.text() == """
                # TYPE latency_milliseconds histogram
                latency_milliseconds_bucket{exported_le="mine",le="0.5"} 1
                latency_milliseconds_bucket{exported_le="mine",le="10"} 3
                latency_milliseconds_bucket{exported_le="mine",le="+Inf"} 6
                latency_milliseconds_sum{exported_le="mine"} 12
                latency_milliseconds_count{exported_le="mine"} 6

                """
        )
        #expect(try fixture.text(.openMetrics).contains("le=\"10.0\"} 3"))
        #expect(try fixture.text(.openMetrics).contains("_sum{exported_le=\"mine\"} 12.0"))
    }
    @Test func sumAndCountComeTogetherInOpenMetrics() throws {
        let fixture = ExpositionFixture()
        fixture.put(histogram: fixture.series("a", kind: .histogram), [1, 1], bounds: [1], sum: nil)
        #expect(try fixture.text().contains("a_count 2"))
        #expect(try !fixture.text().contains("a_sum"))
        #expect(try !fixture.text(.openMetrics).contains("a_count"))
    }
    @Test func exponentialHistogramsBecomeClassicOnesAndKeepTheCount() throws {
        let fixture = ExpositionFixture()
        let id = fixture.series("e", kind: .exponentialHistogram)
        fixture.put(
            exponential: id,
            scale: 0,
            zero: 3,
            threshold: 0.25,
            positive: (0, [1, 0, 4]),
            negative: (1, [5, 6])
        )
        #expect(
            try fixture.text() == """
                # TYPE e histogram
                e_bucket{le="-4"} 6
                e_bucket{le="-2"} 11
                e_bucket{le="0.25"} 14
                e_bucket{le="2"} 15
                e_bucket{le="4"} 15
                e_bucket{le="8"} 19
                e_bucket{le="+Inf"} 19
                e_sum 1
                e_count 19

                """
        )
        #expect(try !fixture.text(.openMetrics).contains("e_sum"), "no sum where values may be negative")
    }
    @Test func summaries() throws {
        let fixture = ExpositionFixture()
        fixture.put(
            summary: fixture.series("s", [Attribute("quantile", "x")], kind: .summary),
            count: 4,
            sum: 2.5,
            [(0.99, 7), (0.5, 1)]
        )
        fixture.put(fixture.series("g", [Attribute("quantile", "x")]), 1)
        #expect(
            try fixture.text(.openMetrics) == """
                # TYPE g gauge
                g{quantile="x"} 1
                # TYPE s summary
                s{exported_quantile="x",quantile="0.5"} 1.0
                s{exported_quantile="x",quantile="0.99"} 7.0
                s_sum{exported_quantile="x"} 2.5
                s_count{exported_quantile="x"} 4
                # EOF

                """
        )
    }
    @Test func quantilesThatAreNoneAreNotShownAndNoneTwice() throws {
        let fixture = ExpositionFixture()
        fixture.put(
            summary: fixture.series("s", kind: .summary),
            count: 4,
            sum: 2.5,
            [(0.5, 1), (1.5, 2), (-0.5, 3), (.nan, 4), (0.5, 5), (0, -3), (1, 6)]
        )
        func quantiles(_ format: ExpositionFormat) throws -> [Substring] {
            try fixture.text(format).split(separator: "\n").filter { $0.contains("quantile") }
        }
        #expect(
            try quantiles(.text) == [#"s{quantile="0"} -3"#, #"s{quantile="0.5"} 5"#, #"s{quantile="1"} 6"#]
        )
        #expect(try quantiles(.openMetrics) == [#"s{quantile="0.5"} 5.0"#, #"s{quantile="1.0"} 6.0"#])
    }
    @Test func scopeTargetAndResource() throws {
        let fixture = ExpositionFixture { $0.convertsResource = true }
        let scope = Scope(
            name: "lib",
            version: "1",
            attributes: AttributeSet([Attribute("a.b", "c"), Attribute("name", "no")])
        )
        let resource = [
            Attribute("service.name", "s"), Attribute("service.instance.id", "i"),
            Attribute("host.name", "h"),
        ]
        fixture.put(fixture.series("g", [Attribute("x", .int(1))], resource: resource, scope: scope), 1)
        #expect(
            try fixture.text(.openMetrics) == """
                # TYPE g gauge
                g{host_name="h",instance="i",job="s",otel_scope_a_b="c",otel_scope_name="lib",\
                otel_scope_version="1",service_instance_id="i",service_name="s",x="1"} 1
                # TYPE target info
                # HELP target Target metadata
                target_info{host_name="h",instance="i",job="s"} 1
                # EOF

                """
        )
    }
    @Test func collidingKeysAreJoinedInTheirOrder() throws {
        let fixture = ExpositionFixture { options in
            options.addsScopeLabels = false
            options.convertsResource = true
        }
        let id = fixture.series(
            "g",
            [Attribute("a_b", "2"), Attribute("a.b", "1"), Attribute("host", "p"), Attribute("e", "")],
            resource: [Attribute("a/b", "3"), Attribute("host", "p")]
        )
        fixture.put(id, 1)
        // "a.b" < "a/b" < "a_b"; one key with one value is one label, an empty value none.
        #expect(try fixture.text() == "# TYPE g gauge\ng{a_b=\"1;3;2\",host=\"p\"} 1\n")
    }
    @Test func exemplarsOnlyWhereOpenMetricsHasThem() throws {
        let fixture = ExpositionFixture()
        let id = fixture.series("h", kind: .histogram)
        let long = String(repeating: "x", count: 200)
        func exemplar(_ value: Double, _ attributes: [Attribute]) -> Exemplar {
            Exemplar(
                series: id,
                timeUnixNano: 1_500_000_000,
                bits: value.bitPattern,
                flags: [],
                traceID: [UInt8](repeating: 0xab, count: 16),
                spanID: [1, 2, 3, 4, 5, 6, 7, 8],
                filteredAttributes: AttributeSet(attributes)
            )
        }
        fixture.put(
            histogram: id,
            [1, 1],
            bounds: [1],
            exemplars: [
                exemplar(0.5, [Attribute("k", "v")]), exemplar(3, [Attribute("long", .string(long))]),
            ]
        )
        let text = try fixture.text(.openMetrics)
        let ids = "trace_id=\"abababababababababababababababab\",span_id=\"0102030405060708\""
        #expect(text.contains("h_bucket{le=\"1.0\"} 1 # {\(ids),k=\"v\"} 0.5 1.500\n"))
        #expect(text.contains("h_bucket{le=\"+Inf\"} 2 # {\(ids)} 3.0 1.500\n"))
        #expect(try !fixture.text().contains("trace_id"))
    }
    @Test func timestampsAndCreated() throws {
        let fixture = ExpositionFixture {
            $0.sendsTimestamps = true
            $0.sendsCreated = true
        }
        fixture.put(
            fixture.series("c", kind: .sum),
            2,
            at: 1_700_000_000_123_000_000,
            start: 1_600_000_000_000_000_000
        )
        #expect(
            try fixture.text(.openMetrics).contains(
                "c_total 2 1700000000.123\nc_created 1600000000.000 1700000000.123\n"
            )
        )
        #expect(try fixture.text().contains("c_total 2 1700000000123\n"))
    }
    @Test func counterWithoutTotalIsUnknownToOpenMetrics() throws {
        let fixture = ExpositionFixture { $0.strategy = .underscoreEscapingWithoutSuffixes }
        fixture.put(fixture.series("requests", kind: .sum, scope: Scope()), 1)
        #expect(try fixture.text() == "# TYPE requests counter\nrequests 1\n")
        #expect(try fixture.text(.openMetrics) == "# TYPE requests unknown\nrequests 1\n# EOF\n")
    }
    @Test func plainFamilies() throws {
        let families = [
            PlainFamily(
                "phoenix_x_total",
                "Things.",
                .counter,
                [.init(3, [ExposedLabel("reason", "a\"")]), .init(1e7)]
            ),
            PlainFamily(
                "phoenix_control_info",
                "Mode.",
                .info,
                [.init(1, [ExposedLabel("mode", "balanced")])]
            ),
        ]
        let text = PlainFamily.exposition(families, as: .text)
        #expect(
            String(decoding: text, as: UTF8.self) == """
                # HELP phoenix_control_info Mode.
                # TYPE phoenix_control_info gauge
                phoenix_control_info{mode="balanced"} 1
                # HELP phoenix_x_total Things.
                # TYPE phoenix_x_total counter
                phoenix_x_total{reason="a\\""} 3
                phoenix_x_total 1e+07

                """
        )
        let open = try ExpositionReader(PlainFamily.exposition(families, as: .openMetrics), true)
        #expect(open["phoenix_control"]?.type == "info")
        #expect(open.value("phoenix_x_total", ["reason": "a\""]) == 3)
    }
}
