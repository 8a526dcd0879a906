import Foundation
import SwiftProtobuf
import Testing

@testable import PhoenixWire

/// What Phoenix answers, read by swift-protobuf (CONFORMANCE items 8 to 12, 15, 36).
@Suite struct ResponseTests {
    private typealias Response = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceResponse

    private func decoded<Answer: Message>(
        _ type: Answer.Type,
        _ bytes: [UInt8],
        _ encoding: OTLPEncoding
    ) throws -> Answer {
        switch encoding {
        case .protobuf: try Answer(serializedBytes: bytes)
        case .json: try Answer(jsonUTF8Bytes: bytes)
        }
    }
    @Test func fullSuccessIsUnset() {
        #expect(ExportResponse().encoded(as: .protobuf).isEmpty)
        #expect(ExportResponse().encoded(as: .json) == Array("{}".utf8))
    }
    @Test(arguments: [OTLPEncoding.protobuf, .json]) func partialSuccessSaysHowManyAndWhy(
        _ encoding: OTLPEncoding
    ) throws {
        let sent = ExportResponse(rejectedPoints: 3, message: "3 refused: \"why\"\n\u{1}é")
        let read = try decoded(Response.self, sent.encoded(as: encoding), encoding)
        #expect(
            read.partialSuccess.rejectedDataPoints == 3 && read.partialSuccess.errorMessage == sent.message
        )
        let warning = ExportResponse(message: "careful")
        let readWarning = try decoded(Response.self, warning.encoded(as: encoding), encoding)
        #expect(readWarning.hasPartialSuccess && readWarning.partialSuccess.rejectedDataPoints == 0)
    }
    @Test(arguments: [OTLPEncoding.protobuf, .json]) func answersStayBelowWhatClientsTake(
        _ encoding: OTLPEncoding
    ) throws {
        let endless = String(repeating: "é", count: 5 << 20)
        let response = ExportResponse(rejectedPoints: 1, message: endless).encoded(as: encoding)
        let status = StatusMessage(code: 3, message: endless).encoded(as: encoding)
        #expect(response.count < 4 << 20 && status.count < 4 << 20)
        #expect(try decoded(Response.self, response, encoding).partialSuccess.rejectedDataPoints == 1)
        #expect(try decoded(Google_Rpc_Status.self, status, encoding).code == 3)
    }
    @Test func statusCarriesItsDetails() throws {
        let sent = StatusMessage(
            code: 14,
            message: "full",
            details: [.retryInfo(.milliseconds(1500)), .badRequest([.init(field: "a", description: "b")])]
        )
        let read = try Google_Rpc_Status(serializedBytes: sent.encoded(as: .protobuf))
        #expect(read.code == 14 && read.message == "full" && read.details.count == 2)
        let retry = try Google_Rpc_RetryInfo(unpackingAny: read.details[0])
        #expect(retry.retryDelay.seconds == 1 && retry.retryDelay.nanos == 500_000_000)
        let bad = try Google_Rpc_BadRequest(unpackingAny: read.details[1])
        #expect(
            bad.fieldViolations.map(\.field) == ["a"] && bad.fieldViolations.map(\.description_p) == ["b"]
        )
    }
    @Test func statusInJSONIsTheSame() throws {
        Google_Protobuf_Any.register(messageType: Google_Rpc_RetryInfo.self)
        Google_Protobuf_Any.register(messageType: Google_Rpc_BadRequest.self)
        for delay in [
            Duration.milliseconds(1500), .zero, .seconds(90), .microseconds(500), .seconds(100_000_000),
        ] {
            let sent = StatusMessage(
                code: 8,
                message: "x",
                details: [.retryInfo(delay), .badRequest([.init(field: "f", description: "d")])]
            )
            let binary = try Google_Rpc_Status(serializedBytes: sent.encoded(as: .protobuf))
            let json = try Google_Rpc_Status(jsonUTF8Bytes: sent.encoded(as: .json))
            let read = try Google_Rpc_RetryInfo(unpackingAny: json.details[0])
            let expected = try Google_Rpc_RetryInfo(unpackingAny: binary.details[0])
            #expect(json.code == 8 && read == expected, "\(delay)")
            #expect(try Google_Rpc_BadRequest(unpackingAny: json.details[1]).fieldViolations.count == 1)
        }
    }
}
