import PhoenixModel
import Testing

@testable import PhoenixWire

/// OTLP/JSON by CONFORMANCE items 20 to 23.
@Suite struct OTLPJSONTests {
    private let table = SeriesTable()

    /// A request with one gauge point.
    private func gauge(_ point: String) -> String {
        #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[\#(point)]}}]}]}]}"#
    }
    private func decode(_ text: String) throws -> (batch: MetricBatch?, refusals: Refusals) {
        let decoder = OTLPDecoder(table: table, lane: "test")
        let refusals = try Array(text.utf8).withUnsafeBytes { try decoder.decodeJSON($0) }
        return (decoder.takeBatch(epoch: 0), refusals)
    }
    private func numbers(_ point: String) throws -> NumberPoints {
        try #require(try decode(gauge(point)).batch).numbers
    }
    private func error(_ text: String) -> MalformedJSON? {
        do { _ = try decode(text) } catch { return error as? MalformedJSON }
        return nil
    }
    private func attribute(_ value: String) throws -> AttributeValue? {
        let point = #"{"timeUnixNano":1,"asInt":1,"attributes":[{"key":"k","value":\#(value)}]}"#
        return table.series(try numbers(point).series[0])?.attributes["k"]
    }

    @Test func emptyEnvelopesAreARequest() throws {
        for text in [
            "{}", " {} ", #"{"resourceMetrics":[]}"#, #"{"resourceMetrics":null}"#,
            #"{"resourceMetrics":[{}]}"#,
        ] {
            #expect(try decode(text).batch == nil)
        }
    }
    @Test func emptyBodyIsMalformed() { #expect(error("")?.reason.contains("empty") == true) }

    @Test func snakeCaseIsAnUnknownField() throws {
        #expect(try decode(#"{"resource_metrics":[{"scope_metrics":7}]}"#).batch == nil)
        #expect(try decode(gauge(#"{"time_unix_nano":5,"asInt":1}"#)).refusals[.noTime] == 1)
    }
    @Test func unknownFieldsAreIgnored() throws {
        let points = try numbers(#"{"new":{"a":[1,{"b":null}]},"timeUnixNano":"5","asInt":1,"":0}"#)
        #expect(points.times == [5])
    }
    @Test(arguments: ["7", "\"7\"", "7.0", "0.7e1", "\"70e-1\"", "700E-2"])
    func integersAreNumbersOrStrings(_ text: String) throws {
        let points = try numbers(#"{"timeUnixNano":\#(text),"asInt":\#(text)}"#)
        #expect(points.times == [7] && points.values == [7] && points.flags == [.isInteger])
    }
    @Test func integersAreExact() throws {
        let extremes: [(String, UInt64)] = [
            ("9223372036854775807", UInt64(Int64.max)), ("-9223372036854775808", 1 << 63),
            ("9007199254740993", 9_007_199_254_740_993), ("-0", 0),
        ]
        for (text, bits) in extremes {
            #expect(
                try numbers(#"{"timeUnixNano":"18446744073709551615","asInt":\#(text)}"#).values == [bits]
            )
            #expect(try numbers(#"{"timeUnixNano":18446744073709551615,"asInt":"\#(text)"}"#).times == [.max])
        }
    }
    @Test(arguments: [
        "9223372036854775808", "1.5", "\"\"", "\" 7\"", "\"0x7\"", "\"+7\"", "true", "{}", "1e30",
        "\"seven\"",
    ])
    func otherIntegersAreMalformed(_ text: String) {
        #expect(
            error(gauge(#"{"timeUnixNano":1,"asInt":\#(text)}"#))?.path.hasSuffix("dataPoints[0].asInt")
                == true
        )
    }
    @Test func unsignedAreNotNegative() { #expect(error(gauge(#"{"timeUnixNano":-1,"asInt":1}"#)) != nil) }

    @Test(
        arguments: [
            ("1.5", 1.5), ("\"1.5\"", 1.5), ("1e3", 1000), ("-0.0", -0.0), ("\"NaN\"", .nan),
            ("\"Infinity\"", .infinity),
            ("\"-Infinity\"", -.infinity), ("5e-324", .leastNonzeroMagnitude), ("0.1", 0.1),
            ("1.7976931348623157e308", .greatestFiniteMagnitude),
            ("9007199254740993", 9_007_199_254_740_992),
        ] as [(String, Double)]
    )
    func doublesAreNumbersOrStrings(_ text: String, _ value: Double) throws {
        let points = try numbers(#"{"timeUnixNano":1,"asDouble":\#(text)}"#)
        #expect(points.values == [value.bitPattern] && points.flags == [[]])
    }
    @Test(arguments: [
        "NaN", "\"nan\"", "\"inf\"", "1e999", "\"0x1p3\"", "\"\"", "[]", "+1", ".5", "5.", "01",
    ])
    func otherDoublesAreMalformed(_ text: String) {
        #expect(error(gauge(#"{"timeUnixNano":1,"asDouble":\#(text)}"#)) != nil)
    }
    @Test func nullIsAbsent() throws {
        #expect(try decode(gauge(#"{"timeUnixNano":1,"asInt":null}"#)).refusals[.noValue] == 1)
        #expect(
            try numbers(#"{"timeUnixNano":1,"asInt":3,"asDouble":null,"attributes":null,"exemplars":null}"#)
                .values == [3]
        )
        #expect(try attribute("null") == .empty)
        #expect(try attribute(#"{"stringValue":null}"#) == .empty)
    }
    @Test func nullIsNoElement() {
        #expect(error(gauge("null"))?.path.hasSuffix("gauge.dataPoints[0]") == true)
    }
    @Test func ofDuplicateKeysTheLastCounts() throws {
        #expect(
            try numbers(#"{"timeUnixNano":1,"timeUnixNano":2,"asInt":1,"asDouble":2,"asInt":3}"#).values == [
                3
            ]
        )
        #expect(
            try decode(gauge(#"{"timeUnixNano":1,"asInt":1,"timeUnixNano":null}"#)).refusals[.noTime] == 1
        )
    }

    private func sum(_ temporality: String) -> String {
        let data = #"{"dataPoints":[{"timeUnixNano":1,"asInt":1}],"aggregationTemporality":\#(temporality)}"#
        return #"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":\#(data),"name":"m"}]}]}]}"#
    }
    @Test func temporalityMayFollowThePoints() throws {
        let batch = try #require(try decode(sum("2")).batch)
        #expect(table.series(batch.numbers.series[0])?.metric.temporality == .cumulative)
        #expect(try decode(sum("0")).refusals[.temporality] == 1)
        #expect(try decode(sum("99")).refusals[.temporality] == 1)
    }
    @Test func enumNamesAreMalformed() {
        let error = error(sum("\"AGGREGATION_TEMPORALITY_DELTA\""))
        #expect(error?.path == "resourceMetrics[0].scopeMetrics[0].metrics[0].sum.aggregationTemporality")
        #expect(error?.reason.contains("integer") == true)
    }
    @Test func attributesHaveEveryType() throws {
        #expect(try attribute(#"{"stringValue":"a\u0041\ud83d\ude42\n"}"#) == "aA🙂\n")
        #expect(try attribute(#"{"boolValue":true}"#) == .bool(true))
        #expect(try attribute(#"{"intValue":"-5"}"#) == .int(-5))
        #expect(try attribute(#"{"doubleValue":"NaN"}"#) == .double(.nan))
        #expect(
            try attribute(#"{"arrayValue":{"values":[{"intValue":1},{},{"arrayValue":{}}]}}"#)
                == .array([.int(1), .empty, .array([])])
        )
        #expect(
            try attribute(#"{"kvlistValue":{"values":[{"key":"x","value":{"boolValue":false}}]}}"#)
                == .map([Attribute("x", .bool(false))])
        )
        #expect(try attribute("{}") == .empty)
    }
    @Test(arguments: ["+/8=", "-_8=", "+/8", "-_8"])
    func bytesAreBase64OfBothKinds(_ text: String) throws {
        #expect(try attribute(#"{"bytesValue":"\#(text)"}"#) == .bytes([0xFB, 0xFF]))
    }
    @Test func otherBytesAreMalformed() throws {
        #expect(try attribute(#"{"bytesValue":""}"#) == .bytes([]))
        for text in ["A", "A===", "AA=A", "A A", "é"] {
            #expect(throws: MalformedJSON.self) { try attribute(#"{"bytesValue":"\#(text)"}"#) }
        }
    }
    @Test func idsAreHexOfAnyCase() throws {
        let exemplar =
            #"{"traceId":"5B8EFFF798038103D269B633813FC60c","spanId":"eee19b7ec3c1b174","asInt":"1","timeUnixNano":9}"#
        let batch = try #require(
            try decode(gauge(#"{"timeUnixNano":1,"asInt":1,"exemplars":[\#(exemplar)]}"#)).batch
        )
        #expect(
            batch.exemplars[0].traceID.prefix(2) == [0x5B, 0x8E] && batch.exemplars[0].traceID.last == 0x0C
        )
        #expect(batch.exemplars[0].spanID.count == 8 && batch.exemplars[0].flags == .isInteger)
        #expect(error(gauge(#"{"timeUnixNano":1,"asInt":1,"exemplars":[{"traceId":"xyz"}]}"#)) != nil)
    }
    @Test func anExemplarWithoutAValueIsNoneAndSoIsAnIDOfZeros() throws {
        let zeros =
            #"{"traceId":"\#(String(repeating: "0", count: 32))","spanId":"0000000000000000","asInt":"2"}"#
        let batch = try #require(
            try decode(gauge(#"{"timeUnixNano":1,"asInt":1,"exemplars":[\#(zeros),{"timeUnixNano":9}]}"#))
                .batch
        )
        #expect(batch.exemplars.map(\.bits) == [2])
        #expect(batch.exemplars[0].traceID.isEmpty && batch.exemplars[0].spanID.isEmpty)
    }
    @Test func keysMayBeEscaped() throws {
        #expect(try numbers(#"{"\u0074imeUnixNano":4,"asInt":1}"#).times == [4])
    }

    @Test(arguments: [
        "[]", "7", "null", "{", "{}}", "{} x", #"{"a"}"#, #"{"a":1,}"#, "{,}", #"{"a":tru}"#, #"{"a":"\x"}"#,
        #"{"a":"\u12g4"}"#,
        #"{"a":"\ud83d"}"#, #"{"a":"\ude42\ud83d"}"#, "{\"a\":\"\n\"}", "{'a':1}", #"{"a":[1 2]}"#,
        #"{"a":-}"#, "\u{FEFF}{}",
    ])
    func whatIsNoRequestIsMalformed(_ text: String) { #expect(error(text) != nil) }
    @Test(
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]]
            as [[UInt8]]
    )
    func stringsAreUTF8(_ bytes: [UInt8]) {
        let text = Array(#"{"a":""#.utf8) + bytes + Array(#""}"#.utf8)
        let decoder = OTLPDecoder(table: table, lane: "test")
        #expect(throws: MalformedJSON.self) { try text.withUnsafeBytes { try decoder.decodeJSON($0) } }
    }
    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> String {
            #"{"x":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(try decode(nested(199)).batch == nil)
        #expect(error(nested(200))?.reason.contains("deep") == true)
        #expect(error(nested(100_000)) != nil)
    }
    @Test func aMalformedRequestLeavesNothing() throws {
        let decoder = OTLPDecoder(table: table, lane: "test")
        let good = #"{"timeUnixNano":1,"asInt":1}"#
        _ = try Array(gauge(good).utf8).withUnsafeBytes { try decoder.decodeJSON($0) }
        let bad = Array(gauge(#"\#(good),\#(good),{"asInt":[]}"#).utf8)
        #expect(throws: MalformedJSON.self) { try bad.withUnsafeBytes { try decoder.decodeJSON($0) } }
        #expect(decoder.pendingPoints == 1)
    }
    @Test func errorsTellThePlace() {
        let error = error("{\"resourceMetrics\":\n [{},\n  {\"resource\": 5}]}")
        #expect(error?.description == "line 3, column 16, at resourceMetrics[1].resource: must be an object")
        #expect(error?.offset == 41)
    }
}
