/// The name of a series in batches: a slot of the series table, and which of its successive tenants is meant.
///
/// An id whose slot has been given to another series is *stale*: its generation is not the slot's. Whoever keeps
/// state by slot compares generations, so that no point is ever booked on a wrong series.
public struct SeriesID: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(slot: UInt32, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(slot)
    }
    @inlinable public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
    @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    public var description: String { "\(slot)#\(generation)" }
}
