/// How a gRPC call ended.
public struct GRPCStatus: Error, Sendable, Equatable {
    /// The codes of grpc/doc/statuscodes.md.
    public enum Code: Int, Sendable {
        case ok, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists,
            permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`,
            unavailable
        case dataLoss, unauthenticated
    }

    public var code: Code
    /// What happened, for people.
    public var message: String
    /// A serialized `google.rpc.Status` with details, such as `RetryInfo`; empty if there is none.
    public var details: [UInt8]

    /// A status of given parts.
    public init(_ code: Code, _ message: String = "", details: [UInt8] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// All went well.
    public static let ok = GRPCStatus(.ok)

    /// The fields that end a call.
    func write(to fields: inout HTTPFields) {
        fields.append("grpc-status", String(code.rawValue))
        if !message.isEmpty { fields.append("grpc-message", PercentCoding.encode(message)) }
        if !details.isEmpty { fields.append("grpc-status-details-bin", Base64.encodeUnpadded(details)) }
    }
}
