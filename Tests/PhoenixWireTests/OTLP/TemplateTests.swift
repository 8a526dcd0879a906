import PhoenixModel
import SwiftProtobuf
import Testing

@testable import PhoenixWire

/// Blocks that are recognised by a template are decoded as the long way decodes them, and none that may not be.
@Suite struct TemplateTests {
    private static func number(_ time: UInt64, _ value: Int64, _ pid: String = "1") -> Judge.NumberPoint {
        .with { point in
            (point.timeUnixNano, point.startTimeUnixNano, point.asInt) = (time, 5, value)
            point.attributes = [.with { ($0.key, $0.value.stringValue) = ("direction", pid) }]
        }
    }
    /// A resource for each host, each with a gauge of two points and a sum of one.
    private static func request(
        hosts: [String],
        _ change: (inout Judge.Metric) -> Void = { _ in }
    ) throws
        -> [UInt8]
    {
        try Judge.Request.with { request in
            request.resourceMetrics = hosts.enumerated().map { index, host in
                .with { block in
                    block.resource.attributes = [.with { ($0.key, $0.value.stringValue) = ("host", host) }]
                    block.scopeMetrics = [
                        .with { scope in
                            scope.scope.name = "scope"
                            var gauge = Judge.Metric.with { metric in
                                metric.name = "memory"
                                metric.gauge.dataPoints = [
                                    number(100 + UInt64(index), Int64(index)), number(7, -9, "2"),
                                ]
                            }
                            change(&gauge)
                            let sum = Judge.Metric.with { metric in
                                (metric.name, metric.sum.aggregationTemporality) = ("cpu", .cumulative)
                                metric.sum.isMonotonic = true
                                metric.sum.dataPoints = [
                                    .with { ($0.timeUnixNano, $0.asDouble) = (9, Double(index) / 3) }
                                ]
                            }
                            scope.metrics = [gauge, sum]
                        }
                    ]
                }
            }
        }.serializedBytes()
    }
    private static func decoder() -> (RequestDecoder, SeriesTable) {
        let table = SeriesTable()
        return (RequestDecoder(table: table, lane: "test", maximumCacheBytes: 1 << 20), table)
    }
    private static func decode(_ decoder: inout RequestDecoder, _ body: [UInt8]) throws -> MetricBatch? {
        let refusals = try body.withUnsafeBytes { try decoder.decode($0) }
        #expect(refusals.total == 0)
        return decoder.builder.take(epoch: 0)
    }

    @Test func oneTemplateServesAllResources() throws {
        var (decoder, table) = Self.decoder()
        defer { decoder.free() }
        let batch = try #require(try Self.decode(&decoder, Self.request(hosts: ["a", "b", "c"])))
        #expect(decoder.templates.count == 1 && decoder.templates.hits == 2)
        #expect(batch.numbers.times == [100, 7, 9, 101, 7, 9, 102, 7, 9])
        #expect(batch.numbers.starts == [5, 5, 0, 5, 5, 0, 5, 5, 0])
        #expect(batch.numbers.values[3] == 1 && batch.numbers.values[4] == UInt64(bitPattern: -9))
        #expect(Double(bitPattern: batch.numbers.values[8]) == 2.0 / 3)
        #expect(batch.numbers.flags[6...] == [.isInteger, .isInteger, []])
        let hosts = batch.numbers.series.compactMap { table.series($0)?.resource["host"] }
        #expect(hosts == ["a", "a", "a", "b", "b", "b", "c", "c", "c"].map { .string($0) })
        #expect(Set(batch.numbers.series).count == 9)
    }
    @Test func otherBytesAnywhereElseAreReadTheLongWay() throws {
        var (decoder, table) = Self.decoder()
        defer { decoder.free() }
        _ = try Self.decode(&decoder, Self.request(hosts: ["a"]))
        let other = try Self.request(hosts: ["a"]) {
            $0.gauge.dataPoints[0].attributes[0].value.stringValue = "3"
        }
        let batch = try #require(try Self.decode(&decoder, other))
        #expect(decoder.templates.hits == 0)
        #expect(table.series(batch.numbers.series[0])?.attributes["direction"] == .string("3"))
    }
    @Test func aPointThatIsRefusedIsRefusedByTheLongWay() throws {
        var (decoder, _) = Self.decoder()
        defer { decoder.free() }
        _ = try Self.decode(&decoder, Self.request(hosts: ["a", "b"]))
        // The field is written, so that the bytes agree: the judge's encoder would leave a zero out.
        var body = try Self.request(hosts: ["a"])
        let place = try #require(body.indices.first { body[$0] == 100 && body[$0 - 1] == 0x19 })
        body[place] = 0
        let refusals = try body.withUnsafeBytes { try decoder.decode($0) }
        #expect(refusals.total == 1 && refusals[.noTime] == 1)
        #expect(decoder.builder.take(epoch: 0)?.count == 2)
    }
    @Test func whatIsNoPlainNumberMakesNoTemplate() throws {
        var (decoder, _) = Self.decoder()
        defer { decoder.free() }
        for _ in 0..<3 {
            _ = try Self.decode(
                &decoder,
                Self.request(hosts: ["a", "b"]) { $0.gauge.dataPoints[1].exemplars = [.init()] }
            )
            _ = try Self.decode(
                &decoder,
                Self.request(hosts: ["a", "b"]) { $0.gauge.dataPoints[1].flags = 1 }
            )
        }
        #expect(decoder.templates.count == 0)
    }
    @Test func sendersThatNeverRepeatCostNoMoreTemplates() throws {
        var decoder = RequestDecoder(table: SeriesTable(), lane: "test", maximumCacheBytes: 1 << 26)
        defer { decoder.free() }
        for round in 0..<1400 {
            let body = try Self.request(hosts: ["a"]) { $0.name = String(repeating: "x", count: 1 + round) }
            _ = try Self.decode(&decoder, body)
        }
        // Until the patience was over, and now and then one more.
        #expect(decoder.templates.hits == 0)
        #expect((1...3).contains(decoder.templates.learned - TemplateCache.fullPatience))
    }
    @Test func theCacheIsBounded() throws {
        var decoder = RequestDecoder(table: SeriesTable(), lane: "test", maximumCacheBytes: 1 << 16)
        defer { decoder.free() }
        for round in 0..<200 {
            let body = try Self.request(hosts: ["a", "b"]) {
                $0.name = String(repeating: "x", count: 1 + round)
            }
            let batch = try Self.decode(&decoder, body)
            #expect(batch?.count == 6)
        }
        // 4 KiB, of about 500 bytes each.
        #expect(decoder.templates.count < 10 && decoder.templates.hits >= 200)
    }
}
