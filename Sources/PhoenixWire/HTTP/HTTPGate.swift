import PhoenixModel
import Synchronization

/// Where a handler says that it is full, so that the network waits instead of the memory.
///
/// While a gate is shut, HTTP/1.1 connections stop reading their sockets before the next body, and HTTP/2
/// connections stop opening the flow-control window. A request that waits longer than the request timeout is
/// answered 503.
public final class HTTPGate: Sendable {
    private struct Waiters {
        var isShut = false
        var wake: [UInt64: @Sendable () -> Void] = [:]
    }
    private let waiters = Lock(Waiters())
    private let flag = Atomic<Bool>(false)

    /// An open gate.
    public init() {}

    /// Whether bodies may be read.
    public var isOpen: Bool { !flag.load(ordering: .acquiring) }

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
