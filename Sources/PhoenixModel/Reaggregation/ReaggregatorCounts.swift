/// What a reaggregator has seen since it began.
public struct ReaggregatorCounts: Sendable, Equatable {
    public var resets: UInt64 = 0
    /// Points not newer than the one before of their series.
    public var late: UInt64 = 0
    /// Points of series that several writers send under one identity.
    public var overlaps: UInt64 = 0
    /// Points of sums whose value is none that a sum can take: not a number, infinite, or negative where it may not be.
    public var invalid: UInt64 = 0
    /// Marks of an end that ended nothing: a sum stands where it stood, and a gauge that is not shown cannot end.
    public var ends: UInt64 = 0
    /// Streams that began before this watched, or do not say when: what they told at first sight is in no total.
    public var unwatched: UInt64 = 0
    /// Points under ids that were stale already.
    public var stale: UInt64 = 0
    /// Points that found no room in the series table.
    public var refused: UInt64 = 0
    /// Points of inputs beyond `Options.memberLimit`.
    public var beyondLimit: UInt64 = 0
    /// Histogram points whose bounds did not fit their output's.
    public var unlikeLayouts: UInt64 = 0
    /// Exemplars that go no further: their points did not, or there were more than one point may have.
    public var exemplars: UInt64 = 0
    /// Points dropped, by the node's own reasons.
    public var dropped: [UInt64] = Array(repeating: 0, count: Reaggregator.maximumReasons)
    /// Input series that are known, and output series, frozen ones too, now.
    public var members = 0
    public var outputs = 0
    /// Outputs that some known input goes to: what the plan of this moment admits.
    public var admitted = 0
    public init() {}
}
