/// Where the engine takes time from: the world, or a test that moves it by hand.
public protocol TimeSource: Sendable {
    /// The time of the world, in nanoseconds since 1970.
    var unixNanoseconds: UInt64 { get }
    /// Time that only goes forward, from an arbitrary origin.
    var monotonic: Duration { get }
    /// Returns once `duration` has passed; throws `CancellationError` when its task is cancelled.
    func sleep(for duration: Duration) async throws
}
