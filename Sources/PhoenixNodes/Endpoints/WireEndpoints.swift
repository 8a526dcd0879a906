public import PhoenixRuntime
public import PhoenixWire

/// An endpoint that can say what it is for, to those who ask where the engine listens.
public protocol DescribedEndpoint: Endpoint {
    /// What it is for, in a few words; empty for what needs no mention.
    var purpose: String { get }
    /// How it is spoken to: `HTTP` or `gRPC`.
    var speech: String { get }
}

/// A path served over HTTP, as nodes hand it to the listeners; one that ends in `*` covers all that begin with the rest.
public struct HTTPEndpoint: DescribedEndpoint {
    public let handler: any HTTPHandler
    public let purpose: String
    public var speech: String { "HTTP" }
    public init(_ handler: any HTTPHandler, purpose: String = "") {
        (self.handler, self.purpose) = (handler, purpose)
    }
}

extension HTTPEndpoint: SpokenEndpoint {
    public var spoken: [(name: String, text: String)] { (handler as? ExpositionHandler)?.spoken ?? [] }
}

/// A gRPC method, under its full path.
public struct GRPCMethodEndpoint: DescribedEndpoint {
    public let method: any GRPCMethod
    public let purpose: String
    public var speech: String { "gRPC" }
    public init(_ method: any GRPCMethod, purpose: String = "") {
        (self.method, self.purpose) = (method, purpose)
    }
}

/// Words the answers for paths of an address that nobody serves.
public struct FallbackEndpoint: Endpoint {
    public let handler: any HTTPHandler
    public init(_ handler: any HTTPHandler) { self.handler = handler }
    /// The path to claim with it: no request has it.
    public static let path = "*"
}
