import PhoenixModel

/// What people, files and other programs say.
extension ControlLaw {
    /// Holds a mode against thresholds and alerts, for a while or until it is cleared.
    mutating func override(
        _ mode: Mode,
        for duration: Duration?,
        reason: String,
        exposure: [String: Bool]? = nil,
        at now: Moment
    ) -> Decision {
        let until = duration.map {
            Moment(monotonic: now.monotonic + $0, unixNano: now.unixNano &+ $0.nanoseconds)
        }
        // An override of an override goes back to where the law stood.
        let before = held?.before ?? self.mode
        held = Held(mode: mode, reason: reason, until: until, before: before, exposure: exposure)
        return decide(mode, because: "MANUAL: \(reason)", at: now)
    }

    /// Ends an override; nil where there was none.
    mutating func clear(at now: Moment) -> Decision? {
        held == nil ? nil : release("the override was cleared", at: now)
    }

    /// The law goes on from where it stood, at once: waiting was for the person, not for the load.
    mutating func release(_ what: String, at now: Moment) -> Decision? {
        guard let ended = held else { return nil }
        held = nil
        if let forced { return decide(.aggressive, because: "\(forced.reason); \(what)", at: now) }
        let wanted = choice(from: ended.before, haste: 0)
        return decide(wanted, because: "\(what); the law asks for \(wanted)", at: now)
    }

    /// What the control file says now. What this law wrote itself is known again, by its correlation id and its
    /// content; all else is the hand of a person.
    mutating func follow(_ change: ModeChange, at now: Moment) -> Decision? {
        let isOwn = issued.contains {
            $0.correlationID == change.correlationID && $0.mode == change.mode
                && ControlFile.isSame($0.exposure, change.exposure)
        }
        noteVersion(change.version)
        guard !isOwn else { return nil }
        let isLeftOver = !change.correlationID.isEmpty && change.reason == reason
        let reason = isLeftOver || change.reason.isEmpty ? "the control file was edited" : change.reason
        return override(change.mode, for: nil, reason: reason, exposure: change.exposure, at: now)
    }

    /// Others found an anomaly: a grave one of the cardinality, beyond what any mode but the last allows, is an emergency.
    mutating func report(_ anomaly: AnomalyReport, at now: Moment) -> Decision? {
        guard isEmergency(anomaly) else { return nil }
        let value = whole(anomaly.currentValue)
        return force(
            "EMERGENCY",
            "\(anomaly.severity.rawValue) anomaly \(anomaly.id): \(anomaly.metricName) is \(value)",
            at: now
        )
    }
    func isEmergency(_ anomaly: AnomalyReport) -> Bool {
        let name = anomaly.metricName.lowercased()
        return (anomaly.severity == .critical || anomaly.severity == .high)
            && ["cardinality", "series", "ts_active"].contains(where: name.contains)
            && anomaly.currentValue > settings.aggressiveMinimum
    }
}
