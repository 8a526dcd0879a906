import PhoenixModel
import Testing

@testable import PhoenixWire

/// Scraping Phoenix with Phoenix is the identity; damaged expositions give an error or what they say.
@Suite struct ScrapePropertyTests {
    private static let words = [
        "a", "b.c", "b_c", "le", "1", "é", "job", "x y", "quantile", "total", "a_total", "count", "bucket",
        "otel.scope.name", "host.name", "ratio", "info",
    ]
    /// An exposition of whatever comes to mind, in each format.
    private static func store(_ random: inout Seeded) -> ExpositionFixture {
        let isLong = random.once(in: 2)
        let fixture = ExpositionFixture { options in
            options.sendsCreated = isLong
            options.sendsTimestamps = false
        }
        func attributes(_ random: inout Seeded, _ keys: [String]) -> [Attribute] {
            (0..<random.below(4)).map { _ in
                Attribute(random.pick(keys), .string(random.pick(["1", "2", "q\"\\\n", "ü", "a,b} 1"])))
            }
        }
        let resources = [
            [], [Attribute("service.name", "s"), Attribute("host.name", "h")],
            [
                Attribute("service.namespace", "n"), Attribute("service.name", "s"),
                Attribute("service.instance.id", "7"), Attribute("k8s.pod", "p\"\\\n"),
            ],
        ]
        for _ in 0..<random.below(30) {
            let kind = random.pick(PointKind.allCases)
            let id = fixture.series(
                random.pick(words) + "." + random.pick(words),
                attributes(&random, words),
                kind: kind,
                unit: random.pick(["", "s", "1", "By/s", "{req}", "%"]),
                monotonic: kind == .sum && random.once(in: 2),
                resource: random.pick(resources),
                scope: Scope(
                    name: random.pick(["", "lib"]),
                    version: random.pick(["", "1"]),
                    attributes: AttributeSet(attributes(&random, ["x", "y.z"]))
                ),
                help: random.pick(["", "Help \\ \"me\"\nplease."])
            )
            let value = random.pick([0.5, 3, 1e9, 123_456.789, 1e-7, Double(random.below(1 << 30))])
            let start: UInt64 = random.once(in: 2) ? 0 : 1_500_000_000
            switch kind {
            case .gauge: fixture.put(id, random.pick([value, -value, .infinity, .nan]), at: 2)
            case .sum:
                if random.once(in: 3) {
                    fixture.put(id, 9_007_199_254_740_993, at: 2_000_000_000, start: start)
                } else {
                    fixture.put(id, value, at: 2_000_000_000, start: start)
                }
            case .histogram:
                let exemplar = Exemplar(
                    series: id,
                    timeUnixNano: 1_700_000_000,
                    bits: 1.5.bitPattern,
                    flags: [],
                    traceID: Array(repeating: 0xAB, count: 16),
                    spanID: [1, 2, 3, 4, 5, 6, 7, 8],
                    filteredAttributes: AttributeSet([Attribute("k.v", "w")])
                )
                fixture.put(
                    histogram: id,
                    [random.next() % 100, 1, 2],
                    bounds: random.pick([[-1, 1], [1, 2.5], [0.1, 1e7]]),
                    sum: random.once(in: 3) ? nil : value,
                    at: 2_000_000_000,
                    start: start,
                    exemplars: random.once(in: 2) ? [exemplar] : []
                )
            case .exponentialHistogram:
                fixture.put(
                    exponential: id,
                    scale: Int32(random.below(6)) - 2,
                    zero: 3,
                    positive: (Int32(random.below(9)) - 4, [1, 0, 5])
                )
            case .summary: fixture.put(summary: id, count: 4, sum: value, [(0.9, value), (0.1, 1)])
            }
        }
        return fixture
    }

    /// The lines that only one of two texts has. Neither order matters, that of lines nor that of labels.
    private static func difference(_ first: String, _ second: String) -> [String] {
        func lines(_ text: String) -> [String] {
            text.split(separator: "\n").map { line in
                guard !line.hasPrefix("#") else { return String(line) }
                return Array(line.utf8).withUnsafeBytes { bytes in
                    var cursor = ExpositionCursor(bytes, .text)
                    let labels = (try? cursor.series()).map { "\($0)" } ?? "unreadable"
                    return labels + String(decoding: cursor.restOfLine(), as: UTF8.self)
                }
            }.sorted()
        }
        let difference = lines(second).difference(from: lines(first))
        return difference.map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func scrapingIsTheIdentity(seed: UInt64) throws {
        var random = Seeded(seed)
        let source = Self.store(&random)
        for (format, syntax) in [
            (ExpositionFormat.text, ExpositionSyntax.text), (.openMetrics, .openMetrics),
        ] {
            let first = try source.text(format)
            var scraper = ScrapeFixture(honorsLabels: true)
            let options = source.store.options
            let copy = ExpositionStore(options, watchingSince: 0)
            // Twice: the second time every line is known.
            for _ in 0..<2 {
                let outcome = scraper.scrape(first, syntax)
                #expect(outcome.failure == nil, "seed \(seed)")
                for batch in outcome.batches { copy.ingest(batch, scraper.table, now: .zero) }
            }
            let second = String(decoding: copy.scrape(format, now: .zero).all(), as: UTF8.self)
            #expect(Self.difference(first, second) == [], "seed \(seed)")
        }
    }

    /// The damage that a line, a proxy or a bug may do.
    private static func damage(_ bytes: inout [UInt8], _ random: inout Seeded) {
        for _ in 0...random.below(3) {
            guard !bytes.isEmpty else { return }
            let place = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(random.pick(Array("\"{}\\ \n#,=1.eE-+".utf8)), at: place)
            case 3: bytes.removeSubrange(place..<min(place + random.below(40), bytes.count))
            case 4:
                bytes.insert(contentsOf: bytes[place..<min(place + random.below(90), bytes.count)], at: place)
            default: bytes.removeSubrange(place...)
            }
        }
    }
    @Test(arguments: 0..<100 as Range<UInt64>) func damageGivesAnErrorOrWhatItSays(seed: UInt64) throws {
        var random = Seeded(seed &+ 1000)
        let source = Self.store(&random)
        for (format, syntax) in [
            (ExpositionFormat.text, ExpositionSyntax.text), (.openMetrics, .openMetrics),
        ] {
            let whole = Array(try source.text(format).utf8)
            var warm = ScrapeFixture(["job": "j"])
            for _ in 0..<30 {
                var bytes = whole
                Self.damage(&bytes, &random)
                #expect(warm.scrape(whole, syntax).failure == nil, "seed \(seed)")
                let known = warm.scrape(bytes, syntax)
                var cold = ScrapeFixture(["job": "j"])
                cold.time = warm.time - 1_000_000_000
                let fresh = cold.scrape(bytes, syntax)
                // Whether lines were known before makes no difference.
                #expect(known.failure == fresh.failure, "seed \(seed)")
                #expect([known.scraped, known.kept] == [fresh.scraped, fresh.kept], "seed \(seed)")
                let news = warm.lines(known.batches).filter { !$0.hasSuffix(": ended") }
                #expect(news == cold.lines(fresh.batches), "seed \(seed)")
                if fresh.failure != nil { #expect(fresh.batches.isEmpty, "seed \(seed)") }
            }
        }
    }
}
