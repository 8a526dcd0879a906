/// What the controller knows of the pipelines: the newest reading of each kind; nil where none came yet.
struct ControlKPIs: Sendable, Equatable {
    /// Series that each pipeline lets out in the mode that holds, or shows where nothing better is known.
    var fullSeries: Double?
    var optimizedSeries: Double?
    var experimentalSeries: Double?
    var intakeSeries: Double?
    /// How the intake grew over the observer's window: 1 is no growth.
    var intakeGrowth: Double?
    var highRiskProcesses: Double?
    /// Shares from 0 to 1.
    var cpuUtilization: Double?
    var memoryUtilization: Double?

    /// The share of series that the optimized pipeline saves: 1 − optimized/full, between 0 and 1.
    var costReductionRatio: Double {
        guard let fullSeries, let optimizedSeries, fullSeries > 0 else { return 0 }
        return min(max(1 - optimizedSeries / fullSeries, 0), 1)
    }
}
