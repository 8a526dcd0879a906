import NIOCore

/// Limits and times of a server.
///
/// The defaults suit a service inside a data centre.
public struct HTTPConfiguration: Sendable {
    /// The largest request head in bytes; over it: 431.
    public var headLimit = 16 << 10
    /// The largest request body in bytes, still compressed; over it: 413.
    public var bodyLimit = 64 << 20
    /// The most request body bytes that one connection may have waiting at once.
    public var connectionBodyLimit = 128 << 20
    /// Connections at once, over all addresses of the server; more are closed at once.
    public var maxConnections = 10_000
    /// So many more are let in at addresses of rank `.foremost`, and half as many at those of rank `.preferred`.
    public var reservedConnections = 64
    /// How long an address accepts nothing after that failed for want of file descriptors or memory.
    public var acceptPause: Duration = .seconds(1)
    /// The most bytes of further requests that an HTTP/1.1 connection reads ahead while one is answered.
    public var pipelineLimit = 64 << 10
    /// A refused body up to this size is read and thrown away, so that the connection lives on.
    public var discardLimit = 256 << 10
    /// How long a connection may lie idle.
    public var idleTimeout: Duration = .seconds(60)
    /// How long a head may take from its first byte.
    public var headTimeout: Duration = .seconds(60)
    /// How long a request may take from its head to the answer.
    public var requestTimeout: Duration = .seconds(120)
    /// How long the peer may take none of what we write.
    public var writeTimeout: Duration = .seconds(30)
    /// How often timeouts are looked at.
    public var tick: Duration = .seconds(1)
    /// The length of the accept queue.
    public var backlog = 1024
    /// HTTP/2 only.
    public var http2 = HTTP2()

    /// Limits and times of HTTP/2 connections.
    public struct HTTP2: Sendable {
        /// Streams at once; more get REFUSED_STREAM.
        public var maxConcurrentStreams = 1000
        /// What a peer may send on one stream before we have taken it.
        public var streamWindow = 4 << 20
        /// What a peer may send on all streams of a connection before we have taken it.
        public var connectionWindow = 16 << 20
        /// The largest DATA frame we take.
        public var maxFrameSize = 1 << 20
        /// How long a connection without streams may lie idle; it is ended by GOAWAY, so nothing is lost.
        public var idleTimeout: Duration = .seconds(300)
        /// Pings more often than this on a connection without streams are strikes.
        public var minPingInterval: Duration = .seconds(300)
        /// So many strikes are forgiven.
        public var pingStrikes = 2
        /// How often we ping an otherwise silent peer; nil never.
        public var keepalive: Duration? = .seconds(7200)
        /// How long the peer may take to echo our ping.
        public var keepaliveTimeout: Duration = .seconds(20)
        /// Streams that a peer may reset in `resetWindow` before it is sent away.
        public var resetLimit = 1000
        /// The time over which resets are counted.
        public var resetWindow: Duration = .seconds(10)

        /// The defaults.
        public init() {}
    }

    /// The defaults.
    public init() {}

    /// How many connections may be open when one more is let in at an address of the rank.
    func most(_ rank: ConnectionRank) -> Int {
        switch rank {
        case .ordinary: maxConnections
        case .preferred: maxConnections + reservedConnections / 2
        case .foremost: maxConnections + reservedConnections
        }
    }
}

/// Whose connections are let in when nearly as many are open as may be.
public enum ConnectionRank: Sendable {
    /// What there may be thousands of.
    case ordinary
    /// What must be seen while there are too many of those.
    case preferred
    /// What tells whether the process lives.
    case foremost
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // A century is forever, and keeps the product in range.
        self = .nanoseconds(min(seconds, 3_155_760_000) * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
