/// The controller's sum at one moment: errors are in series, time in control periods.
struct ControlTerms: Sendable, Equatable {
    /// The gains, as they are set.
    var kp = 0.0
    var ki = 0.0
    var kd = 0.0
    /// Measured series of the optimized pipeline minus the target, at the last look.
    var lastError = 0.0
    /// The sum of errors, clamped.
    var integral = 0.0
    /// The change of the error since the look before.
    var derivative = 0.0
    /// What the terms add to the measured count.
    var output = 0.0

    mutating func takeGains(_ settings: ControlSettings) {
        (kp, ki, kd) = (settings.kp, settings.ki, settings.kd)
    }
}
