/// What is remembered of one input series: its last point and where it goes.
struct Member: BitwiseCopyable, Sendable {
    /// Of the series id; 0 where the slot has no member.
    var generation: UInt32 = 0
    /// The number of the output; from `Reaggregator.firstDropped` on it goes nowhere, and this says why.
    var output: UInt32 = 0
    /// The bits of its last value; of a delta stream the end of what was taken before its last gap.
    var value: UInt64 = 0
    /// The start of its last point; of a delta stream the end of its last gap.
    var start: UInt64 = 0
    var time: UInt64 = 0
    /// When a point last came, in seconds of the receiver's clock.
    var seen: UInt32 = 0
    /// The time between its last points, in tenths of a second; 0 before there were two.
    var interval: UInt16 = 0
    var state: State = []

    struct State: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt16
        /// `value` is that of a point.
        static let hasValue = State(rawValue: 1)
        static let isInteger = State(rawValue: 2)
        /// Its value is part of its output's now: of gauges and the like.
        static let isLive = State(rawValue: 4)
        /// Several writers send this series; the others are kept aside.
        static let hasTwins = State(rawValue: 8)
        /// It stands in its output's list of candidates.
        static let isCandidate = State(rawValue: 16)
        /// Each of its points tells all that came before.
        static let isCumulative = State(rawValue: 32)
        /// A process before followed it, and to this one it has told nothing yet: what it grew by meanwhile belongs where it
        /// was, so it stays there until then.
        static let isBehind = State(rawValue: 64)
        /// Each of its points counts since the one before, whatever its output shows.
        static let isDelta = State(rawValue: 128)
        /// It is to be asked anew where it goes: with its next point, or before.
        static let isOpen = State(rawValue: 256)
        /// What it grew by until `time` others have told: with its first point here it does not count from zero.
        static let isTold = State(rawValue: 512)
    }
    static let dropped = UInt32.max
    /// Starts that differ by less are the same: senders compute them anew, from clocks of different fineness.
    static let startJitter: UInt64 = 1_000_000_000

    @inline(__always) var double: Double {
        state.contains(.isInteger) ? Double(Int64(bitPattern: value)) : Double(bitPattern: value)
    }
    @inline(__always)
    mutating func remember(_ point: NumberPoint) {
        (value, time, start) = (point.bits, point.time, point.start)
        state.insert(.hasValue)
        if point.isInteger { state.insert(.isInteger) } else { state.remove(.isInteger) }
    }
    /// Whether a point's start says that the stream began anew since the last point. A start at the point's own time
    /// says nothing: it is how senders write that they do not know it.
    @inline(__always)
    func isRestarted(start: UInt64, time: UInt64) -> Bool {
        start > self.start && start >= self.time && start < time
    }
    /// Whether the value fell.
    @inline(__always)
    func isAbove(_ point: NumberPoint) -> Bool {
        if state.contains(.isInteger), point.isInteger { return point.integer < Int64(bitPattern: value) }
        return point.double < double
    }
    /// Whether a point belongs to a stream that began clearly earlier than the one we follow: one writer's start only
    /// moves forward.
    @inline(__always)
    func isFollowedBefore(start earlier: UInt64) -> Bool {
        earlier != 0 && start > earlier && start - earlier > Self.startJitter
    }
    /// The interval follows a slower rhythm at once and a faster one slowly, so that a group whose members come at
    /// different moments is not taken for a fast one.
    @inline(__always)
    mutating func noteInterval(until next: UInt64) {
        // What comes sooner than a tenth of a second is the same point, amended.
        guard state.contains(.isLive), next > time, next - time >= 100_000_000 else { return }
        let gap = UInt16(clamping: (next - time + 99_999_999) / 100_000_000)
        interval = gap >= interval ? gap : max(gap, interval - max(1, interval / 8))
    }
}

extension Member {
    /// Since when a window counts whose start may be unknown.
    func windowStart(_ start: UInt64, time end: UInt64) -> UInt64 {
        if start != 0 { return start }
        return state.contains(.hasValue) ? min(time, end) : end
    }
    /// Takes in the window of a delta point; false where it was taken before.
    ///
    /// A window is taken the first time that it comes: into a total, or by nobody where its stream went nowhere then. Windows
    /// follow each other. The first must end after `floor`, for what ended before may have been counted, or come as it was
    /// made. One that comes late is news only where it fills the last gap, (`value`, `start`]: any other has been taken, and
    /// is a repetition.
    @inline(__always)
    @discardableResult
    mutating func takeWindow(
        start begin: UInt64,
        time end: UInt64,
        after floor: UInt64,
        at now: UInt64
    ) -> Bool {
        let isFirst = !state.contains(.hasValue)
        if isFirst, end <= floor, !comesAsMade(end, now) { return false }
        if isFirst || end > time {
            if isFirst {
                // What ended by the floor did so, by a clock that is ahead, so much later.
                (value, start) = (end > floor ? floor + (end - min(end, now)) : time, begin)
            } else if begin > time {
                (value, start) = (time, begin)
            }
            time = end
            state.insert(.hasValue)
            return true
        }
        guard begin != 0, begin >= value, end <= start, begin < end else { return false }
        // Windows that came late come in order, or from the end of the gap backwards.
        if end == start, begin > value { start = begin } else { value = end }
        return true
    }
}

extension Member {
    /// Whether windows that ended before the floor come as they were made, one after the other: by a clock that is behind,
    /// where those that were long under way come all at once. Of the first that cannot be told: its end is noted in `time`,
    /// when it came in `value`; the next must come at least half as long after it as it ends.
    @inline(never)
    private mutating func comesAsMade(_ end: UInt64, _ now: UInt64) -> Bool {
        guard end > time else { return false }
        if time != 0, now > value, now - value >= (end - time) / 2 { return true }
        (time, value) = (end, now)
        return false
    }
}

/// Another writer that sends a series under the same identity, told apart by its start.
struct Twin: Sendable {
    var member: Member
    /// How many are followed for one series; beyond that the one silent longest is given up.
    static let limit = 16
}

/// One number point out of its columns.
struct NumberPoint: BitwiseCopyable {
    var time: UInt64
    var start: UInt64
    var bits: UInt64
    var flags: PointFlags
    @inline(__always) var isInteger: Bool { flags.contains(.isInteger) }
    @inline(__always) var integer: Int64 { Int64(bitPattern: bits) }
    @inline(__always) var double: Double { isInteger ? Double(integer) : Double(bitPattern: bits) }
    /// A number that a running sum can take.
    @inline(__always) var isFinite: Bool {
        isInteger || bits & 0x7ff0_0000_0000_0000 != 0x7ff0_0000_0000_0000
    }
    /// A number that a monotonic sum can be, or grow by.
    @inline(__always) var isAmount: Bool { isFinite && (integer >= 0 || (!isInteger && bits == 1 << 63)) }
}
