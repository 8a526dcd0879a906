import PhoenixModel
import PhoenixRuntime
import SwiftProtobuf

extension Mode {
    /// Nil for a mode that is unspecified or not known.
    init?(_ mode: Phoenix_Control_V1_OptimizationMode) {
        switch mode {
        case .conservative: self = .conservative
        case .balanced: self = .balanced
        case .aggressive: self = .aggressive
        case .unspecified, .UNRECOGNIZED: return nil
        }
    }
    fileprivate var message: Phoenix_Control_V1_OptimizationMode {
        switch self {
        case .conservative: .conservative
        case .balanced: .balanced
        case .aggressive: .aggressive
        }
    }
}

extension Google_Protobuf_Timestamp {
    fileprivate init(unixNano: UInt64) {
        self.init()
        let (seconds, nanos) = unixNano.quotientAndRemainder(dividingBy: 1_000_000_000)
        (self.seconds, self.nanos) = (Int64(seconds), Int32(nanos))
    }
}

extension Phoenix_Control_V1_ControlResponse {
    /// Throws what an order that could not be taken is refused with.
    init(_ receipt: ControlReceipt) throws(APIError) {
        guard receipt.success else { throw APIError(.conflict, receipt.message) }
        self.init()
        (success, message) = (receipt.success, receipt.message)
        (currentMode, previousMode) = (receipt.current.message, receipt.previous.message)
    }
}

extension Phoenix_Control_V1_KPIMetrics {
    fileprivate init(_ kpis: ControlKPIs) {
        self.init()
        // The same values as in JSON, where what is not known is left out as well.
        let answer = KPIAnswer(kpis)
        if let value = answer.full_ts { fullTs = value }
        if let value = answer.optimized_ts { optimizedTs = value }
        if let value = answer.experimental_ts { experimentalTs = value }
        costReductionRatio = answer.cost_reduction_ratio
        if let value = answer.intake_ts { intakeTs = value }
        if let value = answer.intake_growth { intakeGrowth = value }
        if let value = answer.high_risk_processes { highRiskProcesses = value }
        if let value = answer.cpu_utilization { cpuUtilization = value }
        if let value = answer.memory_utilization { memoryUtilization = value }
    }
}

extension Phoenix_Control_V1_ControllerTerms {
    fileprivate init(_ terms: ControlTerms) {
        self.init()
        let answer = TermsAnswer(terms)
        (kp, ki, kd) = (answer.kp, answer.ki, answer.kd)
        (lastError, integralError) = (answer.last_error, answer.integral_error)
        (derivative, output) = (answer.derivative, answer.output)
    }
}

extension Phoenix_Control_V1_Thresholds {
    fileprivate init(_ thresholds: ControlStatus.Thresholds) {
        self.init()
        (conservativeMax, aggressiveMin) = (thresholds.conservativeMaximum, thresholds.aggressiveMinimum)
        (target, hysteresis) = (thresholds.target, thresholds.hysteresis)
    }
}

extension Phoenix_Control_V1_ControlSignal {
    fileprivate init(_ decision: Decision, _ thresholds: ControlStatus.Thresholds) {
        self.init()
        version = SignalAnswer.contract
        (mode, previousMode) = (decision.to.message, decision.from.message)
        timestamp = .init(unixNano: decision.timeUnixNano)
        self.thresholds = .init(thresholds)
        let signal = SignalAnswer(decision, thresholds)
        if let value = signal.metrics.current_cardinality { metrics.currentCardinality = value }
        if let value = signal.metrics.cpu_utilization { metrics.cpuUtilization = value }
        if let value = signal.metrics.memory_utilization { metrics.memoryUtilization = value }
        (reason, correlationID) = (decision.reason, decision.correlationID)
        configVersion = decision.version
    }
}

extension Phoenix_Control_V1_ControlOverride {
    fileprivate init(_ held: ControlStatus.Override) {
        self.init()
        (mode, reason) = (held.mode.message, held.reason)
        if let end = held.untilUnixNano { until = .init(unixNano: end) }
        if let left = held.remaining { remainingSeconds = left.inSeconds }
    }
}

extension Phoenix_Control_V1_StatusResponse {
    init(_ status: ControlStatus) {
        self.init()
        (currentMode, reason) = (status.mode.message, status.reason)
        (kpis, controller) = (.init(status.kpis), .init(status.terms))
        recentSignals = status.recentSignals.map { .init($0, status.thresholds) }
        uptimeSeconds = status.uptime.inSeconds
        (configVersion, correlationID) = (status.version, status.correlationID)
        (since, thresholds) = (.init(unixNano: status.sinceUnixNano), .init(status.thresholds))
        intervalSeconds = status.interval.inSeconds
        transitionCount = UInt64(clamping: status.transitionCount)
        (stabilityScore, safeMode, forced) = (
            status.stabilityScore, status.isSafeMode, status.forced ?? ""
        )
        if let held = status.override { override = .init(held) }
        (forecasts, exposure) = (status.forecasts.byName, status.exposure)
    }
}

extension Phoenix_Control_V1_Decision {
    init(_ decision: Decision) {
        self.init()
        timestamp = .init(unixNano: decision.timeUnixNano)
        (fromMode, toMode) = (decision.from.message, decision.to.message)
        (reason, correlationID) = (decision.reason, decision.correlationID)
        configVersion = decision.version
        (controller, kpis) = (.init(decision.terms), .init(decision.kpis))
        forecasts = decision.forecasts.byName
    }
}
