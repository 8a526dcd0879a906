import PhoenixModel
import Testing

@testable import PhoenixWire

@Suite struct NamesTests {
    private func name(
        _ name: String,
        _ unit: String = "",
        _ kind: PointKind = .gauge,
        _ strategy: TranslationStrategy = .underscoreEscapingWithSuffixes,
        namespace: String = ""
    ) -> String? {
        let metric = MetricIdentity(name: name, unit: unit, kind: kind, isMonotonic: kind == .sum)
        return ExposedName(of: metric, strategy: strategy, namespace: namespace)?.sample
    }

    @Test(
        arguments: zip(
            TranslationStrategy.allCases,
            ["foo_bar_bytes_total", "foo_bar", "foo_bar_bytes_total", "foo_bar"]
        )
    )
    func strategies(_ strategy: TranslationStrategy, _ expected: String) {
        #expect(name("foo.bar", "By", .sum, strategy) == expected)
    }
    @Test func metricNames() {
        #expect(name("process.cpu.time", "s", .sum) == "process_cpu_time_seconds_total")
        #expect(name("a..b--c", "") == "a_b_c")
        #expect(name("a..b", "", .gauge, .noTranslation) == "a__b")
        #expect(name("1st") == "_1st")
        #expect(name("größe") == "gr_e")
        #expect(name("...") == nil)
        #expect(name("") == nil)
        #expect(name("x", namespace: "phoenix_opt_final_output") == "phoenix_opt_final_output_x")
        #expect(name("requests_total", "", .sum) == "requests_total")
        #expect(name("cpu.utilization", "1") == "cpu_utilization_ratio")
        #expect(name("things", "1", .sum) == "things_total")
        #expect(name("memory.bytes", "By") == "memory_bytes")
        #expect(name("wait_seconds_total", "s", .sum) == "wait_seconds_total")
        #expect(name("requests_total", "s", .sum) == "requests_seconds_total")
    }
    /// What an endpoint tells of itself is called as a series of that name would be.
    @Test(arguments: ["", "app", "my-app", "my.app", "9app", "métr", "a b", "a__b_", "-", "ns:x"])
    func plainNamesAreThoseOfSeries(_ namespace: String) {
        for strategy in TranslationStrategy.allCases {
            for own in ["phoenix_exposed_series", "my-series", "act.ive", "9", "größe", "-", ""] {
                let plain = strategy.plainName(own, under: namespace)
                #expect(plain == name(own, "", .gauge, strategy, namespace: namespace), "\(own), \(strategy)")
                if let plain { #expect(EscapingScheme.isLegacy(plain, colons: true)) }
            }
        }
        #expect(TranslationStrategy.noTranslation.plainName("act.ive", under: "my.app") == "my_app_act_ive")
        #expect(TranslationStrategy.noTranslation.plainName("9", under: "") == "_9")
    }
    @Test func units() {
        #expect(UnitWords.words(for: "By/s") == "bytes_per_second")
        #expect(UnitWords.words(for: "By/min") == "bytes_per_minute")
        #expect(UnitWords.unit(for: "bytes_per_minute") == "By/min")
        #expect(UnitWords.words(for: "m/s") == "meters_per_second")
        #expect(UnitWords.words(for: "{packet}/s") == "per_second")
        #expect(UnitWords.words(for: "{packet}") == nil)
        #expect(UnitWords.words(for: "1") == nil)
        #expect(UnitWords.words(for: "%") == "percent")
        #expect(UnitWords.words(for: "kBy") == "kilobytes")
        #expect(UnitWords.words(for: "TiBy") == "tebibytes")
        #expect(UnitWords.words(for: "m2.kg") == "m2_kg")
        #expect(name("r", "{r}/s") == "r_per_second")
    }
    @Test func labelNames() {
        #expect(LabelName.sanitized("process.executable.name") == "process_executable_name")
        #expect(LabelName.sanitized("1st") == "key_1st")
        #expect(LabelName.sanitized("__meta__") == "__meta__")
        #expect(LabelName.sanitized("__name__") == "exported_name")
        #expect(LabelName.sanitized("a..b") == "a_b")
        #expect(LabelName.sanitized("é") == "_")
        #expect(LabelName.sanitized("") == "_")
        #expect(LabelName.sanitized("a:b") == "a_b")
    }
}
