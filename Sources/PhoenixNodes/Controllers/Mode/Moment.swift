import PhoenixRuntime

/// A moment as a decision needs it: to measure how long, and to say when.
struct Moment: Sendable, Equatable {
    /// Time that only goes forward.
    var monotonic: Duration
    /// The time of the world.
    var unixNano: UInt64
}

extension TimeSource {
    var moment: Moment { Moment(monotonic: monotonic, unixNano: unixNanoseconds) }
}
