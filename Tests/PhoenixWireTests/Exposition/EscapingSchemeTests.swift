import PhoenixModel
import Testing

@testable import PhoenixWire

/// Names outside the legacy alphabet, and what becomes of them by what a scraper asks for.
@Suite struct EscapingSchemeTests {
    /// By prometheus/common's rules.
    @Test(
        arguments: [
            (.underscores, "mysystem.prod.west.cpu.load", "mysystem_prod_west_cpu_load"),
            (.dots, "mysystem.prod.west.cpu.load", "mysystem_dot_prod_dot_west_dot_cpu_dot_load"),
            (.values, "mysystem.prod.west.cpu.load", "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load"),
            (.dots, "my.system_a", "my_dot_system__a"), (.values, "my.system_a", "U__my_2e_system__a"),
            (.dots, "a b", "a__b"), (.values, "a b", "U__a_20_b"), (.values, "花火", "U___82b1__706b_"),
            (.values, "1st", "U___31_st"), (.dots, "a:b.c", "a:b_dot_c"), (.values, "label with ℵ", "U__label_20_with_20__2135_"),
            (.allowUTF8, "a.b", "a.b"),
        ] as [(EscapingScheme, String, String)]
    )
    func names(_ scheme: EscapingScheme, _ name: String, _ expected: String) {
        #expect(scheme.escaped(name, colons: true) == expected)
    }
    @Test(arguments: EscapingScheme.allCases) func legacyNamesStay(_ scheme: EscapingScheme) {
        for name in ["no:escaping_required", "a_b_total", "_x1"] {
            #expect(scheme.escaped(name, colons: true) == name)
        }
        #expect((scheme.escaped("a:b", colons: false) == "a:b") == (scheme == .allowUTF8))
    }

    private func fixture(_ strategy: TranslationStrategy) -> ExpositionFixture {
        let fixture = ExpositionFixture {
            $0.addsScopeLabels = false
            $0.strategy = strategy
        }
        let resource = [Attribute("service.name", "s"), Attribute("host.name", "h")]
        let attributes = [Attribute("http.route", "/\"x"), Attribute("plain", "y")]
        let sum = fixture.series(
            "foo.bar",
            attributes,
            kind: .sum,
            unit: "By",
            resource: resource,
            help: "A \"sum\"."
        )
        fixture.put(sum, 5)
        fixture.put(histogram: fixture.series("h.ü", kind: .histogram, unit: "s"), [1, 1], bounds: [1])
        return fixture
    }
    @Test func inQuotesForWhoTakesThem() throws {
        #expect(
            try fixture(.noUTF8EscapingWithSuffixes).text(.openMetrics, .allowUTF8) == """
                # TYPE "foo.bar_bytes" counter
                # UNIT "foo.bar_bytes" bytes
                # HELP "foo.bar_bytes" A \\"sum\\".
                {"foo.bar_bytes_total",job="s","http.route"="/\\"x",plain="y"} 5
                # TYPE "h.ü_seconds" histogram
                # UNIT "h.ü_seconds" seconds
                {"h.ü_seconds_bucket",le="1.0"} 1
                {"h.ü_seconds_bucket",le="+Inf"} 2
                {"h.ü_seconds_sum"} 1.0
                {"h.ü_seconds_count"} 2
                # TYPE target info
                # HELP target Target metadata
                target_info{"host.name"="h",job="s"} 1
                # EOF

                """
        )
        #expect(
            try fixture(.noTranslation).text(.text, .allowUTF8) == """
                # HELP "foo.bar" A "sum".
                # TYPE "foo.bar" counter
                {"foo.bar",job="s","http.route"="/\\"x",plain="y"} 5
                # TYPE "h.ü" histogram
                {"h.ü_bucket",le="1"} 1
                {"h.ü_bucket",le="+Inf"} 2
                {"h.ü_sum"} 1
                {"h.ü_count"} 2
                # HELP target_info Target metadata
                # TYPE target_info gauge
                target_info{"host.name"="h",job="s"} 1

                """
        )
    }
    @Test(
        arguments: [
            (.underscores, "foo_bar_bytes_total{job=\"s\",http_route=\"/\\\"x\",plain=\"y\"} 5"),
            (.dots, "foo_dot_bar__bytes__total{job=\"s\",http_dot_route=\"/\\\"x\",plain=\"y\"} 5"),
            (.values, "U__foo_2e_bar__bytes__total{job=\"s\",U__http_2e_route=\"/\\\"x\",plain=\"y\"} 5"),
        ] as [(EscapingScheme, String)]
    )
    func escapedForOthers(_ scheme: EscapingScheme, _ line: String) throws {
        let fixture = fixture(.noUTF8EscapingWithSuffixes)
        for format in [ExpositionFormat.text, .openMetrics] {
            #expect(try fixture.text(format, scheme).split(separator: "\n").map(String.init).contains(line))
        }
        let read = try fixture.messages(scheme)
        let name = String(line.prefix { $0 != "{" })
        #expect(read[name]?.metric.first?.label.map(\.value) == ["s", "/\"x", "y"])
    }
    @Test func strategiesThatEscapeHaveNothingToQuote() throws {
        for scheme in EscapingScheme.allCases {
            #expect(
                try fixture(.underscoreEscapingWithSuffixes).text(.openMetrics, scheme)
                    == fixture(.underscoreEscapingWithSuffixes).text(.openMetrics)
            )
        }
    }
    @Test func namesThatAreOneWithUnderscoresAreOne() throws {
        let fixture = ExpositionFixture {
            $0.addsScopeLabels = false
            $0.strategy = .noTranslation
        }
        fixture.put(fixture.series("a.b"), 1)
        fixture.put(fixture.series("a_b"), 2)
        fixture.put(fixture.series("a_dot_b"), 3)
        // One metric is shown, and no scraper sees a name twice.
        #expect(fixture.store.counts[.nameClash] == 2)
        fixture.put(fixture.series("g", [Attribute("x.y", "1")]), 4)
        fixture.put(fixture.series("g", [Attribute("x_y", "1")]), 5, at: 2)
        #expect(fixture.store.counts.collisions == 1)
        #expect(
            try fixture.text(.text, .allowUTF8) == """
                # TYPE "a.b" gauge
                {"a.b"} 1
                # TYPE g gauge
                g{"x.y"="1"} 5

                """
        )
        for scheme in EscapingScheme.allCases { _ = try fixture.text(.openMetrics, scheme) }
    }
    @Test func namesAreFoundByWhatTheyLookLike() throws {
        let fixture = fixture(.noTranslation)
        let bytes = fixture.store.scrape(.text, escaping: .allowUTF8, now: .zero, names: ["foo.bar"]).all()
        #expect(String(decoding: bytes, as: UTF8.self).contains("{\"foo.bar\""))
    }
}
