import NIOCore
import PhoenixModel
import Testing

@testable import PhoenixWire

/// Whatever comes, an exposition can be read and has no label set twice.
@Suite struct ExpositionPropertyTests {
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
            return z ^ z >> 31
        }
    }
    private static let words = [
        "a", "b.c", "b_c", "le", "1", "é", "_", "__name__", "job", "x y", "", "quantile", "total", "a_total",
        "count", "bucket", "otel.scope.name", "host.name",
    ]

    @Test(arguments: 0..<12 as Range<UInt64>) func alwaysReadable(seed: UInt64) throws {
        var random = Generator(state: seed)
        var fixture = ExpositionFixture { options in
            options.convertsResource = seed % 2 == 0
            options.addsScopeLabels = seed % 3 == 0
            options.strategy = TranslationStrategy.allCases[Int(seed % 4)]
            options.constantLabels = seed % 5 == 0 ? ["b.c": "const"] : [:]
            options.expiration = .seconds(20)
        }
        func word() -> String { Self.words.randomElement(using: &random)! }
        func attributes() -> [Attribute] {
            (0..<Int.random(in: 0..<4, using: &random)).map { _ in
                Attribute(word(), .string(["1", "2", "q\"\\\n", ""].randomElement(using: &random)!))
            }
        }
        for round in 1..<30 as Range<UInt64> {
            for _ in 0..<20 {
                let kind = PointKind.allCases.randomElement(using: &random)!
                let id = fixture.series(
                    word() + "." + word(),
                    attributes(),
                    kind: kind,
                    unit: ["", "s", "1"].randomElement(using: &random)!,
                    temporality: kind == .gauge || kind == .summary
                        ? nil : Bool.random(using: &random) ? .delta : .cumulative,
                    monotonic: kind == .sum && Bool.random(using: &random),
                    resource: attributes(),
                    scope: Scope(name: word())
                )
                let value = Double.random(in: -10...1e6, using: &random)
                switch kind {
                case .gauge, .sum:
                    fixture.put(
                        id,
                        value,
                        at: round,
                        flags: Int.random(in: 0..<10, using: &random) == 0 ? .noRecordedValue : []
                    )
                case .histogram:
                    fixture.put(
                        histogram: id,
                        [round, 1, 2],
                        bounds: Bool.random(using: &random) ? [-1, 1] : [1, 2.5],
                        sum: Bool.random(using: &random) ? value : nil,
                        at: round
                    )
                case .exponentialHistogram:
                    fixture.put(
                        exponential: id,
                        scale: Int32.random(in: -3...20, using: &random),
                        zero: round,
                        threshold: Double.random(in: 0..<1, using: &random),
                        positive: (Int32.random(in: -9...9, using: &random), [1, 0, round]),
                        negative: (0, Bool.random(using: &random) ? [1] : []),
                        at: round
                    )
                case .summary: fixture.put(summary: id, count: 1, sum: 1, [(0.9, value), (0.1, 1)])
                }
            }
            fixture.now += .seconds(1)
            if round % 7 == 0 { while !fixture.store.expire(now: fixture.now, limit: 5) {} }
            // Every scheme of the four has its turn.
            for scheme in Set([.underscores, EscapingScheme.allCases[Int(round % 4)]]) {
                let text = try fixture.read(.text, scheme)
                let open = try fixture.read(.openMetrics, scheme)
                #expect(text.families.count + 3 >= open.families.count)
                // Protobuf says what the text says, by the names and types of the text.
                let messages = try fixture.messages(scheme)
                #expect(messages.samples == text.valuesByName)
                #expect(messages.types == text.types)
                // Whatever the names look like, there is as much to see.
                #expect(try text.valuesByName.count == fixture.read(.text).valuesByName.count)
            }
        }
    }
    @Test func scrapesSeeEachLastingSeriesOnceWhileOthersComeAndGo() throws {
        let fixture = ExpositionFixture()
        let lasting = (0..<4000).map {
            fixture.series(
                "g",
                [
                    Attribute("lasting", .int(Int64($0))),
                    Attribute("pad", .string(String(repeating: "p", count: 300))),
                ]
            )
        }
        let brief = (0..<4000).map { fixture.series("g", [Attribute("brief", .int(Int64($0)))]) }
        for (first, second) in zip(brief, lasting) { fixture.put([(first, .zero), (second, .zero)]) }
        let scrape = fixture.store.scrape(.openMetrics, now: fixture.now)
        var (bytes, pages): ([UInt8], Int) = ([], 0)
        while scrape.next(into: &bytes) {
            pages += 1
            // The brief ones end page by page, which closes up the list under the scrape; new ones come.
            for id in brief[min((pages - 1) * 1000, 4000)..<min(pages * 1000, 4000)] {
                fixture.end(id, at: 2)
            }
            fixture.put(fixture.series("g", [Attribute("new", .int(Int64(pages)))]), 1)
            fixture.put(fixture.series("a.new.family"), 1)
        }
        #expect(pages > 3)
        let read = try ExpositionReader(bytes, true)
        let seen = read["g"]!.samples.compactMap { $0.labels["lasting"] }
        #expect(seen.count == 4000)
        #expect(Set(seen).count == 4000)
        #expect(fixture.store.activeSeries == 4000 + pages + 1)
    }
    @Test func filtersByName() throws {
        let fixture = ExpositionFixture()
        fixture.put(fixture.series("a"), 1)
        fixture.put(fixture.series("b", kind: .sum), 1)
        let bytes = fixture.store.scrape(
            .text,
            now: .zero,
            names: ExpositionHandler.names("x=1&name[]=b_total&name%5B%5D=%63")
        ).all()
        #expect(String(decoding: bytes, as: UTF8.self) == "# TYPE b_total counter\nb_total 1\n")
    }
}
