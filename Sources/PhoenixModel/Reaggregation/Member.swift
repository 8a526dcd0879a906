/// What is remembered of one input series: its last point and where it goes.
struct Member: BitwiseCopyable, Sendable {
    /// Of the series id; 0 where the slot has no member.
    var generation: UInt32 = 0
    /// The number of the output, or `dropped` with the reason in `value`.
    var output: UInt32 = 0
    var value: UInt64 = 0
    var start: UInt64 = 0
    var time: UInt64 = 0
    /// When a point last came, in seconds of the receiver's clock.
    var seen: UInt32 = 0
    /// The time between its last two points, in tenths of a second; 0 before there were two.
    var interval: UInt16 = 0
    var state: State = []

    struct State: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt8
        /// `value` is that of a point.
        static let hasValue = State(rawValue: 1)
        static let isInteger = State(rawValue: 2)
        /// Its value is part of its output's now: of gauges and the like.
        static let isLive = State(rawValue: 4)
        /// Several writers send this series; the others are kept aside.
        static let hasTwins = State(rawValue: 8)
        /// It stands in its output's list of candidates.
        static let isCandidate = State(rawValue: 16)
    }
    static let dropped = UInt32.max
}

/// Another writer that sends a series under the same identity, told apart by its start.
struct Twin: Sendable {
    var start: UInt64
    var value: UInt64
    var isInteger: Bool
    var time: UInt64
}
