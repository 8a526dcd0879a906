/// One series that a reaggregator emits, with its accumulator.
struct Output: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// Adds increases; emits the total.
        case counter
        /// Adds what comes; emits what came since it last emitted.
        case delta
        /// The live values of its members, put together by `merge`.
        case gauge
        /// In the pools of `CompoundState`.
        case compound
    }
    struct State: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt8
        /// A point of it went out; the start of a total stands.
        static let hasEmitted = State(rawValue: 1)
        /// It began to count: `start` is that of its first increments, or of the open window.
        static let hasBegun = State(rawValue: 2)
        /// The member that it shows left: look for the next among its candidates.
        static let mustRescan = State(rawValue: 4)
        /// The output is not in use: its number is free.
        static let isFree = State(rawValue: 8)
        static let isMonotonic = State(rawValue: 32)
        /// Of a metric whose points count since the one before.
        static let isDelta = State(rawValue: 16)
        /// Extremes of its points are those of what it counts: it adds up windows.
        static let keepsExtremes = State(rawValue: 64)
        /// Its members' clocks were behind what was told under its name before: its times are ours where theirs are no
        /// newer.
        static let goesByOurClock = State(rawValue: 128)
    }
    // In this order, so that the small fields fill what the sum leaves of its last word.
    var sum = ExactSum()
    var kind: Kind = .counter
    var merge: GaugeMerge = .last
    var state: State = []
    /// The batch that last touched it.
    var touched: UInt32 = 0
    var id: SeriesID = .none
    /// When it began to count, or its open window did. Until the first point went out in our time, from then on in that of
    /// its points.
    var start: UInt64 = 0
    /// The newest time of its points.
    var time: UInt64 = 0
    /// The time of the point that it emitted last, or that one of its name may have that was forgotten.
    var emitted: UInt64 = 0
    /// Members that go here, and those of them whose value is part of a gauge now, and of those the doubles.
    var members: UInt32 = 0
    var live: UInt32 = 0
    var liveDoubles: UInt32 = 0
    /// The slots of all live members, exclusive-or: with one alone, its slot.
    var liveSlots: UInt32 = 0
    /// Of `min`, `max` and `last` with several live members: the slot of the member whose value it shows.
    var shownSlot: UInt32 = 0
    /// When it last emitted, in seconds of the receiver's clock.
    var seen: UInt32 = 0

    static let vacant = Output()

    /// Notes that increments since `moment` are counted, as long as no point has told another start; by a clock that is
    /// so much ahead of ours.
    @inline(__always)
    mutating func begin(at moment: UInt64, ahead: UInt64) {
        if state.intersection([.hasEmitted, .isDelta]) == .hasEmitted { return }
        let moment = moment - min(moment, ahead)
        if !state.contains(.hasBegun) || moment < start { start = moment }
        state.insert(.hasBegun)
    }
    /// Notes that a window from `moment` on, 0 where it is unknown, joins what is emitted next.
    @inline(__always)
    mutating func open(at moment: UInt64) {
        if !state.contains(.hasBegun) || start == 0 || (moment != 0 && moment < start) { start = moment }
        state.insert(.hasBegun)
    }
}
