import Glibc
import NIOCore

/// Tells of accepts that failed, and pauses where the next one would fail as well.
///
/// NIO goes on accepting, and who was not accepted still waits in the kernel's queue: without a pause the event loop would do
/// nothing but fail. Used on the event loop of its channel only.
final class AcceptErrors: ChannelInboundHandler {
    typealias InboundIn = any Channel
    private let pause: TimeAmount
    private let events: @Sendable (HTTPEvent) -> Void
    private var isPaused = false

    init(pause: TimeAmount, _ events: @escaping @Sendable (HTTPEvent) -> Void) {
        (self.pause, self.events) = (pause, events)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = HTTPEvent.AcceptFailure(error)
        events(.acceptFailed(failure, Self.words(error)))
        guard failure != .other, !isPaused, let options = context.channel.syncOptions else { return }
        isPaused = true
        Self.accept(false, options)
        context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            self.isPaused = false
            Self.accept(true, options)
        }
    }

    private static func words(_ error: any Error) -> String {
        // The error's own words name the system call that found it, and not what it is.
        (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
    }
    private static func accept(_ isWanted: Bool, _ options: any NIOSynchronousChannelOptions) {
        // A channel that takes no options is closed, and accepts nothing anyway.
        do { try options.setOption(.autoRead, value: isWanted) } catch {}
    }
}

extension HTTPEvent.AcceptFailure {
    init(_ error: any Error) {
        switch (error as? IOError)?.errnoCode {
        case EMFILE, ENFILE: self = .descriptors
        case ENOBUFS, ENOMEM: self = .memory
        default: self = .other
        }
    }
}
