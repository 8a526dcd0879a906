import PhoenixModel

/// `google.rpc.Status`: the body of every answer that refuses an OTLP request, and the details of a gRPC status.
///
/// Source: googleapis google/rpc/status.proto and error_details.proto.
public struct StatusMessage: Sendable, Equatable {
    /// What is known beyond code and message.
    public enum Detail: Sendable, Equatable {
        public struct Violation: Sendable, Equatable {
            public var field: String
            public var description: String
            public init(field: String, description: String) {
                (self.field, self.description) = (field, description)
            }
        }
        case badRequest([Violation])
        case retryInfo(Duration)
    }
    public var code: Int
    public var message: String
    public var details: [Detail]
    public init(code: Int, message: String, details: [Detail] = []) {
        (self.code, self.message, self.details) = (code, Self.shortened(message), details)
    }
    /// Clients take at most 4 MiB; a message that long helps nobody anyway.
    static func shortened(_ message: String) -> String {
        message.utf8.count <= 16 << 10 ? message : String(message.prefix(4 << 10)) + " ..."
    }

    public func encoded(as encoding: OTLPEncoding) -> [UInt8] {
        switch encoding {
        case .protobuf:
            var writer = ProtobufWriter()
            writer.varint(1, UInt64(code))
            writer.text(2, message)
            for detail in details { writer.message(3, detail.any) }
            return writer.bytes
        case .json:
            var text = #"{"code":\#(code),"message":\#(AttributeValue.string(message).json)"#
            if !details.isEmpty { text += #","details":[\#(details.map(\.json).joined(separator: ","))]"# }
            return Array((text + "}").utf8)
        }
    }
}

extension StatusMessage.Detail {
    private var typeURL: String {
        switch self {
        case .badRequest: "type.googleapis.com/google.rpc.BadRequest"
        case .retryInfo: "type.googleapis.com/google.rpc.RetryInfo"
        }
    }
    /// As `google.protobuf.Any`.
    fileprivate var any: [UInt8] {
        var content = ProtobufWriter()
        switch self {
        case .badRequest(let violations):
            for violation in violations {
                var writer = ProtobufWriter()
                writer.text(1, violation.field)
                writer.text(2, violation.description)
                content.message(1, writer.bytes)
            }
        case .retryInfo(let delay):
            var writer = ProtobufWriter()
            writer.varint(1, UInt64(max(0, delay.components.seconds)))
            writer.varint(2, UInt64(max(0, delay.components.attoseconds / 1_000_000_000)))
            content.message(1, writer.bytes)
        }
        var writer = ProtobufWriter()
        writer.text(1, typeURL)
        writer.message(2, content.bytes)
        return writer.bytes
    }
    fileprivate var json: String {
        switch self {
        case .badRequest(let violations):
            let list = violations.map { violation in
                let field = AttributeValue.string(violation.field).json
                return
                    #"{"field":\#(field),"description":\#(AttributeValue.string(violation.description).json)}"#
            }
            return #"{"@type":"\#(typeURL)","fieldViolations":[\#(list.joined(separator: ","))]}"#
        case .retryInfo(let delay):
            // With nine decimals: never in the form 1e+08, which is no duration.
            let nanoseconds = String(1_000_000_000 + max(0, delay.components.attoseconds / 1_000_000_000))
                .dropFirst()
            return
                #"{"@type":"\#(typeURL)","retryDelay":"\#(max(0, delay.components.seconds)).\#(nanoseconds)s"}"#
        }
    }
}
