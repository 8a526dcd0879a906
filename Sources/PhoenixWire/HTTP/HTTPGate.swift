import PhoenixModel
import Synchronization

/// Where a handler says that it is full, so that the network waits instead of the memory.
///
/// While a gate is shut, HTTP/1.1 connections stop reading their sockets before the next body, and HTTP/2
/// connections stop opening the flow-control window. A request that waits longer than the gate's patience is answered
/// 503, or UNAVAILABLE, with the word when to try again.
public final class HTTPGate: Sendable {
    /// How long requests wait at a shut gate, and what those that waited in vain are told.
    public struct Patience: Sendable, Equatable {
        /// Nil stands for the server's request timeout.
        ///
        /// Looked at once a `HTTPConfiguration.tick`.
        public var wait: Duration?
        /// When the sender is told to try again.
        public var retryAfter: Duration
        /// The server's request timeout, and a second, where nothing is said.
        public init(wait: Duration? = nil, retryAfter: Duration = .seconds(1)) {
            (self.wait, self.retryAfter) = (wait, retryAfter)
        }
    }
    private struct Waiters {
        var isShut = false
        var patience = Patience()
        var wake: [UInt64: @Sendable () -> Void] = [:]
    }
    private let waiters = Lock(Waiters())
    private let flag = Atomic<Bool>(false)

    /// An open gate.
    public init() {}

    /// Whether bodies may be read.
    public var isOpen: Bool { !flag.load(ordering: .acquiring) }

    /// How long requests wait here; may be changed at any time.
    public var patience: Patience {
        get { waiters.withLock { $0.patience } }
        set { waiters.withLock { $0.patience = newValue } }
    }

    /// Lets no more bodies in.
    public func shut() {
        waiters.withLock { waiters in
            waiters.isShut = true
            flag.store(true, ordering: .releasing)
        }
    }

    /// Lets bodies in again and wakes the connections that wait.
    public func open() {
        let wake = waiters.withLock { waiters in
            waiters.isShut = false
            flag.store(false, ordering: .releasing)
            defer { waiters.wake.removeAll() }
            return waiters.wake
        }
        for wake in wake.values { wake() }
    }

    /// Keeps `wake` for when the gate opens, one per connection; false if it is open already.
    func park(_ connection: UInt64, _ wake: @escaping @Sendable () -> Void) -> Bool {
        waiters.withLock { waiters in
            guard waiters.isShut else { return false }
            waiters.wake[connection] = wake
            return true
        }
    }

    /// Forgets a connection that went away.
    func leave(_ connection: UInt64) {
        waiters.withLock { waiters in _ = waiters.wake.removeValue(forKey: connection) }
    }
}
