import PhoenixModel
import SwiftProtobuf
import Testing

@testable import PhoenixWire

/// Blocks with histograms that are recognised by a template are decoded as the long way decodes them.
@Suite struct HistogramTemplateTests {
    private struct Histogram {
        var time: UInt64 = 7
        var counts: [UInt64] = [1, 2, 3]
        var bounds: [Double] = [0.5, 1]
        var total: UInt64?
        var hasExtremes = true
        var sum = 4.5
    }
    /// A resource for each of `points`: a gauge, two histogram points of one metric, and a sum.
    private static func request(
        _ points: [Histogram],
        _ change: (inout Judge.HistogramPoint) -> Void = { _ in }
    ) throws -> [UInt8] {
        try Judge.Request.with { request in
            request.resourceMetrics = points.enumerated().map { index, histogram in
                .with { block in
                    block.resource.attributes = [
                        .with { ($0.key, $0.value.stringValue) = ("host", "\(index)") }
                    ]
                    let gauge = Judge.Metric.with { metric in
                        metric.name = "memory"
                        metric.gauge.dataPoints = [.with { ($0.timeUnixNano, $0.asInt) = (9, Int64(index)) }]
                    }
                    let both = Judge.Metric.with { metric in
                        metric.name = "latency"
                        metric.histogram.aggregationTemporality = .cumulative
                        metric.histogram.dataPoints = ["/a", "/b"].map { route in
                            var point = point(histogram, route)
                            change(&point)
                            return point
                        }
                    }
                    let sum = Judge.Metric.with { metric in
                        (metric.name, metric.sum.aggregationTemporality) = ("cpu", .cumulative)
                        metric.sum.dataPoints = [.with { ($0.timeUnixNano, $0.asDouble) = (9, 0.25) }]
                    }
                    block.scopeMetrics = [.with { $0.metrics = [gauge, both, sum] }]
                }
            }
        }.serializedBytes()
    }
    private static func point(_ histogram: Histogram, _ route: String) -> Judge.HistogramPoint {
        .with { point in
            point.attributes = [.with { ($0.key, $0.value.stringValue) = ("route", route) }]
            (point.startTimeUnixNano, point.timeUnixNano) = (5, histogram.time)
            (point.bucketCounts, point.explicitBounds) = (histogram.counts, histogram.bounds)
            point.count = histogram.total ?? histogram.counts.reduce(0, &+)
            point.sum = histogram.sum
            if histogram.hasExtremes { (point.min, point.max) = (0.25, histogram.sum) }
        }
    }
    private static func decode(
        _ decoder: inout RequestDecoder,
        _ body: [UInt8]
    ) throws -> (batch: MetricBatch?, refusals: Refusals) {
        let refusals = try body.withUnsafeBytes { try decoder.decode($0) }
        return (decoder.builder.take(epoch: 0), refusals)
    }
    private static func decoder(_ table: SeriesTable = SeriesTable()) -> RequestDecoder {
        RequestDecoder(table: table, lane: "test", maximumCacheBytes: 1 << 20)
    }
    private static func expectSame(_ batch: MetricBatch, _ other: MetricBatch) {
        let (found, expected) = (batch.histograms, other.histograms)
        #expect(found.series == expected.series && found.times == expected.times)
        #expect(found.starts == expected.starts && found.flags == expected.flags)
        #expect(found.counts == expected.counts && found.offsets == expected.offsets)
        #expect(found.sums.map(\.bitPattern) == expected.sums.map(\.bitPattern))
        #expect(found.minima == expected.minima && found.maxima == expected.maxima)
        #expect(found.buckets == expected.buckets && Array(found.layouts) == Array(expected.layouts))
        #expect(batch.numbers.series == other.numbers.series && batch.numbers.values == other.numbers.values)
        #expect(batch.numbers.times == other.numbers.times && batch.numbers.flags == other.numbers.flags)
    }

