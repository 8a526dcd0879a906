public protocol GRPCMethod: Sendable {}
struct GRPCEndpoint: HTTPHandler {
    init(_ m: (any GRPCMethod)?) {}
    static func isGRPC(_ h: HTTPRequestHead) -> Bool { false }
    func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {}
}
