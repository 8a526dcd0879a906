#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The time of the world.
public struct SystemTime: TimeSource {
    private static let origin = ContinuousClock.now
    public init() {}
    public var unixNanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }
    public var monotonic: Duration { ContinuousClock.now - Self.origin }
    public func sleep(for duration: Duration) async throws {
        try await ContinuousClock().sleep(for: duration)
    }
}
