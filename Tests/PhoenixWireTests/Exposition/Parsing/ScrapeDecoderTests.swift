import PhoenixModel
import Testing

@testable import PhoenixWire

/// What expositions mean, rule by rule.
@Suite struct ScrapeDecoderTests {
    @Test func readsTheTextFormat() throws {
        var fixture = ScrapeFixture()
        let points = try fixture.points(
            """
            # HELP http_requests_total The total number of HTTP requests.
            # TYPE http_requests_total counter
            http_requests_total{method="post",code="200"} 1027 1395066363000
            http_requests_total{method="post",code="400",}    3

            # Escaping in label values:
            msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
            metric_without_timestamp_and_labels 12.47
            something_weird{problem="division by zero"} +Inf -0
              # TYPE h histogram
            h_bucket{le="1"} 2
            h_bucket{le="+Inf"} 3
            h_sum 4.5
            h_count 3
            # TYPE s summary
            s{quantile="0.5"} 7
            s_sum 9
            s_count 2
            """
        )
        #expect(
            points == [
                "http_requests_total sum code=200 method=post: 1027.0 @1395066363000000000",
                "http_requests_total sum code=400 method=post: 3.0",
                "msdos_file_access_time_seconds gauge error=Cannot find file:\n\"FILE.TXT\" path=C:\\DIR\\FILE.TXT: 1458255915.0",
                "metric_without_timestamp_and_labels gauge: 12.47",
                "h histogram: count 3 sum 4.5 [1.0] [2, 1]",
                "s summary: count 2 sum 9.0 0.5=7.0",
            ]
        )
    }
    @Test func readsOpenMetrics() throws {
        var fixture = ScrapeFixture(["job": "j", "instance": "i"])
        let points = try fixture.points(
            """
            # TYPE c_seconds counter
            # UNIT c_seconds seconds
            # HELP c_seconds Help \\"me\\".
            c_seconds_total{a="1"} 1.5 # {trace_id="0123456789abcdef0123456789abcdef",x="y"} 0.5 1.25
            c_seconds_created{a="1"} 12.000000001
            # TYPE h histogram
            h_bucket{le="0.1"} 1
            h_bucket{le="+Inf"} 2
            h_created 3
            # TYPE build info
            build_info{version="1"} 1
            # TYPE mode stateset
            mode{mode="a"} 1
            # TYPE gh gaugehistogram
            gh_bucket{le="+Inf"} 2
            gh_gcount 2
            # TYPE target info
            target_info{host="x"} 1
            # TYPE "my.metric" gauge
            {"my.metric","a.b"="c"} 9007199254740993
            # EOF

            """,
            .openMetrics
        )
        let resource = "resource.host=x resource.service.instance.id=i resource.service.name=j"
        #expect(
            points == [
                "c_seconds_total sum [s] a=1 \(resource): 1.5 since 12000000001",
                "build_info sum up-down version=1 \(resource): 1.0",
                "mode sum up-down mode=a \(resource): 1.0",
                "my.metric gauge a.b=c \(resource): int 9007199254740993",
                "h histogram \(resource): count 2 [0.1] [1, 1] since 3000000000",
            ]
        )
    }
    @Test(
        arguments: [
            ("a{b=\"c} 1\n", "line 1, column 5: the label value or quoted name does not end on its line"),
            ("a 1\nb{x=\"1\",x=\"2\"} 1\n", "line 2, column 9: the label `x` appears twice"),
            ("a one\n", "line 1, column 3: the value is no number"),
            ("a 1 2.5\n", "line 1, column 5: the timestamp is no number"),
            ("a 1 2 3\n", "line 1, column 7: unexpected text at the end of the line"),
            ("9a 1\n", "line 1, column 1: a metric name must begin with a letter, `_` or `:`"),
            ("# TYPE a sorcery\n", "line 1, column 10: `sorcery` is no metric type"),
            ("a{b=\"\u{1}\"} 1e999\n", "line 1, column 10: the value is no number"),
            ("{a=\"b\"} 1\n", "line 1, column 8: the sample has no name"),
            ("a{b} 1\n", "line 1, column 4: a label value must follow as `=\"value\"`"),
            ("a{b=\"c\";} 1\n", "line 1, column 8: expected `,` or `}` after a label"),
        ]
    ) func tellsWhatIsWrongAndWhere(_ text: String, _ reason: String) {
        var fixture = ScrapeFixture()
        let outcome = fixture.scrape(text)
        #expect(outcome.failure.map { "\($0)" } == "the exposition is malformed: " + reason)
        #expect(outcome.batches.isEmpty)
    }
    @Test(
        arguments: [
            ("a 1\n", "does not end with `# EOF`"), ("# EOF\na 1\n", "there is text after"),
            ("\n# EOF\n", "no blank lines"), ("# hello\n# EOF\n", "knows only the comments"),
            ("# TYPE a gauge\n# UNIT a seconds\n# EOF\n", "the unit `seconds` is not the end"),
            ("a 1 # {a=\"\(String(repeating: "x", count: 128))\"} one\n# EOF\n", "the value is no number"),
            ("a{b=\"c\",} 1\n# EOF\n", "a label name must"), ("a  1\n# EOF\n", "the value is no number"),
        ]
    ) func openMetricsIsStrict(_ text: String, _ reason: String) {
        var fixture = ScrapeFixture()
        let outcome = fixture.scrape(text, .openMetrics)
        #expect(outcome.failure.map { "\($0)".contains(reason) } == true, "\(outcome)")
    }

    @Test func anExemplarThatIsTooLongIsLostAlone() {
        var fixture = ScrapeFixture()
        func text(_ count: Int) -> String {
            "# TYPE a counter\na_total 1 # {l=\"\(String(repeating: "ü", count: count))\"} 0.5 2\n"
                + "# TYPE b gauge\nb 2\n# EOF\n"
        }
        for (count, exemplars) in [(127, 1), (128, 0)] {
            let outcome = fixture.scrape(text(count), .openMetrics)
            #expect(outcome.failure == nil)
            #expect(fixture.lines(outcome.batches) == ["a_total sum: 1.0", "b gauge: 2.0"])
            #expect(outcome.batches.flatMap(\.exemplars).count == exemplars)
            #expect(outcome.drops[.exemplar] == 1 - exemplars)
        }
    }

    @Test func targetLabelsWinUnlessScrapedOnesAreHonoured() throws {
        let text = "a{job=\"x\",exported_job=\"y\",env=\"z\"} 1\n"
        var fixture = ScrapeFixture(["job": "j", "env": "e"])
        #expect(
            try fixture.points(text) == [
                "a gauge env=e exported_env=z exported_exported_job=x exported_job=y resource.service.name=j: 1.0"
            ]
        )
        var honoring = ScrapeFixture(["job": "j", "env": "e"], honorsLabels: true)
        #expect(
            try honoring.points(text) == ["a gauge env=z exported_job=y resource.service.name=x: 1.0"]
        )
        #expect(try honoring.points("a{env=\"\"} 1\n").first == "a gauge resource.service.name=j: 1.0")
    }
    @Test func whatIsMissedEndsOnce() throws {
        var fixture = ScrapeFixture()
        let histogram = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\n"
        #expect(try fixture.points("a 1\nb 1\n" + histogram).count == 3)
        #expect(try fixture.points("a 1\n") == ["a gauge: 1.0", "b gauge: ended", "h histogram: ended"])
        #expect(try fixture.points("a 1\n") == ["a gauge: 1.0"])
        let failed = fixture.scrape("a 1\nc 1\n&\n")
        #expect(failed.failure != nil)
        #expect(fixture.lines(failed.batches) == ["a gauge: ended"])
        #expect(fixture.scrape("&").batches.isEmpty)
        let again = fixture.scrape("a 1\nc 1\n")
        #expect(fixture.lines(again.batches) == ["a gauge: 1.0", "c gauge: 1.0"])
        #expect(fixture.lines(fixture.decoder.lost(at: fixture.time)).count == 2)
        #expect(fixture.decoder.lost(at: fixture.time).isEmpty)
    }
    @Test func seriesWithTimesOfTheirOwnDoNotEndUnlessTracked() throws {
        var fixture = ScrapeFixture()
        _ = try fixture.points("a 1 5000\n")
        #expect(try fixture.points("") == [])
        var tracking = ScrapeFixture { $0.tracksTimestamps = true }
        _ = try tracking.points("a 1 5000\n")
        #expect(try tracking.points("") == ["a gauge: ended"])
        var ignoring = ScrapeFixture { $0.honorsTimestamps = false }
        #expect(try ignoring.points("a 1 5000\n") == ["a gauge: 1.0"])
        #expect(try ignoring.points("") == ["a gauge: ended"])
    }
    @Test func limitsFailTheWholeScrape() throws {
        var limits = ScrapeLimits()
        limits.samples = 2
        var fixture = ScrapeFixture { $0.limits = limits }
        #expect(try fixture.points("a 1\nb 1\n").count == 2)
        let over = fixture.scrape("a 1\nb 1\nc 1\n")
        #expect(over.failure == .samples(limit: 2))
        #expect([over.scraped, over.kept, over.added] == [3, 3, 1])
        #expect(fixture.lines(over.batches) == ["a gauge: ended", "b gauge: ended"])
        let farOver = fixture.scrape("c 1\nd 1\ne 1\nf 1\na 1\n")
        #expect(farOver.failure == .samples(limit: 2))
        #expect([farOver.scraped, farOver.kept, farOver.added] == [5, 5, 4])
        #expect(farOver.batches.isEmpty)
        limits = ScrapeLimits()
        (limits.labels, limits.labelNameLength, limits.labelValueLength) = (2, 8, 3)
        var strict = ScrapeFixture { $0.limits = limits }
        #expect(try strict.points("a{b=\"1\"} 1\n").count == 1)
        #expect(strict.scrape("a{b=\"1\",c=\"2\"} 1\n").failure == .labels(of: "a", count: 3, limit: 2))
        #expect(
            strict.scrape("a{bbbbbbbbb=\"1\"} 1\n").failure == .labelName("bbbbbbbbb", of: "a", limit: 8)
        )
        #expect(
            strict.scrape("a{b=\"1234\"} 1\n").failure == .labelValue(ofLabel: "b", of: "a", limit: 3)
        )
    }
    @Test func countsNewSeriesAndDrops() {
        var fixture = ScrapeFixture()
        #expect(fixture.scrape("a 1\nb 1\n").added == 2)
        #expect(fixture.scrape("a 1\nb 1\nc 1\n").added == 1)
        #expect(fixture.scrape("a 1\n").added == 0)
        #expect(fixture.scrape("a 1\nb 1\n").added == 1)
        let outcome = fixture.scrape(
            """
            # TYPE h histogram
            h_bucket{le="1"} 2
            h_bucket{le="+Inf"} 1
            # TYPE f histogram
            f_count 1.5
            # TYPE n histogram
            n_sum 1
            # TYPE w histogram
            w_bucket{x="y"} 1
            a 1
            a 2
            b 1 -5

            """
        )
        #expect(outcome.drops[.bucketOrder] == 1)
        #expect(outcome.drops[.fractionalCount] == 1)
        #expect(outcome.drops[.noCount] == 1)
        #expect(outcome.drops[.noBound] == 1)
        #expect(outcome.drops[.duplicate] == 1)
        #expect(outcome.drops[.time] == 1)
    }
    @Test func aChangedTypeOrTargetInfoIsAnotherSeries() throws {
        var fixture = ScrapeFixture(["job": "j"])
        _ = try fixture.points("a 1\ntarget_info{v=\"1\"} 1\n")
        #expect(
            try fixture.points("# TYPE a counter\na 1\ntarget_info{v=\"1\"} 1\n") == [
                "a sum resource.service.name=j resource.v=1: 1.0",
                "a gauge resource.service.name=j resource.v=1: ended",
            ]
        )
        #expect(
            try fixture.points("# TYPE a counter\na 1\ntarget_info{v=\"2\"} 1\n") == [
                "a sum resource.service.name=j resource.v=2: 1.0",
                "a sum resource.service.name=j resource.v=1: ended",
            ]
        )
    }
    @Test func relabellingMayDropRenameAndMerge() throws {
        var fixture = ScrapeFixture { options in
            options.rewriting.relabel = { labels in
                var labels = labels
                if labels["drop"] == "1" { return nil }
                labels["__name__"] = "x_" + labels["__name__"]
                labels["merge"] = ""
                return labels
            }
        }
        let outcome = fixture.scrape("a{drop=\"1\"} 1\na{merge=\"1\"} 1\na{merge=\"2\"} 2\n")
        #expect(fixture.lines(outcome.batches) == ["x_a gauge: 1.0"])
        #expect([outcome.scraped, outcome.kept, outcome.added] == [3, 2, 2])
        #expect(outcome.drops[.relabeled] == 1)
        #expect(outcome.drops[.duplicate] == 1)
    }
    @Test func numbersAreThoseOfTheLibrary() {
        var random = Seeded(7)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: random.next())
            guard number.isFinite else { continue }
            var text = random.once(in: 2) ? "\(number)" : "\(number.rounded())"
            #expect(
                text.withUTF8 { SampleNumber.double($0) }?.bitPattern == Double(text)?.bitPattern,
                "\(text)"
            )
        }
        for text in ["", ".", "e5", "1e", "1.2.3", "0x10", "1_0", "--1", "1e5.5", "nan1", "+"] {
            var text = text
            #expect(text.withUTF8 { SampleNumber.double($0) } == nil, "\(text)")
        }
        for (text, nanoseconds) in [("1.5", 1_500_000_000), ("0", 0), ("1e3", 1_000_000_000_000)]
            as [(String, UInt64)]
        {
            var text = text
            #expect(text.withUTF8 { SampleNumber.time($0, inSeconds: true) }.time == nanoseconds)
        }
    }
}
