import PhoenixModel
import PhoenixRuntime

/// `ControlResponse` of control.proto.
struct ControlAnswer: Encodable {
    var success: Bool
    var message: String
    var current_mode: String
    var previous_mode: String

    init(_ receipt: ControlReceipt) {
        (success, message) = (receipt.success, receipt.message)
        (current_mode, previous_mode) = (receipt.current.rawValue, receipt.previous.rawValue)
    }
}

/// `KPIMetrics` of control.proto; what is not known is left out.
struct KPIAnswer: Encodable {
    var full_ts: Double?
    var optimized_ts: Double?
    var experimental_ts: Double?
    var cost_reduction_ratio: Double
    var intake_ts: Double?
    var intake_growth: Double?
    var high_risk_processes: Double?
    var cpu_utilization: Double?
    var memory_utilization: Double?

    init(_ kpis: ControlKPIs) {
        (full_ts, optimized_ts) = (kpis.fullSeries?.finite, kpis.optimizedSeries?.finite)
        (experimental_ts, intake_ts) = (kpis.experimentalSeries?.finite, kpis.intakeSeries?.finite)
        cost_reduction_ratio = kpis.costReductionRatio.finite ?? 0
        (intake_growth, high_risk_processes) = (kpis.intakeGrowth?.finite, kpis.highRiskProcesses?.finite)
        (cpu_utilization, memory_utilization) = (kpis.cpuUtilization?.share, kpis.memoryUtilization?.share)
    }
}

/// `ControllerTerms` of control.proto.
struct TermsAnswer: Encodable {
    var kp, ki, kd, last_error, integral_error, derivative, output: Double

    init(_ terms: ControlTerms) {
        (kp, ki, kd) = (terms.kp, terms.ki, terms.kd)
        (last_error, integral_error) = (terms.lastError.finite ?? 0, terms.integral.finite ?? 0)
        (derivative, output) = (terms.derivative.finite ?? 0, terms.output.finite ?? 0)
    }
}

/// `Thresholds` of control.proto.
struct ThresholdsAnswer: Encodable {
    var conservative_max, aggressive_min, target, hysteresis: Double

    init(_ thresholds: ControlStatus.Thresholds) {
        (conservative_max, aggressive_min) = (thresholds.conservativeMaximum, thresholds.aggressiveMinimum)
        (target, hysteresis) = (thresholds.target, thresholds.hysteresis)
    }
}

/// `ControlSignal` of control.proto and contracts/schemas/control_signal.json.
struct SignalAnswer: Encodable {
    struct Metrics: Encodable {
        var current_cardinality: Double?
        var cpu_utilization: Double?
        var memory_utilization: Double?
    }
    /// The version of the contract.
    static let contract = "v1.0.0"
    var version = Self.contract
    var mode: String
    var timestamp: String
    var thresholds: ThresholdsAnswer
    var metrics: Metrics
    var reason: String
    var previous_mode: String
    var correlation_id: String
    var config_version: UInt64

    init(_ decision: Decision, _ thresholds: ControlStatus.Thresholds) {
        (mode, previous_mode) = (decision.to.rawValue, decision.from.rawValue)
        timestamp = RFC3339.text(unixNano: decision.timeUnixNano)
        self.thresholds = ThresholdsAnswer(thresholds)
        let kpis = KPIAnswer(decision.kpis)
        metrics = Metrics(
            current_cardinality: kpis.optimized_ts.map { max($0, 0) },
            cpu_utilization: kpis.cpu_utilization,
            memory_utilization: kpis.memory_utilization
        )
        (reason, correlation_id) = (decision.reason, decision.correlationID)
        config_version = decision.version
    }
}

/// `ControlOverride` of control.proto.
struct OverrideAnswer: Encodable {
    var mode: String
    var reason: String
    var until: String?
    var remaining_seconds: Double?

    init(_ held: ControlStatus.Override) {
        (mode, reason) = (held.mode.rawValue, held.reason)
        until = held.untilUnixNano.map { RFC3339.text(unixNano: $0) }
        remaining_seconds = held.remaining?.inSeconds
    }
}

/// `StatusResponse` of control.proto.
struct StatusAnswer: Encodable {
    var current_mode: String
    var kpis: KPIAnswer
    var recent_signals: [SignalAnswer]
    var uptime_seconds: Double
    var controller: TermsAnswer
    var config_version: UInt64
    var correlation_id: String
    var reason: String
    var since: String
    var thresholds: ThresholdsAnswer
    var interval_seconds: Double
    var transition_count: Int
    var stability_score: Double
    var safe_mode: Bool
    var forced: String?
    var override: OverrideAnswer?
    var forecasts: [String: Double]
    var exposure: [String: Bool]

    init(_ status: ControlStatus) {
        (current_mode, reason) = (status.mode.rawValue, status.reason)
        (kpis, controller) = (KPIAnswer(status.kpis), TermsAnswer(status.terms))
        recent_signals = status.recentSignals.map { SignalAnswer($0, status.thresholds) }
        uptime_seconds = status.uptime.inSeconds
        (config_version, correlation_id) = (status.version, status.correlationID)
        since = RFC3339.text(unixNano: status.sinceUnixNano)
        thresholds = ThresholdsAnswer(status.thresholds)
        interval_seconds = status.interval.inSeconds
        (transition_count, stability_score) = (status.transitionCount, status.stabilityScore)
        (safe_mode, forced) = (status.isSafeMode, status.forced)
        override = status.override.map { OverrideAnswer($0) }
        (forecasts, exposure) = (status.forecasts.byName, status.exposure)
    }
}

/// What `GET /api/v1/control` says: the part of a status that orders change.
struct HeldAnswer: Encodable {
    var current_mode: String
    var reason: String
    var correlation_id: String
    var config_version: UInt64
    var override: OverrideAnswer?

    init(_ status: ControlStatus) {
        (current_mode, reason) = (status.mode.rawValue, status.reason)
        (correlation_id, config_version) = (status.correlationID, status.version)
        override = status.override.map { OverrideAnswer($0) }
    }
}

/// `HistoryResponse` of control.proto.
struct HistoryAnswer: Encodable {
    /// `Decision` of control.proto.
    struct Entry: Encodable {
        var timestamp: String
        var from_mode: String
        var to_mode: String
        var reason: String
        var correlation_id: String
        var config_version: UInt64
        var controller: TermsAnswer
        var kpis: KPIAnswer
        var forecasts: [String: Double]
    }
    var decisions: [Entry]

    init(_ decisions: [Decision]) {
        self.decisions = decisions.map { decision in
            Entry(
                timestamp: RFC3339.text(unixNano: decision.timeUnixNano),
                from_mode: decision.from.rawValue,
                to_mode: decision.to.rawValue,
                reason: decision.reason,
                correlation_id: decision.correlationID,
                config_version: decision.version,
                controller: TermsAnswer(decision.terms),
                kpis: KPIAnswer(decision.kpis),
                forecasts: decision.forecasts.byName
            )
        }
    }
}

extension Double {
    /// Nil for what JSON has no number for.
    var finite: Double? { isFinite ? self : nil }
    /// A share, between 0 and 1.
    var share: Double? { isNaN ? nil : Swift.min(Swift.max(self, 0), 1) }
}
extension [Mode: Double] {
    /// By the words of the modes; what is no number is left out.
    var byName: [String: Double] {
        var named: [String: Double] = [:]
        for (mode, value) in self where value.isFinite { named[mode.rawValue] = value }
        return named
    }
}
