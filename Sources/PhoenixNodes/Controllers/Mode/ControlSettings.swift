import PhoenixModel

/// What the law is told: where modes give way to each other, how long it waits, how it weighs.
struct ControlSettings: Sendable, Equatable {
    /// What becomes of the mode when observations stop.
    enum Safety: String, Sendable, CaseIterable { case hold, conservative, balanced, aggressive }

    /// The mode before the first decision, where no control file says another.
    var initial = Mode.conservative
    /// Series of the optimized pipeline that the terms aim at.
    var target = 20_000.0
    var conservativeMaximum = 15_000.0
    var aggressiveMinimum = 25_000.0
    /// The part of a threshold that a count must be beyond it to leave a mode.
    var hysteresis = 0.1
    /// The control period.
    var interval = Duration.seconds(60)
    /// The least time between two changes; twice as long where the second takes the first back.
    var stability = Duration.seconds(120)
    /// The time in which the law changes the mode four times at most.
    var calm = Duration.seconds(3600)
    /// How long a forced reduction goes on after its cause was last seen.
    var quiet = Duration.seconds(240)
    /// How long the law steers by what it heard last.
    var staleAfter = Duration.seconds(180)
    var safety = Safety.hold
    var kp = 0.5
    var ki = 0.1
    var kd = 0.05
    var integralLimit = 10_000.0
    /// More high-risk processes than these force the strongest reduction.
    var highRiskLimit = 10.0
    /// Whether the experimental pipeline is exposed in `aggressive` only, as the old system did.
    var hidesExperimental = false
    var correlationPrefix = "pv3ux"
    /// The pipeline that is steered.
    var pipeline = PipelineName.optimized

    /// The most series with which a mode is kept; nil for the last one, which is never too little.
    func leaving(_ mode: Mode) -> Double? {
        switch mode {
        case .conservative: conservativeMaximum * (1 + hysteresis)
        case .balanced: aggressiveMinimum
        case .aggressive: nil
        }
    }
    /// The series below which a mode is entered out of one that reduces more.
    func entering(_ mode: Mode) -> Double {
        switch mode {
        case .conservative: conservativeMaximum
        case .balanced: aggressiveMinimum * (1 - hysteresis)
        case .aggressive: .infinity
        }
    }
    func exposure(in mode: Mode) -> [String: Bool] {
        [
            PipelineName.full: true, PipelineName.optimized: true,
            PipelineName.experimental: !hidesExperimental || mode == .aggressive,
        ]
    }
}
