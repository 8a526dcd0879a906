#if PHOENIX_TSAN
import Glibc

/// A value that only one thread at a time may touch.
///
/// The body for ThreadSanitizer, which does not see the happens-before of `Synchronization.Mutex` and
/// reports races that are none. Sendable because every access to `value` is inside the pthread mutex, which
/// lives at a stable address for as long as the lock.
public final class Lock<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value
    public init(_ value: sending Value) {
        self.value = value
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }
    /// Runs `body` with the value; never across an `await`.
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
#else
public import Synchronization

/// A value that only one thread at a time may touch.
///
/// A class, so that it can be shared and stored anywhere. Sendable because every access to `value` is inside
/// the mutex.
public final class Lock<Value>: @unchecked Sendable {
    @usableFromInline let mutex = Mutex(())
    @usableFromInline var value: Value
    @inlinable public init(_ value: sending Value) { self.value = value }
    /// Runs `body` with the value; never across an `await`.
    @inlinable public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        mutex._unsafeLock()
        defer { mutex._unsafeUnlock() }
        return try body(&value)
    }
}
#endif
