import PhoenixModel
import SwiftProtobuf
import Testing

@testable import PhoenixWire

/// Expositions in protobuf, written by swift-protobuf.
@Suite struct ScrapeProtobufTests {
    typealias Family = Io_Prometheus_Client_MetricFamily
    typealias Metric = Io_Prometheus_Client_Metric
    typealias Histogram = Io_Prometheus_Client_Histogram

    private static func bytes(_ families: [Family]) throws -> [UInt8] {
        try families.flatMap { family in
            let message: [UInt8] = try family.serializedBytes()
            var (length, rest) = ([UInt8](), message.count)
            while rest >= 0x80 {
                length.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            return length + [UInt8(rest)] + message
        }
    }
    private static func family(
        _ name: String,
        _ type: Io_Prometheus_Client_MetricType,
        _ metrics: [Metric],
        _ change: (inout Family) -> Void = { _ in }
    ) -> Family {
        var family = Family()
        (family.name, family.type, family.metric) = (name, type, metrics)
        change(&family)
        return family
    }
    private static func metric(_ labels: [(String, String)] = [], _ change: (inout Metric) -> Void) -> Metric
    {
        var metric = Metric()
        metric.label = labels.map { name, value in
            var pair = Io_Prometheus_Client_LabelPair()
            (pair.name, pair.value) = (name, value)
            return pair
        }
        change(&metric)
        return metric
    }
    private static func native(_ change: (inout Histogram) -> Void = { _ in }) -> Metric {
        func span(_ offset: Int32, _ length: UInt32) -> Io_Prometheus_Client_BucketSpan {
            var span = Io_Prometheus_Client_BucketSpan()
            (span.offset, span.length) = (offset, length)
            return span
        }
        return metric([("a", "1")]) { metric in
            metric.histogram.sampleCount = 22
            metric.histogram.sampleSum = -7
            (metric.histogram.schema, metric.histogram.zeroThreshold, metric.histogram.zeroCount) = (
                1, 0.25, 3
            )
            metric.histogram.positiveSpan = [span(-2, 1), span(1, 2)]
            metric.histogram.positiveDelta = [1, 2, -1]
            metric.histogram.negativeSpan = [span(5, 2)]
            metric.histogram.negativeDelta = [4, 2]
            change(&metric.histogram)
        }
    }
    private static func read(_ families: [Family]) throws -> (points: [String], outcome: ScrapeOutcome) {
        var fixture = ScrapeFixture(["job": "j", "instance": "i"])
        let outcome = fixture.scrape(try bytes(families), .protobuf)
        if let failure = outcome.failure { throw failure }
        return (fixture.lines(outcome.batches), outcome)
    }
    private static let resource = "resource.service.instance.id=i resource.service.name=j"

    /// What the same samples are in text, line for line; labels hold what texts must escape.
    @Test func classicTypesAreWhatTheyAreInText() throws {
        let labels = [("path", "a\"b\\c\nd"), ("ünïcode", "1")]
        let families = [
            Self.family("requests_total", .counter, [Self.metric(labels) { $0.counter.value = 7.5 }]) {
                $0.help = "Help."
            },
            Self.family("heat_celsius", .gauge, [Self.metric { $0.gauge.value = -3.25 }]) {
                $0.unit = "celsius"
            },
            Self.family("what", .untyped, [Self.metric { $0.untyped.value = .infinity }]),
            Self.family(
                "size",
                .summary,
                [
                    Self.metric(labels) { metric in
                        (metric.summary.sampleCount, metric.summary.sampleSum) = (3, 4.5)
                        var quantile = Io_Prometheus_Client_Quantile()
                        (quantile.quantile, quantile.value) = (0.5, 2)
                        metric.summary.quantile = [quantile]
                    }
                ]
            ),
            Self.family(
                "took",
                .histogram,
                [
                    Self.metric(labels) { metric in
                        (metric.histogram.sampleCount, metric.histogram.sampleSum) = (5, 9)
                        metric.histogram.bucket = ([(1, 0.1), (3, 2)] as [(UInt64, Double)]).map { count, bound in
                            var bucket = Io_Prometheus_Client_Bucket()
                            (bucket.cumulativeCount, bucket.upperBound) = (count, bound)
                            return bucket
                        }
                    }
                ]
            ),
        ]
        var fixture = ScrapeFixture(["job": "j", "instance": "i"])
        let written = #""path"="a\"b\\c\nd","ünïcode"="1""#
        let text = """
            # HELP requests_total Help.
            # TYPE requests_total counter
            {"requests_total",\(written)} 7.5
            # TYPE heat_celsius gauge
            heat_celsius -3.25
            # TYPE what untyped
            what +Inf
            # TYPE size summary
            {"size_count",\(written)} 3
            {"size_sum",\(written)} 4.5
            {"size",\(written),quantile="0.5"} 2
            # TYPE took histogram
            {"took_count",\(written)} 5
            {"took_sum",\(written)} 9
            {"took_bucket",\(written),le="0.1"} 1
            {"took_bucket",\(written),le="2"} 3
            {"took_bucket",\(written),le="+Inf"} 5
            """
        let expected = fixture.scrape(text)
        let (points, outcome) = try Self.read(families)
        // Text has no word for a unit.
        #expect(points.map { $0.replacing(" [Cel]", with: "") } == fixture.lines(expected.batches))
        #expect(points.contains { $0.contains("heat_celsius gauge [Cel] ") })
        #expect(
            (outcome.scraped, outcome.kept, outcome.added) == (
                expected.scraped, expected.kept, expected.added
            )
        )
        #expect(points.count == 5)
    }

