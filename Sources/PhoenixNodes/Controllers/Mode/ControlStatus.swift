import PhoenixModel

/// Everything that a `mode` controller reads and holds at one moment: `StatusResponse` of the control protocol, and more.
struct ControlStatus: Sendable, Equatable {
    /// A mode that a person holds against the law.
    struct Override: Sendable, Equatable {
        var mode: Mode
        var reason: String
        /// When it ends by itself; nil for one that must be cleared.
        var untilUnixNano: UInt64?
        /// What is left of it; nil for one that must be cleared.
        var remaining: Duration?
    }
    /// Where one mode gives way to the next, in series of the optimized pipeline.
    struct Thresholds: Sendable, Equatable {
        var target: Double
        var conservativeMaximum: Double
        var aggressiveMinimum: Double
        var hysteresis: Double
    }
    var mode: Mode
    /// Grows by one with each decision, also over restarts.
    var version: UInt64
    var correlationID: String
    /// Why the mode holds.
    var reason: String
    /// When the mode came to hold.
    var sinceUnixNano: UInt64
    var kpis: ControlKPIs
    /// Series that the optimized pipeline would let out in each mode, where it is known.
    var forecasts: [Mode: Double]
    var terms: ControlTerms
    var thresholds: Thresholds
    /// The control period.
    var interval: Duration
    /// How long the controller runs, its predecessors in this process included.
    var uptime: Duration
    /// How often the mode changed.
    var transitionCount: Int
    /// 1 for a mode that never changes, 0 for one that changes as often as the stability period lets it.
    var stabilityScore: Double
    /// Whether observations stopped coming, and the mode is held for want of them.
    var isSafeMode: Bool
    /// Which forced reduction holds: `EMERGENCY`, `HIGH_RISK`, or none.
    var forced: String?
    var override: Override?
    /// Which pipelines are exposed.
    var exposure: [String: Bool]
    /// The newest decisions, the newest first.
    var recentSignals: [Decision]
}
