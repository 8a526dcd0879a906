import PhoenixModel
import Testing

@testable import PhoenixWire

/// What swift-protobuf reads of what is written by hand. That all kinds say what the text says is a property
/// (`ExpositionPropertyTests`).
@Suite struct FamilyMessageTests {
    private func exemplar(_ id: SeriesID, _ value: Double, at seconds: UInt64 = 2) -> Exemplar {
        Exemplar(
            series: id,
            timeUnixNano: seconds * 1_000_000_000,
            bits: value.bitPattern,
            flags: [],
            traceID: [UInt8](repeating: 0xab, count: 16),
            spanID: [],
            filteredAttributes: AttributeSet([Attribute("q", "a\"b\\c\nd")])
        )
    }

    @Test func countersCarryHelpUnitLabelsExemplarAndStart() throws {
        let fixture = ExpositionFixture {
            $0.addsScopeLabels = false
            $0.sendsCreated = true
        }
        let id = fixture.series("busy", [Attribute("k", "a\"b\\c\nd")], kind: .sum, unit: "s", help: "A \"b\"\n")
        var parts = MetricBatch.Parts()
        parts.numbers.append(id, time: 5, start: 1_500_000_000, bits: 2.5.bitPattern, flags: [])
        parts.exemplars = [exemplar(id, 1.5)]
        fixture.store.ingest(MetricBatch(parts), fixture.table, now: .zero)
        let family = try #require(fixture.messages()["busy_seconds_total"])
        #expect((family.help, family.unit, family.type) == ("A \"b\"\n", "seconds", .counter))
        let metric = try #require(family.metric.first)
        #expect(metric.label.map(\.name) == ["k"])
        #expect(metric.label.map(\.value) == ["a\"b\\c\nd"])
        #expect(!metric.hasTimestampMs)
        #expect(metric.counter.value == 2.5)
        #expect(metric.counter.createdTimestamp.seconds == 1)
        #expect(metric.counter.createdTimestamp.nanos == 500_000_000)
        #expect(metric.counter.exemplar.value == 1.5)
        #expect(metric.counter.exemplar.timestamp.seconds == 2)
        #expect(metric.counter.exemplar.label.map(\.name) == ["trace_id", "q"])
        #expect(metric.counter.exemplar.label.last?.value == "a\"b\\c\nd")
    }
    @Test func exponentialHistogramsAreNativeAndClassic() throws {
        let fixture = ExpositionFixture { $0.addsScopeLabels = false }
        let id = fixture.series("e", kind: .exponentialHistogram)
        fixture.put(
            exponential: id,
            scale: 0,
            zero: 3,
            threshold: 0.25,
            positive: (0, [1, 0, 4]),
            negative: (1, [5, 6]),
            sum: -7,
            exemplars: [exemplar(id, 1.5), exemplar(id, 6, at: 0)]
        )
        let histogram = try #require(fixture.messages()["e"]?.metric.first?.histogram)
        #expect((histogram.sampleCount, histogram.sampleSum) == (19, -7))
        #expect((histogram.schema, histogram.zeroThreshold, histogram.zeroCount) == (0, 0.25, 3))
        #expect(histogram.positiveSpan.map(\.offset) == [1, 1])
        #expect(histogram.positiveDelta == [1, 3])
        #expect(histogram.negativeSpan.map(\.length) == [2])
        #expect(histogram.negativeDelta == [5, 1])
        #expect(histogram.bucket.map(\.upperBound) == [-4, -2, 0.25, 2, 4, 8, .infinity])
        // A native histogram's exemplars must have times; a bucket's need none.
        #expect(histogram.exemplars.map(\.value) == [1.5])
        #expect(histogram.bucket.filter(\.hasExemplar).map(\.upperBound) == [2, 8])
    }
    @Test func whatNoNativeHistogramCanSayIsClassicOnly() throws {
        let fixture = ExpositionFixture { $0.addsScopeLabels = false }
        fixture.put(
            exponential: fixture.series("coarse", kind: .exponentialHistogram),
            scale: -5,
            positive: (0, [1])
        )
        fixture.put(
            exponential: fixture.series("sumless", kind: .exponentialHistogram),
            scale: 0,
            positive: (0, [1]),
            sum: nil
        )
        fixture.put(exponential: fixture.series("empty", kind: .exponentialHistogram), scale: 0)
        let read = try fixture.messages()
        for name in ["coarse", "sumless"] {
            let histogram = try #require(read[name]?.metric.first?.histogram)
            #expect(!histogram.hasSchema)
            #expect(histogram.bucket.count == 2)
        }
        // Before the first observation it is a native histogram already.
        let empty = try #require(read["empty"]?.metric.first?.histogram)
        #expect(empty.positiveSpan.map(\.length) == [0])
        #expect(empty.hasSchema)
    }
    @Test func aFamilyLargerThanAPageComesInSeveralMessages() throws {
        let fixture = ExpositionFixture { $0.addsScopeLabels = false }
        let count = 6000
        let points = (0..<count).map { number in
            let pad = Attribute("pad", .string(String(repeating: "x", count: 120)))
            return (fixture.series("g", [Attribute("n", .int(Int64(number))), pad]), Number(Int64(number)))
        }
        fixture.put(points)
        fixture.put(fixture.series("h"), 1)
        let read = try fixture.messages()
        #expect(read.messages.filter { $0.name == "g" }.count > 2)
        #expect(read.messages.flatMap { $0.name == "g" ? $0.metric : [] }.map(\.gauge.value) == (0..<count).map(Double.init))
        #expect(read.messages.last?.name == "h")
    }
    @Test func timesOfPointsWhereTheyAreWanted() throws {
        let fixture = ExpositionFixture { $0.sendsTimestamps = true }
        fixture.put(fixture.series("g"), 1, at: 1_700_000_000_123_000_000)
        #expect(try fixture.messages()["g"]?.metric.first?.timestampMs == 1_700_000_000_123)
    }
    @Test func plainFamiliesAndTargets() throws {
        let families = [
            PlainFamily("phoenix_x_total", "Things.", .counter, [.init(3, [ExposedLabel("reason", "a\"")]), .init(7)]),
            PlainFamily("phoenix_control_info", "Mode.", .info, [.init(1, [ExposedLabel("mode", "balanced")])]),
            PlainFamily("phoenix_none", "None.", .gauge, []),
        ]
        let read = try MessageReader(PlainFamily.exposition(families, as: .protobuf))
        #expect(read.messages.map(\.name) == ["phoenix_control_info", "phoenix_x_total"])
        #expect(read.types == ["phoenix_control_info": "gauge", "phoenix_x_total": "counter"])
        #expect(read["phoenix_x_total"]?.metric.map(\.counter.value) == [3, 7])
        #expect(read["phoenix_x_total"]?.metric.first?.label.first?.value == "a\"")
    }
    @Test func noSeriesIsNoMessage() {
        #expect(ExpositionFixture().store.scrape(.protobuf, now: .zero).all().isEmpty)
    }
}
