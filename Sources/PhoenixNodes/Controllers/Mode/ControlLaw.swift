import PhoenixModel

/// The law of the `mode` controller: what is heard goes in, decisions come out. No clock, no task, no file.
///
/// Who calls says what time it is, and carries out each decision before the next call. What is looked at once in each
/// control period stands in `ControlLaw+look.swift`, what people and files say in `ControlLaw+orders.swift`.
struct ControlLaw: Sendable {
    /// A reduction that thresholds may not undo.
    struct Forced: Sendable, Equatable {
        /// `EMERGENCY` or `HIGH_RISK`: how its reasons begin.
        var kind: String
        var reason: String
        var lastSeen: Duration
    }
    /// A mode that a person holds.
    struct Held: Sendable, Equatable {
        var mode: Mode
        var reason: String
        var until: Moment?
        /// Where the law goes on from once it ends.
        var before: Mode
        /// What a hand edit of the file exposes; nil leaves that to the law.
        var exposure: [String: Bool]?
    }
    struct Change: Sendable, Equatable {
        var time: Duration
        var isUp: Bool
    }
    static let maximumHistory = 256
    static let maximumIssued = 32
    /// The law's own changes that any `calm` may see before a return, so that with it and two more there are four.
    static let changesBeforeReturn = 1
    /// How the reasons of what silence decided begin.
    static let safeMode = "SAFE_MODE"

    var settings: ControlSettings { didSet { terms.takeGains(settings) } }
    private(set) var mode: Mode
    private(set) var version: UInt64 = 0
    private(set) var correlationID = ""
    private(set) var reason = "nothing was decided yet"
    private(set) var sinceUnixNano: UInt64
    private(set) var transitionCount = 0
    private(set) var history: [Decision] = []
    /// What was sent last, to know it again when it comes back from the control file.
    private(set) var issued: [ModeChange] = []
    private(set) var isStarted = false
    let startedAt: Moment

    var readings = KPIReadings()
    var terms = ControlTerms()
    /// The error of the look before; nil where the plant was another one then, so that there is no slope.
    var errorBefore: Double?
    var nextLook: Duration
    /// The newest change, whoever made it, and the law's own within the last `calm`.
    var lastChange: Change?
    var ownChanges: [Duration] = []
    /// How many series there were when the law left a mode for one that reduces more, and the most since.
    var leftAt: [Mode: Double] = [:]
    var forced: Forced?
    var held: Held?
    var isSafe = false
    var lastHeard: Duration

    init(_ settings: ControlSettings, at now: Moment) {
        (self.settings, startedAt, mode) = (settings, now, settings.initial)
        (sinceUnixNano, lastHeard) = (now.unixNano, now.monotonic)
        nextLook = now.monotonic + settings.interval
        terms.takeGains(settings)
    }

    /// Says the first mode; nil where it was said already.
    mutating func start(at now: Moment) -> Decision? {
        guard !isStarted else { return nil }
        return decide(mode, because: "start", at: now)
    }

    /// Goes on where the control file says that a controller before this one stopped: no decision, no new version.
    ///
    /// A file without a version was written by hand or by the old system: it says the mode only.
    mutating func resume(_ change: ModeChange, at now: Moment) -> Decision? {
        noteVersion(change.version)
        guard !isStarted else { return nil }
        mode = change.mode
        guard change.version > 0, !change.correlationID.isEmpty else {
            return decide(mode, because: "taken from the control file: \(change.reason)", at: now)
        }
        isStarted = true
        (correlationID, reason) = (change.correlationID, change.reason)
        if change.timeUnixNano > 0 { sinceUnixNano = change.timeUnixNano }
        note(change)
        return nil
    }
    /// Versions go on from the largest that was ever seen.
    mutating func noteVersion(_ seen: UInt64) { version = max(version, seen) }
    /// What holds, as it was sent; nil before the first.
    var current: ModeChange? { issued.last }

    // MARK: - what observers say

