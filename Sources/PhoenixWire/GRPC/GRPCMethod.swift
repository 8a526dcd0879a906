/// Serves a gRPC method whose request is one message.
///
/// Register it under its full path in `RouteTable.Routes.grpc`.
public protocol GRPCMethod: Sendable {
    /// The largest message in bytes, compressed or not; over it: RESOURCE_EXHAUSTED. The default is 64 MiB.
    var messageLimit: Int { get }

    /// Where this method says that it is full; nil if it never is.
    var gate: HTTPGate? { get }

    /// Called on the event loop before the message is read: a status refuses the call.
    func admit(_ head: HTTPRequestHead, loop: Int) -> GRPCStatus?

    /// Called on the event loop with the message, decompressed and valid only during the call.
    ///
    /// - Parameter responder: to be answered now or later, from any thread.
    func handle(_ call: GRPCCall, message: UnsafeRawBufferPointer, _ responder: GRPCResponder)

    /// Called on the event loop when the server refuses a call of this method by itself, for counters and logs.
    ///
    /// - Parameters:
    ///   - message: what the caller is told.
    ///   - peer: who called, where that is known.
    func refused(_ refusal: GRPCRefusal, _ message: String, _ head: HTTPRequestHead, peer: String?)
}

/// Why the server refuses a call that its method does not see.
public enum GRPCRefusal: Sendable, Equatable {
    /// The frame of the message, its compression or the deadline cannot be read.
    case malformed
    /// The message is larger than the method's limit, compressed or not.
    case tooLarge
    /// The method's path was asked for by other than gRPC over HTTP/2.
    case contentType
    /// The message is in a compression that is not served.
    case encoding
    /// What HTTP found.
    case problem(HTTPProblem)
}

extension GRPCMethod {
    public var messageLimit: Int { 64 << 20 }
    public var gate: HTTPGate? { nil }
    public func admit(_ head: HTTPRequestHead, loop: Int) -> GRPCStatus? { nil }
    public func refused(
        _ refusal: GRPCRefusal,
        _ message: String,
        _ head: HTTPRequestHead,
        peer: String?
    ) {}
}

/// A gRPC call as its method gets it.
public struct GRPCCall {
    public let request: HTTPRequest
    /// How long the caller will wait; nil means for ever.
    ///
    /// After it the server answers DEADLINE_EXCEEDED itself.
    public let timeout: Duration?
}