    @Test(arguments: [true, false])
    func aTemplateReadsWhatTheLongWayReads(hasExtremes: Bool) throws {
        var random = Seeded(29)
        let table = SeriesTable()
        var decoder = Self.decoder(table)
        defer { decoder.free() }
        for round in 1..<50 {
            let points = (0..<4).map { index in
                Histogram(
                    time: 1 + random.next() % 9,
                    counts: (0..<3).map { _ in 1 + random.next() >> UInt64(4 + random.below(59)) },
                    hasExtremes: hasExtremes,
                    sum: Double(random.below(1000)) / 7 + Double(index)
                )
            }
            let body = try Self.request(points)
            let (batch, refusals) = try Self.decode(&decoder, body)
            // Decoders that have seen nothing know nothing by a template.
            var bodies: [MetricBatch] = []
            for point in points.indices {
                var one = try Judge.Request(serializedBytes: body)
                one.resourceMetrics = [one.resourceMetrics[point]]
                let alone: [UInt8] = try one.serializedBytes()
                var blank = Self.decoder(table)
                defer { blank.free() }
                bodies.append(try #require(try Self.decode(&blank, alone).batch))
                #expect(blank.templates.hits == 0)
            }
            #expect(refusals.total == 0 && decoder.templates.hits == round * 4 - 1)
            let found = try #require(batch)
            #expect(found.count == 16)
            for (index, expected) in bodies.enumerated() {
                Self.expectSame(Self.part(of: found, resource: index), expected)
            }
        }
    }
    /// The points of one of the request's resources.
    private static func part(of batch: MetricBatch, resource: Int) -> MetricBatch {
        var columns = SeriesColumns()
        columns.numbers = batch.numbers.series.enumerated().map { $0 / 2 == resource ? $1 : .none }
        columns.histograms = batch.histograms.series.enumerated().map { $0 / 2 == resource ? $1 : .none }
        var parts = batch.compacted(columns).parts
        let offsets = parts.histograms.offsets
        parts.histograms.buckets = offsets.flatMap { parts.histograms.buckets[$0..<$0 + 3] }
        parts.histograms.offsets = offsets.indices.map { $0 * 3 }
        return MetricBatch(parts)
    }

    @Test func aPointThatIsRefusedIsRefusedByTheLongWay() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        _ = try Self.decode(&decoder, Self.request([Histogram(), Histogram()]))
        let hits = decoder.templates.hits
        let wrong = try Self.decode(&decoder, Self.request([Histogram(), Histogram(total: 5)]))
        #expect(wrong.refusals[.count] == 2 && wrong.refusals.total == 2)
        let batch = try #require(wrong.batch)
        #expect(batch.histograms.count == 2 && batch.numbers.count == 4)
        #expect(batch.histograms.buckets == [1, 2, 3, 1, 2, 3])
        // Its bytes agreed; what they say did not do.
        #expect(decoder.templates.hits == hits + 2)
    }
    @Test func countsBeyondAllNumbersAreRefused() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        _ = try Self.decode(&decoder, Self.request([Histogram()]))
        let wrong = try Self.decode(&decoder, Self.request([Histogram(counts: [.max, 1, 3], total: 3)]))
        #expect(wrong.refusals[.count] == 2 && wrong.batch?.histograms.count == 0)
    }
    @Test func aPointWithoutTimeIsRefusedByTheLongWay() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        _ = try Self.decode(&decoder, Self.request([Histogram()]))
        // The field is written, so that the bytes agree.
        var body = try Self.request([Histogram(time: 8)])
        for place in body.indices where body[place] == 8 && body[place - 1] == 0x19 { body[place] = 0 }
        let wrong = try Self.decode(&decoder, body)
        #expect(wrong.refusals[.noTime] == 2 && wrong.batch?.count == 2)
    }
    @Test func otherBoundsAreReadTheLongWay() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        _ = try Self.decode(&decoder, Self.request([Histogram()]))
        let (batch, _) = try Self.decode(&decoder, Self.request([Histogram(bounds: [0.5, 2])]))
        #expect(decoder.templates.hits == 0)
        #expect(batch?.histograms.layouts.map(\.bounds) == [[0.5, 2], [0.5, 2]])
    }
    @Test func countAndSumAloneAreRecognised() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        let bare = Histogram(counts: [], bounds: [], total: 3)
        _ = try Self.decode(&decoder, Self.request([bare]))
        let (batch, _) = try Self.decode(
            &decoder,
            Self.request([Histogram(counts: [], bounds: [], total: 9)])
        )
        #expect(decoder.templates.hits == 1)
        #expect(batch?.histograms.counts == [9, 9] && batch?.histograms.buckets == [])
        #expect(batch?.histograms.layouts.map(\.hasBuckets) == [false, false])
    }
    @Test func whatIsNoPlainPointMakesNoTemplate() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        for _ in 0..<2 {
            _ = try Self.decode(&decoder, Self.request([Histogram()]) { $0.exemplars = [.init()] })
            _ = try Self.decode(&decoder, Self.request([Histogram()]) { $0.flags = 1 })
        }
        #expect(decoder.templates.count == 0)
    }
    @Test func aLayoutIsHeldOnceForManyPoints() throws {
        var decoder = Self.decoder()
        defer { decoder.free() }
        let body = try Self.request(Array(repeating: Histogram(), count: 3))
        let (batch, _) = try Self.decode(&decoder, body)
        let layouts = try #require(batch?.histograms.layouts)
        #expect(layouts.count == 6 && layouts.allSatisfy { $0 === layouts[0] })
    }
}
