/// Why a point is not exposed.
public enum ExpositionDrop: UInt8, Sendable, Hashable, CaseIterable {
    /// The series table no longer knows the point's id.
    case staleSeries
    /// A metric of this name has another type; the first one seen is exposed.
    case typeConflict
    /// The name, or one of the names of its samples, belongs to another family.
    case nameClash
    /// Nothing of the name is left in Prometheus' alphabet.
    case invalidName
    /// A delta that may fall means nothing to a scraper that takes only some of the points.
    case deltaNonMonotonic
    /// A sum or histogram that does not say whether it is delta or cumulative.
    case unspecifiedTemporality
    /// `max_series` series are held.
    case seriesLimit
    /// Colliding histograms of which one is exponential and the other is not.
    case layoutMismatch
    /// The point is not of its metric's kind.
    case kindMismatch
    /// Older than the point that is held.
    case outOfOrder

    /// The word for the `reason` label.
    public var label: String {
        switch self {
        case .staleSeries: "stale_series"
        case .typeConflict: "type_conflict"
        case .nameClash: "name_clash"
        case .invalidName: "invalid_name"
        case .deltaNonMonotonic: "delta_non_monotonic"
        case .unspecifiedTemporality: "unspecified_temporality"
        case .seriesLimit: "series_limit"
        case .layoutMismatch: "layout_mismatch"
        case .kindMismatch: "kind_mismatch"
        case .outOfOrder: "out_of_order"
        }
    }
}

/// What an endpoint did with its points since it began.
public struct ExpositionCounts: Sendable, Equatable {
    public var received: UInt64 = 0
    private var drops = [UInt64](repeating: 0, count: ExpositionDrop.allCases.count)
    /// Series that ended by `NO_RECORDED_VALUE`.
    public var ended: UInt64 = 0
    /// Series that ended because nothing came for so long.
    public var expired: UInt64 = 0
    /// Series that had to share their exposed label set with another one.
    public var collisions: UInt64 = 0
    /// Points of counters that told less than the process before had shown.
    public var heldBack: UInt64 = 0
    /// Exemplars that found no room.
    public var droppedExemplars: UInt64 = 0
    public init() {}
    /// Points dropped for a reason.
    public subscript(reason: ExpositionDrop) -> UInt64 {
        get { drops[Int(reason.rawValue)] }
        set { drops[Int(reason.rawValue)] = newValue }
    }
    /// Points dropped, for whatever reason.
    public var dropped: UInt64 { drops.reduce(0, +) }
}
