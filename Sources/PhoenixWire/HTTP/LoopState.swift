import Glibc
import NIOCore

/// What one event loop keeps for all its connections: a coarse clock, buffers to reuse, and who is connected.
///
/// Sendable because everything mutable in it is touched on `loop` only; other threads hop there first.
final class LoopState: @unchecked Sendable {
    let loop: any EventLoop
    let index: Int
    let configuration: HTTPConfiguration
    let events: @Sendable (HTTPEvent) -> Void
    private(set) lazy var inflater = Inflater()

    /// The time of the last tick: precise enough for timeouts, and free.
    private(set) var now: NIODeadline
    /// The value of a `Date` field as of the last tick.
    private(set) var date = ""
    private var connections: [UInt64: HTTPChannelHandler] = [:]
    private var pool: [ByteBuffer] = []
    private var ticker: RepeatedTask?

    /// Bodies up to this size are collected in reused buffers.
    static let pooledSize = 1 << 20
    private static let poolCount = 16

    init(
        loop: any EventLoop,
        index: Int,
        _ configuration: HTTPConfiguration,
        _ events: @escaping @Sendable (HTTPEvent) -> Void
    ) {
        self.loop = loop
        self.index = index
        self.configuration = configuration
        self.events = events
        now = loop.now
    }

    func add(_ connection: HTTPChannelHandler, id: UInt64) {
        if connections.isEmpty { startTicking() }
        connections[id] = connection
    }

    func remove(id: UInt64) {
        connections[id] = nil
        guard connections.isEmpty else { return }
        ticker?.cancel()
        ticker = nil
        pool = []
    }

    /// The connections of one address.
    func connections(of listener: HTTPListenerState) -> [HTTPChannelHandler] {
        connections.values.filter { $0.listener === listener }
    }

    /// An empty buffer for a body; large enough at once if it is likely to be.
    func takeBuffer(expecting length: Int?, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        // What a peer only says that it will send gets no more than this before it sends.
        let wanted = min(length ?? 16 << 10, Self.pooledSize)
        guard var buffer = pool.popLast() else { return allocator.buffer(capacity: wanted) }
        buffer.clear(minimumCapacity: wanted)
        return buffer
    }

    /// Takes a buffer back, if it is of a size worth keeping.
    func giveBack(_ buffer: ByteBuffer) {
        guard pool.count < Self.poolCount, buffer.storageCapacity <= Self.pooledSize else { return }
        pool.append(buffer)
    }

    private func startTicking() {
        tick()
        let interval = TimeAmount(configuration.tick)
        ticker = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] _ in
            self?.tick()
        }
    }

    private func tick() {
        now = loop.now
        date = Self.httpDate()
        // A copy: a connection that times out takes itself out.
        for connection in Array(connections.values) { connection.tick(now) }
    }

    /// The wall clock as RFC 9110, 5.6.7 wants it.
    private static func httpDate() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(1900 + Int(parts.tm_year)) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
}
