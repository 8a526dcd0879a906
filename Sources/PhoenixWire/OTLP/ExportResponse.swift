import PhoenixModel

/// `ExportMetricsServiceResponse`: what becomes of a request that was taken.
///
/// `partial_success` is left unset where every point was taken, as the protocol asks: then the protobuf form is empty.
public struct ExportResponse: Sendable, Equatable {
    public var rejectedPoints: Int
    /// In English; shortened where it would make the response too large for clients.
    public var message: String
    public init(rejectedPoints: Int = 0, message: String = "") {
        (self.rejectedPoints, self.message) = (rejectedPoints, StatusMessage.shortened(message))
    }
    public func encoded(as encoding: OTLPEncoding) -> [UInt8] {
        let isSet = rejectedPoints > 0 || !message.isEmpty
        switch encoding {
        case .protobuf:
            guard isSet else { return [] }
            var partial = ProtobufWriter()
            partial.varint(1, UInt64(rejectedPoints))
            partial.text(2, message)
            var writer = ProtobufWriter()
            writer.message(1, partial.bytes)
            return writer.bytes
        case .json:
            guard isSet else { return Array("{}".utf8) }
            let text = AttributeValue.string(message).json
            return Array(
                #"{"partialSuccess":{"rejectedDataPoints":"\#(rejectedPoints)","errorMessage":\#(text)}}"#
                    .utf8
            )
        }
    }
}
