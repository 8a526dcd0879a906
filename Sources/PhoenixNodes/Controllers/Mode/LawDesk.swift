import PhoenixModel
import PhoenixRuntime

/// The law of a `mode` controller where several may reach it: the node, its API on event loops, the control file.
///
/// Each call hands the law the time, and sends what it decided while nobody else can decide: modes travel in the order
/// of their versions. A mode is a register: to send one never waits.
final class LawDesk: ControlDesk {
    private let law: Lock<ControlLaw>
    private let context: NodeContext
    private let outlet: Outlet<ModeChange>

    init(_ settings: ControlSettings, _ context: NodeContext, _ outlet: Outlet<ModeChange>) {
        (self.context, self.outlet) = (context, outlet)
        law = Lock(ControlLaw(settings, at: context.time.moment))
    }

    /// What the law remembers, for an heir; and back.
    var memory: ControlLaw { law.withLock { $0 } }
    func inherit(_ memory: ControlLaw) {
        law.withLock { law in
            let settings = law.settings
            law = memory
            law.settings = settings
        }
    }
    func take(_ settings: ControlSettings) { law.withLock { $0.settings = settings } }

    // MARK: - what the node hears

    var isStarted: Bool { law.withLock { $0.isStarted } }
    /// Says the first mode, if none was said.
    func start() { act { $0.start(at: $1) } }
    /// Says again what holds, for those who came with a new graph.
    func repeatCurrent() {
        law.withLock { law in
            if let current = law.current { send(current) }
        }
    }
    func observe(_ observation: Observation) { act { $0.observe(observation, at: $1) } }
    func tick() { act { $0.tick(at: $1) } }
    /// What the control file says: before the first decision where to go on, after it what a person wants.
    func follow(_ change: ModeChange) {
        law.withLock { law in
            let now = context.time.moment
            guard law.isStarted else {
                let decision = law.resume(change, at: now)
                if let current = law.current { send(current) }
                if let decision { log(decision) }
                return
            }
            if let decision = law.follow(change, at: now) { return carryOut(decision, law) }
            // An older word of this law stands there again, put back from a copy perhaps: what holds is said anew.
            if change.correlationID != law.correlationID, let current = law.current { send(current) }
        }
    }

    // MARK: - what people ask

    func override(_ mode: Mode, for duration: Duration?, reason: String) -> ControlReceipt {
        law.withLock { law in
            let decision = law.override(mode, for: duration, reason: reason, at: context.time.moment)
            carryOut(decision, law)
            let time = duration.map { "for \($0.text)" } ?? "until it is cleared"
            return receipt("\(mode) holds \(time)", decision, law)
        }
    }
    func clear() -> ControlReceipt {
        law.withLock { law in
            let decision = law.clear(at: context.time.moment)
            carryOut(decision, law)
            return receipt(
                decision == nil ? "no override was held" : "the override is cleared",
                decision,
                law
            )
        }
    }
    func report(_ anomaly: AnomalyReport) -> ControlReceipt {
        law.withLock { law in
            let isGrave = law.isEmergency(anomaly)
            let decision = law.report(anomaly, at: context.time.moment)
            carryOut(decision, law)
            let effect = law.held == nil ? "aggressive is forced" : "noted; an override holds \(law.mode)"
            return receipt(isGrave ? effect : "noted; it forces no mode", decision, law)
        }
    }
    var status: ControlStatus { law.withLock { $0.status(at: context.time.moment) } }
    func history(_ limit: Int) -> [Decision] { law.withLock { $0.newest(limit) } }

    // MARK: - carrying out

    private func act(_ event: (inout ControlLaw, Moment) -> Decision?) {
        law.withLock { law in
            let decision = event(&law, context.time.moment)
            carryOut(decision, law)
        }
    }
    private func carryOut(_ decision: Decision?, _ law: ControlLaw) {
        guard let decision, let change = law.current else { return }
        send(change)
        log(decision)
    }
    private func send(_ change: ModeChange) {
        guard !outlet.offer(change) else { return }
        context.logger.warning(
            "the mode reached nobody: nothing follows this controller",
            metadata: ["mode": "\(change.mode)"]
        )
    }
    private func log(_ decision: Decision) {
        context.logger.info(
            "mode decided",
            metadata: [
                "from": "\(decision.from)", "to": "\(decision.to)", "reason": "\(decision.reason)",
                "version": "\(decision.version)", "correlation_id": "\(decision.correlationID)",
            ]
        )
    }
    private func receipt(_ message: String, _ decision: Decision?, _ law: ControlLaw) -> ControlReceipt {
        ControlReceipt(
            success: true,
            message: message,
            current: law.mode,
            previous: decision?.from ?? law.mode
        )
    }
}