    /// Takes a snapshot in. Causes that force a reduction and the end of a silence are answered at once, all else at the
    /// next look.
    mutating func observe(_ observation: Observation, at now: Moment) -> Decision? {
        readings.take(observation)
        // Whoever speaks of other things does not tell how the pipeline does.
        let tellsCount = KPIReadings.counts(settings.pipeline, observation)
        if tellsCount {
            lastHeard = now.monotonic
            if isSafe { (isSafe, errorBefore) = (false, nil) }
        }
        if let alert = observation.alerts.first(where: { $0.name == KPIName.explosionAlert }) {
            return force("EMERGENCY", alert.reason, at: now)
        }
        if let processes = readings.kpis.highRiskProcesses, processes > settings.highRiskLimit {
            return force("HIGH_RISK", "\(whole(processes)) high-risk processes", at: now)
        }
        // Silence is not why the mode holds any longer, also where it fell on the process before this one.
        guard tellsCount, reason.hasPrefix(Self.safeMode) else { return nil }
        return decide(mode, because: "observations come again; the law goes on from \(mode)", at: now)
    }

    /// Forces the strongest reduction, or notes that its cause goes on.
    mutating func force(_ kind: String, _ cause: String, at now: Moment) -> Decision? {
        let isNew = forced == nil
        // An emergency is not softened by the lesser cause that comes with it.
        let kind = forced?.kind == "EMERGENCY" ? "EMERGENCY" : kind
        forced = Forced(kind: kind, reason: "\(kind): \(cause)", lastSeen: now.monotonic)
        guard isNew, held == nil else { return nil }
        return decide(.aggressive, because: "\(kind): \(cause)", at: now)
    }

    // MARK: - decisions

    /// Writes a decision down, also one that leaves the mode as it is: whoever reads the reason shall see it.
    mutating func decide(_ to: Mode, because reason: String, at now: Moment, isOwn: Bool = false) -> Decision
    {
        let from = mode
        version += 1
        correlationID = "\(settings.correlationPrefix)-\(now.unixNano / 1_000_000)-\(version)"
        (mode, self.reason, isStarted) = (to, reason, true)
        let decision = Decision(
            timeUnixNano: now.unixNano,
            from: from,
            to: to,
            reason: reason,
            correlationID: correlationID,
            version: version,
            terms: terms,
            kpis: readings.kpis,
            forecasts: forecasts
        )
        if to != from { noteChange(from, to, at: now, isOwn: isOwn) }
        history.append(decision)
        if history.count > Self.maximumHistory { history.removeFirst() }
        note(
            ModeChange(
                to,
                because: reason,
                correlationID: correlationID,
                version: version,
                timeUnixNano: now.unixNano,
                exposure: held?.exposure ?? settings.exposure(in: to)
            )
        )
        return decision
    }

    private mutating func noteChange(_ from: Mode, _ to: Mode, at now: Moment, isOwn: Bool) {
        transitionCount += 1
        sinceUnixNano = now.unixNano
        lastChange = Change(time: now.monotonic, isUp: to > from)
        // The next error is of another plant: no slope leads there from the last one.
        errorBefore = nil
        leftAt = leftAt.filter { $0.key < to }
        guard isOwn else { return }
        ownChanges.append(now.monotonic)
        if to > from, let count = readings.count(of: settings.pipeline) { leftAt[from] = count }
    }
    private mutating func note(_ change: ModeChange) {
        issued.append(change)
        if issued.count > Self.maximumIssued { issued.removeFirst() }
    }

    /// What the steered pipeline would let out in each mode, where it is known.
    var forecasts: [Mode: Double] {
        var forecasts: [Mode: Double] = [:]
        for mode in Mode.allCases { forecasts[mode] = readings.forecast(of: settings.pipeline, in: mode) }
        return forecasts
    }
    /// A number for reasons; one that others sent may be anything.
    func whole(_ number: Double) -> String { Int(exactly: number.rounded()).map { "\($0)" } ?? "\(number)" }
}
