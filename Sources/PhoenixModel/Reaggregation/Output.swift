/// One series that a reaggregator emits, with its accumulator.
struct Output: Sendable {
    enum Kind: UInt8, Sendable {
        /// Adds increases; emits the total.
        case counter
        /// Adds what comes; emits what came since it last emitted.
        case delta
        /// The live values of its members, put together by `merge`.
        case gauge
        /// In the pools of `CompoundOutputs`.
        case compound
    }
    var id: SeriesID
    var kind: Kind
    var merge: GaugeMerge
    var sum = ExactSum()
    /// When it began to count, and the newest time of its points.
    var start: UInt64
    var time: UInt64 = 0
    /// The batch that last touched it.
    var touched: UInt32 = 0
    /// Members that go here, and those of them whose value is part of a gauge now.
    var members: UInt32 = 0
    var live: UInt32 = 0
    var seen: UInt32 = 0
    /// The member whose value a `last` shows, or the only one; and the extreme of `min` and `max`.
    var shown: UInt64 = 0
    var shownIsInteger = false
    var shownTime: UInt64 = 0
    /// The extreme left: look for the next among the members.
    var mustRescan = false
    /// Nothing was emitted yet: its start may still move back to that of a stream that counts from zero.
    var isNew = true
    /// The output is not in use: its number is free.
    var isFree = false
}

/// What an output is, to name it again when its id went stale.
struct OutputName: Sendable, Hashable {
    var resource: AttributeSet
    var metric: Metric
    var attributes: AttributeSet
    static func == (left: Self, right: Self) -> Bool {
        left.resource === right.resource && left.metric === right.metric && left.attributes === right.attributes
    }
    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(resource))
        hasher.combine(ObjectIdentifier(metric))
        hasher.combine(ObjectIdentifier(attributes))
    }
}
