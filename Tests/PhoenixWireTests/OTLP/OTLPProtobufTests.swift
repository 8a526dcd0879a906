import PhoenixModel
import SwiftProtobuf
import Testing

@testable import PhoenixWire

/// OTLP/protobuf by CONFORMANCE items 24 to 26: how messages may be written, and which points are refused.
@Suite struct OTLPProtobufTests {
    private let observed = Observed()

    // MARK: Writing by hand

    private func tag(_ number: UInt8, _ wireType: UInt8) -> UInt8 { number << 3 | wireType }
    private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        precondition(content.count < 16_384)
        let low = UInt8(content.count & 0x7F)
        return [tag(number, 2)] + (content.count < 128 ? [low] : [low | 0x80, UInt8(content.count >> 7)])
            + content
    }
    private func field(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
    private func fixed(_ number: UInt8, _ value: UInt64) -> [UInt8] {
        [tag(number, 1)] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
    /// A request with one metric of these bytes.
    private func request(metric: [UInt8]) -> [UInt8] { field(1, field(2, field(2, metric))) }
    private func request(point: [UInt8]) -> [UInt8] {
        request(metric: field(1, "m") + field(5, field(1, point)))
    }
    private var point: [UInt8] { fixed(3, 1) + fixed(6, 7) }
    private func attribute(_ value: [UInt8]) -> [UInt8] { field(7, field(1, "k") + field(2, value)) }

    /// The decoder's verdict, which the judge shares.
    private func verdict(_ body: [UInt8]) -> Verdict {
        let verdict = observed.verdict(of: body)
        #expect(verdict == Judge.verdict(of: body))
        return verdict
    }
    private func error(_ body: [UInt8]) -> MalformedMessage.Reason? {
        #expect(Judge.verdict(of: body).isMalformed)
        do { _ = try body.withUnsafeBytes { try observed.decoder.decode($0) } } catch {
            return (error as? MalformedMessage)?.reason
        }
        return nil
    }

    // MARK: Messages (9, 24, 25)

    @Test func emptyEnvelopesAreARequest() {
        for body in [[], field(1, [UInt8]()), field(1, field(2, [UInt8]())), request(metric: [])] {
            #expect(verdict(body) == Verdict())
        }
    }
    @Test func unknownFieldsAndGroupsAreSkipped() {
        let group = [tag(13, 3)] + fixed(1, 9) + [tag(2, 3), tag(2, 4), tag(13, 4)]
        let unknown =
            group + fixed(14, 1) + field(15, [0xFF]) + [tag(12, 5), 1, 2, 3, 4, tag(13, 0), 0x80, 1]
        let metric =
            unknown + field(1, "m") + unknown + field(5, unknown + field(1, unknown + point + unknown))
            + unknown
        #expect(verdict(field(1, unknown + field(2, unknown + field(2, metric)))).points == 1)
    }
    @Test func groupsMustEnd() {
        #expect(error(request(point: point + [tag(13, 3)])) == .truncated)
        #expect(error(request(point: point + [tag(13, 3), tag(14, 4)])) == .group)
        #expect(error(request(point: point + [tag(13, 4)])) == .tag)
    }
    @Test func aFieldOfAnotherWireTypeIsUnknown() {
        #expect(verdict(request(point: point + [tag(3, 0), 0])).points == 1)
        #expect(verdict(request(point: [tag(3, 0), 5] + fixed(6, 7))).refused == ["no_time": 1])
    }
    @Test func tagsAndVarintsHaveBounds() {
        #expect(error([0x00]) == .tag)
        #expect(error([0x07]) == .tag)
        #expect(error([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0]) == .tag)
        #expect(error([tag(2, 0)] + Array(repeating: 0x80, count: 10) + [0]) == .varint)
        #expect(verdict([tag(2, 0)] + Array(repeating: 0x80, count: 9) + [1]) == Verdict())
    }
    @Test func whatEndsEarlyIsMalformed() {
        let body = request(point: point + attribute(field(1, "v")))
        for count in 1..<body.count { #expect(observed.verdict(of: Array(body.prefix(count))) == .malformed) }
    }
    @Test func packedAndUnpackedAreOne() {
        let head = fixed(3, 1) + fixed(4, 3)
        let packed =
            head + field(6, Array(fixed(0, 1).dropFirst()) + Array(fixed(0, 2).dropFirst()))
            + field(7, Array(fixed(0, 5).dropFirst()))
        let loose = head + fixed(6, 1) + fixed(7, 5) + fixed(6, 2)
        func body(_ point: [UInt8]) -> [UInt8] {
            request(metric: field(9, [tag(2, 0), 2] + field(1, point)))
        }
        #expect(verdict(body(packed)).histograms.count == 1)
        #expect(verdict(body(packed)) == verdict(body(loose)))
        #expect(error(body(head + field(6, [1, 2, 3]))) == .truncated)
    }
    @Test func ofAOneofTheLastWins() {
        #expect(
            verdict(request(point: point + fixed(4, 9))) == verdict(request(point: fixed(3, 1) + fixed(4, 9)))
        )
        let gauge = field(5, field(1, point))
        #expect(
            verdict(request(metric: gauge + field(7, field(1, point) + [tag(2, 0), 2]))).numbers.count == 1
        )
        #expect(verdict(request(metric: gauge + field(11, [UInt8]()))).points == 0)
        #expect(verdict(request(metric: gauge + field(11, [UInt8]()) + gauge)).points == 1)
        #expect(error(request(metric: field(5, field(1, [0])) + field(11, [UInt8]()) + gauge)) == .tag)
    }
    /// It is read for its form alone, and before anything is known of the metric.
    @Test(arguments: [9, 10, 11] as [UInt8]) func whatAnotherKindReplacesMakesNoSeries(_ kind: UInt8) {
        let metric = field(1, "m") + field(kind, field(1, fixed(3, 1))) + field(5, field(1, point))
        #expect(verdict(request(metric: metric)).points == 1)
    }
    @Test func partsOfAMessageAreOne() {
        let resource = [field(1, field(1, "a")), field(1, field(1, "b"))]
        let metric = field(2, field(2, field(1, "m") + field(5, field(1, point)) + field(5, field(1, point))))
        let split = field(1, field(1, resource[0]) + metric + field(1, resource[1]))
        #expect(verdict(split) == verdict(field(1, field(1, resource[0] + resource[1]) + metric)))
        #expect(verdict(split).points == 2)
        let torn = field(
            1,
            field(1, Array(resource[0].prefix(2))) + field(1, Array(resource[0].dropFirst(2))) + metric
        )
        #expect(error(torn) == .truncated)
    }
    @Test func partsOfASideAreOne() {
        func buckets(_ counts: [UInt8]) -> [UInt8] { [tag(1, 0), 4] + field(2, counts) }
        func body(_ sides: [UInt8]) -> [UInt8] {
            let point = fixed(3, 1) + fixed(4, 36) + sides
            return request(metric: field(1, "m") + field(10, field(1, point) + [tag(2, 0), 2]))
        }
        let whole = body(field(8, buckets([1, 2, 3, 4, 5])) + field(9, buckets([6, 7, 8])))
        let torn = [
            field(8, buckets([1, 2])), field(9, buckets([6])), field(8, buckets([3])), field(8, buckets([])),
            field(9, buckets([7, 8])), field(8, buckets([4, 5])),
        ]
        #expect(verdict(whole).exponentials.count == 1)
        #expect(verdict(body(torn.flatMap { $0 })).exponentials == verdict(whole).exponentials)
    }
    @Test func stringsAreUTF8() {
        let bad: [UInt8] = [0xC0, 0x80]
        #expect(error(request(metric: field(1, bad))) == .utf8)
        #expect(error(request(point: point + attribute(field(1, bad)))) == .utf8)
        #expect(error(field(1, field(3, bad))) == .utf8)
        #expect(error(field(1, field(2, field(3, bad)))) == .utf8)
        #expect(error(field(1, field(1, field(3, field(2, bad))))) == .utf8)
        #expect(verdict(request(point: point + attribute(field(7, bad)))).points == 1)
    }
    @Test func nestingIsBoundedAsTheJudgeHasIt() {
        // The value of an attribute is message 7 of the way down; each array takes two more.
        for (arrays, isMalformed) in [(0, false), (46, false), (47, true), (400, true)] {
            let value = (0..<arrays).reduce([UInt8]()) { inner, _ in field(5, field(1, inner)) }
            #expect(verdict(request(point: point + attribute(value))).isMalformed == isMalformed)
        }
    }
    @Test func valuesHaveEveryTypeAndMayBeEmpty() {
        let list = field(5, field(1, field(1, "x")) + field(1, [UInt8]()) + field(1, [tag(3, 0), 1]))
        let map = field(6, field(1, field(1, "k") + field(2, list)) + field(1, field(1, "k")))
        for value in [[], field(7, [0xFF]), list, map, [tag(2, 0), 1], fixed(4, 0x7FF8_0000_0000_0000)] {
            #expect(verdict(request(point: point + attribute(value))).points == 1)
        }
    }
    @Test func indexesIntoAStringTableAreAbsent() {
        let value = field(1, "x") + [tag(8, 0), 3]
        #expect(
            verdict(request(point: point + attribute(value)))
                == verdict(request(point: point + attribute([])))
        )
    }
    @Test func keysThatOnlyLookAlikeAreTwo() {
        let pairs = field(7, field(1, "\u{E9}")) + field(7, field(1, "e\u{301}"))
        #expect(verdict(request(point: point + pairs)).points == 1)
    }
    @Test func aMalformedRequestLeavesNothing() {
        let good = request(point: point)
        _ = try? good.withUnsafeBytes { try observed.decoder.decode($0) }
        #expect(error(good + request(point: point + [0])) == .tag)
        #expect(observed.decoder.pendingPoints == 1)
        #expect(observed.decoder.takeBatch(epoch: 3)?.count == 1)
    }

    // MARK: Points (26)

    private func refused(_ metric: (inout Judge.Metric) -> Void) throws -> [String: Int] {
        let request = Judge.Request.with {
            $0.resourceMetrics = [.with { $0.scopeMetrics = [.with { $0.metrics = [.with(metric)] }] }]
        }
        let verdict = verdict(try request.serializedBytes())
        #expect(verdict.points + verdict.refused.values.reduce(0, +) == 1)
        return verdict.refused
    }
    private func histogram(_ change: (inout Judge.HistogramPoint) -> Void) throws -> [String: Int] {
        try refused { metric in
            metric.histogram.aggregationTemporality = .delta
            var point = Judge.HistogramPoint.with { ($0.timeUnixNano, $0.count) = (1, 3) }
            (point.bucketCounts, point.explicitBounds) = ([1, 2], [5])
            change(&point)
            metric.histogram.dataPoints = [point]
        }
    }
    private func exponential(_ change: (inout Judge.ExponentialPoint) -> Void) throws -> [String: Int] {
        try refused { metric in
            metric.exponentialHistogram.aggregationTemporality = .delta
            var point = Judge.ExponentialPoint.with { ($0.timeUnixNano, $0.count, $0.zeroCount) = (1, 3, 1) }
            point.positive.bucketCounts = [2]
            change(&point)
            metric.exponentialHistogram.dataPoints = [point]
        }
    }
    @Test func aPointNeedsATime() throws {
        #expect(try refused { $0.gauge.dataPoints = [.with { $0.asInt = 1 }] } == ["no_time": 1])
        #expect(try refused { $0.summary.dataPoints = [.init()] } == ["no_time": 1])
        #expect(try histogram { $0.timeUnixNano = 0 } == ["no_time": 1])
        #expect(try exponential { $0.timeUnixNano = 0 } == ["no_time": 1])
    }
    @Test func aNumberNeedsAValue() throws {
        #expect(try refused { $0.gauge.dataPoints = [.with { $0.timeUnixNano = 1 }] } == ["no_value": 1])
        #expect(
            try refused {
                $0.gauge.dataPoints = [
                    .with {
                        $0.timeUnixNano = 1; $0.asInt = 0
                    }
                ]
            } == [:]
        )
    }
    @Test(arguments: [0, 3]) func temporalityMustBeKnown(_ number: Int) throws {
        let temporality =
            Opentelemetry_Proto_Metrics_V1_AggregationTemporality(rawValue: number) ?? .unspecified
        let point = Judge.NumberPoint.with { ($0.timeUnixNano, $0.asInt) = (1, 1) }
        #expect(
            try refused {
                $0.sum.aggregationTemporality = temporality; $0.sum.dataPoints = [point]
            } == ["unspecified_temporality": 1]
        )
        #expect(
            try refused {
                $0.histogram.aggregationTemporality = temporality; $0.histogram.dataPoints = [.init()]
            } == ["unspecified_temporality": 1]
        )
        #expect(
            try refused {
                $0.sum.aggregationTemporality = .delta; $0.sum.dataPoints = [point]
            } == [:]
        )
    }
    @Test func bucketsMatchTheirBounds() throws {
        #expect(try histogram { _ in } == [:])
        #expect(
            try histogram {
                $0.bucketCounts = [3]; $0.explicitBounds = []
            } == [:]
        )
        #expect(
            try histogram {
                $0.bucketCounts = []; $0.explicitBounds = []
            } == [:]
        )
        #expect(try histogram { $0.bucketCounts = [] } == ["bucket_count": 1])
        #expect(try histogram { $0.bucketCounts = [1, 1, 1] } == ["bucket_count": 1])
    }
    @Test(arguments: [[1, 1], [2, 1], [.nan, 1], [1, .nan]] as [[Double]])
    func boundsIncrease(_ bounds: [Double]) throws {
        #expect(
            try histogram {
                $0.bucketCounts = [1, 1, 1]; $0.explicitBounds = bounds
            } == ["bucket_bounds": 1]
        )
    }
    @Test func countIsTheSumOfTheBuckets() throws {
        #expect(try histogram { $0.count = 4 } == ["count_mismatch": 1])
        #expect(try histogram { $0.bucketCounts = [.max, 4] } == ["count_mismatch": 1])
        #expect(try exponential { _ in } == [:])
        #expect(try exponential { $0.count = 4 } == ["count_mismatch": 1])
        #expect(try exponential { $0.negative.bucketCounts = [1] } == ["count_mismatch": 1])
    }
    @Test func exponentialBucketsLieWithinADouble() throws {
        for (scale, offset, isRefused) in [
            (0, 1023, false), (0, 1024, true), (0, -1075, false), (0, -1076, true), (-11, 0, true),
            (20, .max, true),
            (-10, 0, false), (22, .max, false), (.min, -1, true), (.max, .min, false),
        ] as [(Int32, Int32, Bool)] {
            #expect(
                try exponential {
                    $0.scale = scale; $0.positive.offset = offset
                } == (isRefused ? ["out_of_range": 1] : [:])
            )
        }
    }
    @Test func pointsWithoutRecordedValueAreExempt() throws {
        #expect(try refused { $0.gauge.dataPoints = [.with { $0.flags = 1 }] } == [:])
        #expect(try refused { $0.summary.dataPoints = [.with { $0.flags = 1 }] } == [:])
        #expect(
            try histogram {
                $0.flags = 1; $0.timeUnixNano = 0; $0.count = 9
            } == [:]
        )
        #expect(
            try exponential {
                $0.flags = 1; $0.timeUnixNano = 0; $0.count = 9; $0.scale = -20
            } == [:]
        )
    }
    @Test func onePointIsRefusedNotItsRequest() throws {
        let body = request(metric: field(5, field(1, point) + field(1, fixed(6, 1)) + field(1, point)))
        #expect(verdict(body).points == 2 && verdict(body).refused == ["no_time": 1])
    }
    @Test func aFullTableRefusesNewSeriesAlone() {
        let observed = Observed(capacity: 1)
        let known = observed.verdict(of: request(point: point))
        for index in 0..<3000 {
            _ = observed.verdict(
                of: request(
                    point: point + attribute([tag(3, 0), UInt8(index & 0x7F) | 0x80, UInt8(index >> 7)])
                )
            )
        }
        let more = observed.verdict(of: request(point: point + attribute(field(1, "one more"))))
        #expect(more.refused == ["series_limit": 1])
        #expect(observed.verdict(of: request(point: point)) == known)
    }
}
