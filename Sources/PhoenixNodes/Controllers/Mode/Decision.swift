import PhoenixModel

/// One decision of the `mode` controller, with everything that led to it.
struct Decision: Sendable, Equatable {
    var timeUnixNano: UInt64
    var from: Mode
    var to: Mode
    /// For a human; begins with `EMERGENCY` or `HIGH_RISK` where an override forced it.
    var reason: String
    /// Names the decision wherever it shows.
    var correlationID: String
    /// The version of the control file that it became.
    var version: UInt64
    var terms: ControlTerms
    var kpis: ControlKPIs
    /// Series that the optimized pipeline would let out in each mode, where it is known.
    var forecasts: [Mode: Double]
}
