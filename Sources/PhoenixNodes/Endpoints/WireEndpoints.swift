public import PhoenixRuntime
public import PhoenixWire

/// A path served over HTTP, as nodes hand it to the listeners.
public struct HTTPEndpoint: Endpoint {
    public let handler: any HTTPHandler
    public init(_ handler: any HTTPHandler) { self.handler = handler }
}

/// A gRPC method, under its full path.
public struct GRPCMethodEndpoint: Endpoint {
    public let method: any GRPCMethod
    public init(_ method: any GRPCMethod) { self.method = method }
}

/// Words the answers for paths of an address that nobody serves.
public struct FallbackEndpoint: Endpoint {
    public let handler: any HTTPHandler
    public init(_ handler: any HTTPHandler) { self.handler = handler }
    /// The path to claim with it: no request has it.
    public static let path = "*"
}
