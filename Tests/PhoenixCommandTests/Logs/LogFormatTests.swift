import Foundation
import Testing

@testable import PhoenixCommand

@Suite struct LogFormatTests {
    private let entry = StreamLog.Entry(
        time: "2026-01-01T00:00:00.000Z",
        level: .info,
        label: "phoenix",
        message: "said \"no\"\n",
        metadata: [("empty", ""), ("level", "two"), ("node", "otlp"), ("plain", "1")]
    )

    @Test func textNamesTheNodeAndQuotesWhereItMust() {
        #expect(
            TextLine.render(entry)
                == "2026-01-01T00:00:00.000Z info otlp: said \"no\"\n empty=\"\" level=two plain=1"
        )
    }

    @Test func jsonIsOneObjectWithoutDoubledKeys() throws {
        let line = JSONLogLine.render(entry)
        #expect(!line.contains("\n"))
        let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["message"] == "said \"no\"\n")
        #expect(object["level"] == "info")
        #expect(object["metadata.level"] == "two")
        #expect(object["node"] == "otlp")
    }

    @Test func timesAreOfRFC3339() {
        #expect(Timestamp(unixMilliseconds: 0).text == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(unixMilliseconds: 1_767_225_599_042).text == "2025-12-31T23:59:59.042Z")
    }
}
