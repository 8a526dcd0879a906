import NIOCore
import PhoenixWire

/// Notes why TLS ended a connection; stands between the handlers that speak TLS and HTTP, and passes everything on.
final class TLSFailureHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let failures: ConnectionFailures
    private let address: String
    private var peer: String?
    /// What follows from the first failure is none of its own.
    private var hasFailed = false

    init(_ failures: ConnectionFailures, address: String) {
        (self.failures, self.address) = (failures, address)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Nobody knows it once the connection is closed.
        peer = HTTPAddress(context.remoteAddress)?.description
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !hasFailed, let (reason, what) = ConnectionFailure.ofTLS(error) {
            hasFailed = true
            failures.note(reason, .init(what: what, address: address, peer: peer))
        }
        context.fireErrorCaught(error)
    }
}
