public import PhoenixGraph
import PhoenixModel

extension ModeController.Config {
    /// Where one mode gives way to the next.
    static var steering: [Field<Self>] {
        [
            Field(
                "initial",
                \.initial,
                "The mode before the first decision, where no control file says another."
            ),
            Field("pipeline", \.pipeline, live: true, "The pipeline whose series are counted."),
            Field("target", \.target, live: true, in: 0..., "Series that the terms aim at.")
                .orVariable("TARGET_OPTIMIZED_PIPELINE_TS_COUNT"),
            Field(
                "conservative_max",
                \.conservativeMax,
                live: true,
                in: 0...,
                "Series below which `conservative` does."
            )
            .orVariable("THRESHOLD_OPTIMIZATION_CONSERVATIVE_MAX_TS"),
            Field(
                "aggressive_min",
                \.aggressiveMin,
                live: true,
                in: 0...,
                "Series above which `aggressive` must."
            )
            .orVariable("THRESHOLD_OPTIMIZATION_AGGRESSIVE_MIN_TS"),
            Field(
                "hysteresis",
                \.hysteresis,
                live: true,
                in: 0...0.9,
                "The part of a threshold by which a count must be beyond it to leave a mode."
            )
            .orVariable("HYSTERESIS_FACTOR"),
        ]
    }

    static var waiting: [Field<Self>] {
        let times = Duration.milliseconds(10)...(.seconds(86_400))
        return [
            Field(
                "interval",
                \.interval,
                live: true,
                in: times,
                "The control period: how often the counts are looked at."
            )
            .orVariable("ADAPTIVE_CONTROLLER_INTERVAL_SECONDS", unit: "s"),
            Field(
                "stability",
                \.stability,
                live: true,
                in: Duration.zero...(.seconds(86_400)),
                "The least time between two changes; one that takes the last back waits twice as long."
            )
            .orVariable("ADAPTIVE_CONTROLLER_STABILITY_SECONDS", unit: "s"),
            Field(
                "calm",
                \.calm,
                live: true,
                "The time in which the thresholds change the mode four times at most; without a word 30 stability periods."
            ),
            Field(
                "quiet",
                \.quiet,
                live: true,
                "How long a forced reduction outlives its cause; without a word two stability periods."
            ),
            Field(
                "stale_after",
                \.staleAfter,
                live: true,
                "How long observations may be missing before `safe_mode`; without a word three control periods."
            ),
            Field("safe_mode", \.safeMode, live: true, "The mode while observations are missing."),
        ]
    }

    static var weighing: [Field<Self>] {
        [
            Field("kp", \.kp, live: true, in: 0..., "The gain on the error.").orVariable("PID_KP"),
            Field("ki", \.ki, live: true, in: 0..., "The gain on the sum of errors.").orVariable("PID_KI"),
            Field("kd", \.kd, live: true, in: 0..., "The gain on the change of the error.").orVariable(
                "PID_KD"
            ),
            Field(
                "integral_limit",
                \.integralLimit,
                live: true,
                in: 0...,
                "The most that the sum of errors may be."
            )
            .orVariable("PID_INTEGRAL_LIMIT"),
        ]
    }

    static var other: [Field<Self>] {
        [
            Field(
                "listen",
                \.listen,
                "Where the control API answers, over HTTP and gRPC; nowhere if it is left out."
            ),
            Field(
                "token",
                \.token,
                "What callers of the API must show as `Authorization: Bearer`; without it everybody may ask."
            ),
            Field(
                "high_risk_processes",
                \.highRiskProcesses,
                live: true,
                in: 0...1_000_000,
                "More of them than these force `aggressive`."
            ),
            Field(
                "experimental",
                \.experimental,
                live: true,
                "When the experimental pipeline is exposed: `aggressive` as the old system did."
            ),
            Field(
                "correlation_id_prefix",
                \.correlationPrefix,
                live: true,
                "How the names of decisions begin."
            )
            .orVariable("CORRELATION_ID_PREFIX"),
        ]
    }

    public func check(_ marks: FieldMarks, _ report: inout Report) {
        let (leave, enter) = (conservativeMax * (1 + hysteresis), aggressiveMin * (1 - hysteresis))
        guard leave > enter else { return }
        report.add(
            at: marks["aggressive_min"],
            "`conservative` is left at \(leave.text) series, `aggressive` at \(enter.text): nothing is between",
            mend: "raise `aggressive_min`, or lower `conservative_max` or `hysteresis`"
        )
    }

    var control: ControlSettings {
        var control = ControlSettings()
        (control.initial, control.pipeline) = (initial, pipeline)
        (control.target, control.hysteresis) = (target, hysteresis)
        (control.conservativeMaximum, control.aggressiveMinimum) = (conservativeMax, aggressiveMin)
        (control.interval, control.stability) = (interval, stability)
        control.calm = calm ?? stability * 30
        control.quiet = quiet ?? stability * 2
        control.staleAfter = staleAfter ?? interval * 3
        control.safety = ControlSettings.Safety(rawValue: safeMode.rawValue) ?? .hold
        (control.kp, control.ki, control.kd) = (kp, ki, kd)
        (control.integralLimit, control.highRiskLimit) = (integralLimit, Double(highRiskProcesses))
        control.hidesExperimental = experimental == .aggressive
        control.correlationPrefix = correlationPrefix
        return control
    }
}
