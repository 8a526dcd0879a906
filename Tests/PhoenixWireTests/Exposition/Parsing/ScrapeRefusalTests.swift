import PhoenixModel
import Testing

@testable import PhoenixWire

/// A scrape that is refused leaves nothing behind, and one that is taken finds its series only then.
@Suite struct ScrapeRefusalTests {
    /// Ever new series, families and resources: refused for their end, or for the limit of samples.
    @Test(arguments: [(0, "broken{\n"), (50, "")]) func failingAgainAndAgainTakesNoMore(
        limit: Int,
        end: String
    ) {
        let table = SeriesTable()
        var options = ScrapeDecoder.Options(ScrapeRewriting(LabelSet(), honorsLabels: true))
        options.limits.samples = limit
        var reader = TargetReader(table, "test", options)
        defer { reader.free() }
        func scrape(_ text: String) -> ScrapeOutcome {
            Array(text.utf8).withUnsafeBytes { reader.read($0, .text, at: 1_000_000_000_000) }
        }
        #expect(scrape("a 1\n").failure == nil)
        table.advance(to: 2)
        let before = table.census
        #expect(before.series == 1)
        for round in 0..<100 {
            let lines = (0..<200).map { number in
                let name = "m\(round)_\(number)"
                return
                    "# TYPE \(name) histogram\n\(name)_count{job=\"j\(round)\",id=\"\(round)-\(number)\"} 1\n"
                    + "n\(name){job=\"j\(round)\"} 1\n"
            }
            let outcome = scrape("a 1\n" + lines.joined() + end)
            #expect(outcome.failure != nil)
            #expect([outcome.scraped, outcome.kept] == [401, 401])
            #expect(reader.lines.count <= 1)
            #expect(reader.streams.known.count == 1)
            #expect(reader.resources.resources.count <= 2)
            #expect(reader.families.families.count <= 1024 + 200)
            #expect(reader.parts.count == 0)
            #expect(reader.drafts.isEmpty)
        }
        // What nobody holds leaves the table at its next rounds.
        for tick in UInt32(3)..<40 { table.advance(to: tick) }
        #expect(table.census == before)
        let again = scrape("a 1\n")
        #expect(again.failure == nil)
        #expect(again.batches.flatMap(\.numbers.series).count == 1)
        #expect(table.census.series == 1)
    }

    private static let long: (text: String, points: [String]) = {
        let counts = [("c", 9000), ("d", 1000)]
        let text = counts.map { name, count in
            "# TYPE \(name) counter\n" + (0..<count).map { "\(name){i=\"\($0)\"} \($0)\n" }.joined()
        }
        let points = counts.flatMap { name, count in
            (0..<count).map { "\(name) sum i=\($0): \(Double($0))" }
        }
        return (text.joined(), points)
    }()
    @Test func pointsOfSeveralBatchesAreOfTheirSeries() throws {
        var fixture = ScrapeFixture()
        // Twice: the second time every line is known.
        for _ in 0..<2 {
            let outcome = fixture.scrape(Self.long.text)
            #expect(outcome.failure == nil)
            #expect(outcome.batches.count == 2)
            #expect(fixture.lines(outcome.batches) == Self.long.points)
        }
    }
    @Test func aTableWithoutRoomTakesWhatItCan() throws {
        let table = SeriesTable(capacity: 1)
        let options = ScrapeDecoder.Options(ScrapeRewriting(LabelSet()))
        let decoder = ScrapeDecoder(table: table, lane: "test", options)
        let outcome = Array(Self.long.text.utf8).withUnsafeBytes { decoder.decode($0, as: .text, at: 1) }
        #expect(outcome.failure == nil)
        var held = 0
        for batch in outcome.batches {
            for (index, id) in batch.numbers.series.enumerated() {
                let series = try #require(table.series(id))
                let value = Double(bitPattern: batch.numbers.values[index])
                #expect(series.attributes.attributes.map(\.value.text) == ["\(Int(value))"])
                held += 1
            }
        }
        #expect(held > 0)
        #expect(held == table.census.series)
        #expect(held + outcome.drops[.seriesLimit] == 10_000)
    }
}
