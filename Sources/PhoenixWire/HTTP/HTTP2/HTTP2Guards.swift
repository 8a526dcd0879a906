import NIOCore

/// Counts what is cheap for a peer and dear for us: pings and taken-back requests.
struct HTTP2Guards {
    private let settings: HTTPConfiguration.HTTP2
    private var strikes = 0
    private var lastPing: NIODeadline?
    private var resets = 0
    private var resetsSince: NIODeadline?
    /// When our own ping went out, until it is echoed.
    private(set) var pingSent: NIODeadline?

    init(_ settings: HTTPConfiguration.HTTP2) { self.settings = settings }

    /// A ping came; true if it was one too many (gRPC keepalive rules).
    mutating func ping(at now: NIODeadline, hasStreams: Bool) -> Bool {
        defer { lastPing = now }
        guard !hasStreams, let lastPing, now - lastPing < TimeAmount(settings.minPingInterval) else {
            return false
        }
        strikes += 1
        return strikes > settings.pingStrikes
    }

    /// Whoever gets answers may measure their way with pings.
    mutating func sentSomething() {
        strikes = 0
        lastPing = nil
    }

    /// A request was taken back; true if that was one too many.
    mutating func reset(at now: NIODeadline) -> Bool {
        if let since = resetsSince, now - since <= TimeAmount(settings.resetWindow) {
            resets += 1
        } else {
            resetsSince = now
            resets = 1
        }
        return resets > settings.resetLimit
    }

    mutating func ownPing(at now: NIODeadline) { pingSent = now }
    mutating func ownPingEchoed() { pingSent = nil }
}

/// How far a graceful end has come.
enum HTTP2ShutdownPhase {
    case none
    /// GOAWAY with the highest stream number is out; the echo of a ping shows that the peer has seen it.
    case announced
    /// GOAWAY with the last stream that is served is out.
    case final
}
