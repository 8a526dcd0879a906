import PhoenixModel
import PhoenixWire

/// What a mode's path says of it: `GET /mode`, and the path of a `manual` controller.
struct ModeAnswer: Encodable {
    /// `success` after an order.
    var status: String?
    var mode: String
    var reason: String
    var version: UInt64
    var correlation_id: String
}

/// `GET /health`, as the old system had it.
struct HealthAnswer: Encodable {
    var status = "healthy"
    var version: String
}

/// The answer to `POST /anomaly`, as the old system had it.
struct AnomalyAnswer: Encodable {
    var status = "acknowledged"
    var anomaly_id: String
}

/// `GET /metrics` in JSON, as the old system had it.
struct MetricsAnswer: Encodable {
    var current_mode: String
    var transition_count: Int
    var stability_score: Double
    var integral_error: Double
    var last_error: Double
    var uptime_seconds: Double
    var pid_kp, pid_ki, pid_kd: Double

    init(_ status: ControlStatus) {
        let terms = TermsAnswer(status.terms)
        (current_mode, transition_count) = (status.mode.rawValue, status.transitionCount)
        (stability_score, uptime_seconds) = (status.stabilityScore, status.uptime.inSeconds)
        (integral_error, last_error) = (terms.integral_error, terms.last_error)
        (pid_kp, pid_ki, pid_kd) = (terms.kp, terms.ki, terms.kd)
    }
}

/// The same for Prometheus.
struct ControlFamilies {
    let status: ControlStatus

    var all: [PlainFamily] {
        let modes = Mode.allCases.map { mode in
            PlainFamily.Sample(mode == status.mode ? 1 : 0, [ExposedLabel("mode", mode.rawValue)])
        }
        let info = [
            ExposedLabel("mode", status.mode.rawValue),
            ExposedLabel("correlation_id", status.correlationID),
        ]
        return [
            PlainFamily("phoenix_control_optimization_mode", "1 for the mode that holds.", .gauge, modes),
            PlainFamily("phoenix_control_info", "What was decided last.", .gauge, [.init(1, info)]),
            PlainFamily(
                "phoenix_control_mode_transitions_total",
                "How often the mode changed.",
                .counter,
                Double(status.transitionCount)
            ),
            PlainFamily(
                "phoenix_control_loop_interval_seconds",
                "The control period.",
                .gauge,
                status.interval.inSeconds
            ),
            PlainFamily(
                "phoenix_control_config_version",
                "Grows by one with each decision.",
                .gauge,
                Double(status.version)
            ),
            PlainFamily(
                "phoenix_control_override_active",
                "Whether a person holds the mode.",
                .gauge,
                status.override == nil ? 0 : 1
            ),
            PlainFamily(
                "phoenix_control_safe_mode",
                "Whether observations stopped coming.",
                .gauge,
                status.isSafeMode ? 1 : 0
            ),
            PlainFamily(
                "phoenix_control_uptime_seconds",
                "How long the controller runs.",
                .gauge,
                status.uptime.inSeconds
            ),
        ] + numbers
    }

    private var numbers: [PlainFamily] {
        let terms = status.terms
        let all: [(String, String, Double)] = [
            ("phoenix_control_stability_score", "1 for a mode that never changes.", status.stabilityScore),
            ("phoenix_control_last_error", "Series over the target at the last look.", terms.lastError),
            ("phoenix_control_integral_error", "The sum of errors, clamped.", terms.integral),
            ("phoenix_control_pid_kp", "The gain of the error.", terms.kp),
            ("phoenix_control_pid_ki", "The gain of its sum.", terms.ki),
            ("phoenix_control_pid_kd", "The gain of its change.", terms.kd),
        ]
        return all.map { PlainFamily($0, $1, .gauge, $2) }
    }
}
