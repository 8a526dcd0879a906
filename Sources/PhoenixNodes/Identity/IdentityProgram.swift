import PhoenixModel

/// What a node decides of a series by its identity alone: a pure function, so that it is asked once per series.
protocol IdentityProgram: Sendable {
    /// Judges the series and changes its attributes to those of its output.
    func judge(_ subject: inout Subject) -> Verdict
    /// The same for a count of what the program would admit: it leaves no trace.
    func foresee(_ subject: inout Subject) -> Verdict
    /// Whether this makes of every series what another program makes of it, and differs in other things only: then nothing
    /// that was judged is judged anew.
    func decides(as other: Self) -> Bool
    /// How long an input counts as alive after its last point.
    var aliveSeconds: UInt32 { get }
    /// Whether series are to be expected to meet on one output.
    var merging: Merging { get }
    /// How series that meet are merged.
    var options: Reaggregator.Options { get }
    /// How long what changes is held: until the next multiple of so many nanoseconds since 1970; 0 where it is not.
    var holdNanoseconds: UInt64 { get }
    /// Whether any series has a `factor`.
    var rescales: Bool { get }
    /// What the values of a series are multiplied by before anything else.
    func factor(of subject: inout Subject) -> Double
}
extension IdentityProgram {
    func foresee(_ subject: inout Subject) -> Verdict { judge(&subject) }
    func decides(as other: Self) -> Bool { false }
    var aliveSeconds: UInt32 { 300 }
    var options: Reaggregator.Options { .init() }
    var holdNanoseconds: UInt64 { 0 }
    var rescales: Bool { false }
    func factor(of subject: inout Subject) -> Double { 1 }
}
extension IdentityProgram where Self: Equatable {
    func decides(as other: Self) -> Bool { self == other }
}

/// Whether a program brings series together.
enum Merging: Sendable, Hashable {
    /// It keeps identities as they are, or drops.
    case never
    /// It should not; where it is found to, the series go aside from then on.
    case byAccident
    /// It is meant to: every series goes aside from the first, so that outputs are only ever sums of the node's own.
    case always
}

/// A program's answer.
enum Verdict: Sendable, Hashable {
    case pass
    /// It goes aside from its first point on, also where it is alone: points are not passed on as they are.
    case merge
    case drop(DropReason)
}

/// Why a point goes no further, as `phoenix_node_points_dropped_total` names it.
enum DropReason: UInt8, Sendable, Hashable, CaseIterable {
    /// The point came under an id whose series had already been retired.
    case staleSeries = 1
    /// The engine's series table had no room for the output.
    case tableFull
    /// A rule excludes the series.
    case excluded
    /// Rules say what is included, and the series is not.
    case notIncluded
    /// The buckets of an exponential histogram, or the bounds of a histogram, cannot be brought to another unit.
    case unscalable

    var name: String {
        switch self {
        case .staleSeries: "stale_series"
        case .tableFull: "series_table_full"
        case .excluded: "excluded"
        case .notIncluded: "not_included"
        case .unscalable: "unscalable"
        }
    }
}
