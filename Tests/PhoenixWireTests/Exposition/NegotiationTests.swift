import Testing

@testable import PhoenixWire

@Suite struct NegotiationTests {
    private static let prometheus3 =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    @Test(
        arguments: [
            (nil, .text), ("", .text), ("*/*", .text), ("text/plain", .text), (prometheus3, .openMetrics),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                .openMetrics
            ),
            ("application/openmetrics-text;q=0.1, text/plain", .text),
            ("text/plain;version=1.0.0", .text), ("application/openmetrics-text;version=2.0.0", .text),
            (
                "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.3",
                .openMetrics
            ),
            ("APPLICATION/OPENMETRICS-TEXT; Version=\"1.0.0\"", .openMetrics),
            ("application/openmetrics-text;q=0", .text),
            ("text/plain;q=x,application/openmetrics-text;q=0.2", .openMetrics),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.2",
                .protobuf
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
                    + "application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1", .protobuf
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text,"
                    + "application/openmetrics-text;q=0.8", .openMetrics
            ),
            ("application/vnd.google.protobuf;proto=some.Other;encoding=delimited", .text),
            ("application/vnd.google.protobuf", .text),
        ] as [(String?, ExpositionFormat)]
    )
    func picks(_ header: String?, _ expected: ExpositionFormat) {
        #expect(ExpositionDialect.negotiated(accept: header).format == expected)
    }

    @Test(
        arguments: [
            (nil, .underscores), (prometheus3, .allowUTF8), ("text/plain;version=0.0.4", .underscores),
            ("text/plain;version=0.0.4;escaping=dots", .dots), ("text/plain;escaping=values", .values),
            ("text/plain; Escaping=\"allow-utf-8\"", .allowUTF8), ("text/plain;escaping=none", .underscores),
            ("text/plain;version=1.0.0;escaping=allow-utf-8", .allowUTF8),
            ("text/plain;version=1.0.0", .underscores),
            ("text/plain;version=1.0.0;escaping=dots;q=0.2,*/*;q=0.1", .dots),
            // The entry that wins speaks for itself only.
            ("text/plain;q=0.1;escaping=allow-utf-8,application/openmetrics-text", .underscores),
        ] as [(String?, EscapingScheme)]
    )
    func picksTheSchemeOfTheEntry(_ header: String?, _ expected: EscapingScheme) {
        #expect(ExpositionDialect.negotiated(accept: header).escaping == expected)
    }
    @Test(
        arguments: [
            (nil, "0.0.4"), ("*/*", "0.0.4"), ("text/plain", "0.0.4"), ("text/plain;version=0.0.4", "0.0.4"),
            ("text/plain;version=1.0.0;escaping=allow-utf-8", "1.0.0"),
            ("text/plain;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3", "0.0.4"),
            ("text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2", "1.0.0"),
            ("text/plain;version=2.0.0,text/*;version=1.0.0;q=0.5", "0.0.4"),
        ] as [(String?, String)]
    )
    func answersInTheVersionOfTextThatIsAskedFor(_ header: String?, _ version: String) {
        let type = ExpositionDialect.negotiated(accept: header).contentType
        #expect(type.hasPrefix("text/plain; version=\(version); charset=utf-8; escaping="))
    }
    @Test func contentTypesSayBoth() {
        #expect(
            ExpositionDialect(.text).contentType == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
        )
        #expect(ExpositionDialect(.openMetrics, .allowUTF8).contentType.hasSuffix("; escaping=allow-utf-8"))
        #expect(
            ExpositionDialect(.protobuf, .values).contentType
                == "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                + "encoding=delimited; escaping=values"
        )
    }
}