    @Test func nativeHistogramsAreExponentialOnes() throws {
        let text =
            "took exponentialHistogram a=1 \(Self.resource): count 19 sum -7.0 scale 1 zero 3 below 0.25 "
            + "positive -3:[1, 0, 3, 2] negative 4:[4, 6]"
        // Three observations of no number are in no bucket.
        #expect(try Self.read([Self.family("took", .histogram, [Self.native()])]).points == [text])
        // Of one that is both, the native part counts.
        let both = Self.native { histogram in
            var bucket = Io_Prometheus_Client_Bucket()
            (bucket.cumulativeCount, bucket.upperBound) = (19, .infinity)
            histogram.bucket = [bucket]
        }
        let (points, outcome) = try Self.read([Self.family("took", .histogram, [both])])
        #expect(points == [text])
        #expect(outcome.scraped == 1)
        // Nothing was observed yet: a span of nothing says what it is.
        let new = Self.metric { metric in
            (metric.histogram.sampleCount, metric.histogram.sampleSum) = (0, 0)
            metric.histogram.positiveSpan = [Io_Prometheus_Client_BucketSpan()]
        }
        #expect(
            try Self.read([Self.family("new", .histogram, [new])]).points == [
                "new exponentialHistogram \(Self.resource): count 0 sum 0.0 scale 0 zero 0 below 0.0 positive 0:[] negative 0:[]"
            ]
        )
    }
    @Test func bucketsTooFarApartAreJoined() throws {
        let wide = Self.native { histogram in
            histogram.negativeSpan = []
            histogram.negativeDelta = []
            histogram.positiveSpan[1].offset = 1 << 20
        }
        let points = try Self.read([Self.family("took", .histogram, [wide])]).points
        #expect(points.count == 1)
        #expect(points[0].contains("count 9 sum -7.0 scale -6 "))
    }

    @Test func startsTimesAndExemplarsComeAlong() throws {
        func exemplar(_ value: Double, _ label: String) -> Io_Prometheus_Client_Exemplar {
            var exemplar = Io_Prometheus_Client_Exemplar()
            var pair = Io_Prometheus_Client_LabelPair()
            (pair.name, pair.value) = ("trace_id", label)
            (exemplar.value, exemplar.label) = (value, [pair])
            exemplar.timestamp.seconds = 3
            return exemplar
        }
        let trace = String(repeating: "ab", count: 16)
        let counter = Self.metric { metric in
            (metric.counter.value, metric.timestampMs) = (1, 5000)
            metric.counter.createdTimestamp.seconds = 2
            metric.counter.exemplar = exemplar(0.5, trace)
        }
        let native = Self.native { histogram in
            histogram.createdTimestamp.nanos = 7
            histogram.exemplars = [exemplar(1.5, trace), exemplar(2.5, String(repeating: "x", count: 121))]
        }
        let (points, outcome) = try Self.read([
            Self.family("c_total", .counter, [counter]), Self.family("took", .histogram, [native]),
        ])
        #expect(points[0] == "c_total sum \(Self.resource): 1.0 @5000000000 since 2000000000")
        #expect(points[1].hasSuffix(" since 7"))
        let exemplars = outcome.batches.flatMap(\.exemplars)
        #expect(exemplars.map { Double(bitPattern: $0.bits) } == [0.5, 1.5])
        #expect(exemplars.allSatisfy { $0.timeUnixNano == 3_000_000_000 && $0.traceID.count == 16 })
        #expect(outcome.drops[.exemplar] == 1)
    }

    @Test func targetInfoIsTheResource() throws {
        let info = Self.family(
            "target_info",
            .gauge,
            [Self.metric([("host_name", "h")]) { $0.gauge.value = 1 }]
        )
        let gauge = Self.family("g", .gauge, [Self.metric { $0.gauge.value = 1 }])
        #expect(
            try Self.read([gauge, info]).points == ["g gauge resource.host_name=h \(Self.resource): 1.0"]
        )
    }

    @Test func whatNoPointCanSayIsCountedByItsReason() throws {
        func drops(_ change: (inout Histogram) -> Void) throws -> ScrapeDrops {
            try Self.read([Self.family("took", .histogram, [Self.native(change)])]).outcome.drops
        }
        #expect(try drops { $0.schema = 9 }[.nativeBuckets] == 1)
        #expect(try drops { $0.schema = -53 }[.nativeBuckets] == 1)
        #expect(try drops { $0.sampleCount = 15 }[.nativeBuckets] == 1)
        #expect(try drops { $0.positiveDelta = [1, -2, 1] }[.nativeBuckets] == 1)
        #expect(try drops { $0.positiveDelta = [1] }[.nativeBuckets] == 1)
        #expect(try drops { $0.positiveSpan[1].offset = -1 }[.nativeBuckets] == 1)
        #expect(try drops { $0.positiveSpan[1].length = .max }[.nativeBuckets] == 1)
        #expect(try drops { $0.zeroThreshold = .nan }[.nativeBuckets] == 1)
        let gauge = Self.family("took", .gaugeHistogram, [Self.native()])
        #expect(try Self.read([gauge]).outcome.drops[.gaugeHistogram] == 1)
        let early = Self.family("g", .gauge, [Self.metric { ($0.gauge.value, $0.timestampMs) = (1, -1) }])
        #expect(try Self.read([early]).outcome.drops[.time] == 1)
    }

    /// Wherever it is cut off, and whichever byte is another one: taken whole or refused whole, and never a crash.
    @Test func whatIsMalformedIsRefusedWhole() throws {
        let families = [
            Self.family("c_total", .counter, [Self.metric([("a", "ä")]) { $0.counter.value = 1 }]) {
                $0.help = "h"
            },
            Self.family("took", .histogram, [Self.native()]),
        ]
        let whole = try Self.bytes(families)
        let first = try Self.bytes([families[0]]).count
        for count in 0..<whole.count {
            var fixture = ScrapeFixture()
            let outcome = fixture.scrape(Array(whole.prefix(count)), .protobuf)
            #expect((outcome.failure == nil) == (count == 0 || count == first), "\(count)")
            if outcome.failure != nil { #expect(outcome.batches.isEmpty) }
        }
        for index in whole.indices {
            for bit in 0..<8 {
                var (bytes, fixture) = (whole, ScrapeFixture())
                bytes[index] ^= 1 << bit
                let outcome = fixture.scrape(bytes, .protobuf)
                if outcome.failure != nil { #expect(outcome.batches.isEmpty) }
            }
        }
    }
    @Test func aUnitThatIsNotTheNamesEndIsRefused() throws {
        let family = Self.family("a_bytes", .gauge, [Self.metric { $0.gauge.value = 1 }]) {
            $0.unit = "seconds"
        }
        #expect(throws: ScrapeFailure.self) { try Self.read([family]) }
        for (name, unit) in [("a_bytes_total", "seconds"), ("a_total", "total"), ("bytes_total", "bytes")] {
            let counter = Self.family(name, .counter, [Self.metric { $0.counter.value = 1 }]) {
                $0.unit = unit
            }
            #expect(throws: ScrapeFailure.self) { try Self.read([counter]) }
        }
    }
    /// A counter is named like its samples: its unit stands before `_total`.
    @Test func countersOfOursKeepTheirUnits() {
        let exposed = ExpositionFixture { $0.addsScopeLabels = false }
        exposed.put(exposed.series("busy", kind: .sum, unit: "s"), 2.5)
        let bytes = exposed.store.scrape(.protobuf, escaping: .underscores, now: exposed.now).all()
        var fixture = ScrapeFixture()
        let outcome = fixture.scrape(bytes, .protobuf)
        #expect(outcome.failure == nil)
        #expect(
            fixture.lines(outcome.batches).filter { $0.hasPrefix("busy") } == [
                "busy_seconds_total sum [s]: 2.5"
            ]
        )
    }
    @Test func aSumThatIsNotToldStaysUnknown() throws {
        let exposed = ExpositionFixture { $0.addsScopeLabels = false }
        exposed.put(histogram: exposed.series("with", kind: .histogram), [1, 2], bounds: [-1], sum: 0)
        exposed.put(histogram: exposed.series("without", kind: .histogram), [1, 2], bounds: [-1], sum: nil)
        let bytes = exposed.store.scrape(.protobuf, escaping: .underscores, now: exposed.now).all()
        var fixture = ScrapeFixture()
        let outcome = fixture.scrape(bytes, .protobuf)
        #expect(outcome.failure == nil)
        #expect(
            fixture.lines(outcome.batches).filter { $0.hasPrefix("with") } == [
                "with histogram: count 3 sum 0.0 [-1.0] [1, 2]", "without histogram: count 3 [-1.0] [1, 2]",
            ]
        )
        let native = Self.native { $0.clearSampleSum() }
        let points = try Self.read([Self.family("took", .histogram, [native])]).points
        #expect(points.count == 1)
        #expect(points.first?.contains(": count 19 scale 1 ") == true)
    }

    /// A series that is missed ends, whichever format told it; the other format says the same series.
    @Test func aTargetMayChangeItsFormat() throws {
        var fixture = ScrapeFixture()
        let native = try Self.bytes([Self.family("took", .histogram, [Self.native()])])
        #expect(fixture.scrape(native, .protobuf).failure == nil)
        let text = fixture.scrape("took 1\n")
        #expect(
            fixture.lines(text.batches).sorted() == [
                "took exponentialHistogram a=1: ended", "took gauge: 1.0",
            ]
        )
        let again = fixture.scrape(native, .protobuf)
        #expect(fixture.lines(again.batches).count == 2)
    }

    /// What an endpoint of ours says of an exponential histogram comes back as it was.
    @Test func anEndpointOfOursIsReadAsItWas() throws {
        let exposed = ExpositionFixture { $0.addsScopeLabels = false }
        let id = exposed.series("e", kind: .exponentialHistogram)
        exposed.put(
            exponential: id,
            scale: 3,
            zero: 2,
            positive: (-7, [1, 0, 4]),
            negative: (2, [5, 6]),
            sum: 1.5
        )
        let bytes = exposed.store.scrape(.protobuf, escaping: .underscores, now: exposed.now).all()
        var fixture = ScrapeFixture()
        let outcome = fixture.scrape(bytes, .protobuf)
        #expect(outcome.failure == nil)
        #expect(
            fixture.lines(outcome.batches).filter { $0.hasPrefix("e ") } == [
                "e exponentialHistogram: count 18 sum 1.5 scale 3 zero 2 below 0.0 positive -7:[1, 0, 4] negative 2:[5, 6]"
            ]
        )
    }
}
