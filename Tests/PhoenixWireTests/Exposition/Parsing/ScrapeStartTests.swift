import PhoenixModel
import Testing

@testable import PhoenixWire

/// `_created`: the start of a stream, or a number like any other.
@Suite struct ScrapeStartTests {
    private static let gauge = "# TYPE jobs_created gauge\n"
    private static func text(_ value: String, _ comment: String = ScrapeStartTests.gauge) -> String {
        "# TYPE jobs_total counter\njobs_total 7\n\(comment)jobs_created \(value)\n"
    }
    private static func fixture() -> ScrapeFixture {
        var fixture = ScrapeFixture()
        fixture.time = 1_700_000_000_000_000_000
        return fixture
    }
    private static let start = "jobs_total sum: 7.0 since 1600000000500000000"

    @Test func inTheTextFormatTheValueTellsAStartFromANumber() throws {
        var fixture = Self.fixture()
        // Twice: the second time every line is known.
        for _ in 0..<2 {
            #expect(
                try fixture.points(Self.text("42")) == ["jobs_total sum: 7.0", "jobs_created gauge: 42.0"]
            )
        }
        #expect(try fixture.points(Self.text("1600000000.5")) == [Self.start, "jobs_created gauge: ended"])
        #expect(try fixture.points(Self.text("1.6000000005e+09")) == [Self.start])
        // An hour ago, and a year ahead.
        #expect(try fixture.points(Self.text("1699996400")).count == 1)
        #expect(try fixture.points(Self.text("1731536000")).count == 2)
        for value in ["-1", "NaN", "+Inf", "0", "946684799"] {
            #expect(try fixture.points(Self.text(value)).count == 2, "\(value)")
        }
    }
    @Test func anotherTypeMakesItAMetricOfItsOwn() throws {
        var fixture = Self.fixture()
        let number = "jobs_created sum: 1600000000.5"
        #expect(try fixture.points(Self.text("1600000000.5", "")) == [Self.start])
        for _ in 0..<2 {
            #expect(
                try fixture.points(Self.text("1600000000.5", "# TYPE jobs_created counter\n")) == [
                    "jobs_total sum: 7.0", number,
                ]
            )
        }
        #expect(
            try fixture.points(Self.text("1600000000.5")) == [Self.start, "jobs_created sum: ended"]
        )
    }
    @Test func histogramsAndSummariesToo() throws {
        var fixture = Self.fixture()
        let text = """
            # TYPE h histogram
            h_bucket{le="+Inf"} 1
            h_sum 1
            h_count 1
            h_created 3
            # TYPE s summary
            s_sum 1
            s_count 1
            s_created 1600000000.5

            """
        #expect(
            try fixture.points(text) == [
                "h_created gauge: 3.0", "h histogram: count 1 sum 1.0 [] [1]",
                "s summary: count 1 sum 1.0  since 1600000000500000000",
            ]
        )
    }
    /// Whether lines were known before makes no difference, whatever is declared, and where.
    @Test(arguments: 0..<100 as Range<UInt64>) func knownLinesAreWhatNewOnesAre(seed: UInt64) throws {
        var random = Seeded(seed)
        var warm = Self.fixture()
        for _ in 0..<30 {
            let words = [
                Self.gauge, "# TYPE jobs_created counter\n", "# HELP jobs_created Jobs.\n",
                "# TYPE jobs_total counter\n", "# TYPE jobs_total gauge\n", "# TYPE jobs histogram\n",
                "jobs_created 42\n", "jobs_created 1600000000.5\n", "jobs_total 7\n", "jobs_count 3\n",
            ]
            let text = (0..<random.below(8)).map { _ in random.pick(words) }.joined()
            var cold = Self.fixture()
            cold.time = warm.time
            let news = try warm.points(text).filter { !$0.hasSuffix(": ended") }
            #expect(try cold.points(text) == news, "seed \(seed): \(text)")
        }
    }
    @Test func aStartOfNothingIsCounted() {
        var fixture = ScrapeFixture()
        let alone = fixture.scrape("# TYPE c counter\nc_created{a=\"1\"} 5\nc_total 1\n# EOF\n", .openMetrics)
        #expect(fixture.lines(alone.batches) == ["c_total sum: 1.0"])
        #expect(alone.drops[.startAlone] == 1)
        let never = fixture.scrape("# TYPE c counter\nc_total 1\nc_created -1\n# EOF\n", .openMetrics)
        #expect(fixture.lines(never.batches) == ["c_total sum: 1.0"])
        #expect((never.drops[.startAlone], never.drops[.time]) == (0, 1))
    }
}
