import PhoenixModel

/// What the law does as time passes, and its look at the counts once in each control period.
extension ControlLaw {
    /// Time has passed. Call it often: it knows itself what is due.
    mutating func tick(at now: Moment) -> Decision? {
        guard isStarted else { return nil }
        if let until = held?.until, until.monotonic <= now.monotonic {
            return release("the override is over", at: now)
        }
        if let cause = forced, now.monotonic - cause.lastSeen >= settings.quiet { forced = nil }
        guard now.monotonic >= nextLook else { return nil }
        // A look that came late is not made up for: the next is one whole period away.
        nextLook = max(nextLook + settings.interval, now.monotonic)
        if now.monotonic - lastHeard > settings.staleAfter { return goSafe(at: now) }
        return look(at: now)
    }

    private mutating func look(at now: Moment) -> Decision? {
        guard let measured = readings.count(of: settings.pipeline) else { return nil }
        ownChanges.removeAll { now.monotonic - $0 >= settings.calm }
        for (left, most) in leftAt { leftAt[left] = max(most, count(in: left) ?? most) }
        weigh(measured)
        guard held == nil, forced == nil else { return nil }
        let wanted = choice(from: mode, haste: haste)
        guard wanted != mode, mayChange(to: wanted, at: now.monotonic) else { return nil }
        return decide(wanted, because: reason(for: wanted, measured), at: now, isOwn: true)
    }

    // MARK: - the terms

    /// The error is in series, time in control periods. The sum is clamped, and held where the modes end: what no mode
    /// can answer would only delay the next answer.
    private mutating func weigh(_ measured: Double) {
        let error = measured - settings.target
        terms.derivative = errorBefore.map { error - $0 } ?? 0
        let isSteering = held == nil && forced == nil && !isSafe
        if isSteering { terms.integral = sum(with: error) }
        (terms.lastError, errorBefore) = (error, error)
        terms.output =
            settings.kp * error + settings.ki * terms.integral + settings.kd * terms.derivative
    }

    private func sum(with error: Double) -> Double {
        let limit = settings.integralLimit
        let (before, next) = (terms.integral, min(max(terms.integral + error, -limit), limit))
        // Towards 0 it always moves, and not beyond where nothing can answer.
        if error > 0, mode == .aggressive { return before >= 0 ? before : min(next, 0) }
        if error < 0, choice(from: mode, haste: 0) >= mode { return before <= 0 ? before : max(next, 0) }
        return next
    }

    /// What is added to the measured count: while it grows, and never less than nothing. At rest the thresholds decide
    /// alone, and no count is talked down.
    private var haste: Double { terms.derivative > 0 ? max(terms.output, 0) : 0 }

    // MARK: - the choice

    /// What the steered pipeline lets out in a mode: counted for the one that holds, forecast for the others.
    func count(in other: Mode) -> Double? {
        other == mode
            ? readings.count(of: settings.pipeline) : readings.forecast(of: settings.pipeline, in: other)
    }

    /// The mode that reduces least among those that keep the count where it may be, `current` being where one stands.
    ///
    /// A mode that reduces less must pass by its own forecast, untouched by the terms; without a forecast by the
    /// most it could be, the whole intake.
    func choice(from current: Mode, haste: Double) -> Mode {
        for candidate in Mode.allCases {
            guard let limit = settings.leaving(candidate) else { return candidate }
            if candidate < current {
                guard let count = count(in: candidate) ?? readings.everything else { continue }
                if count < entering(candidate) { return candidate }
            } else if candidate == current {
                guard let count = count(in: candidate) else { return candidate }
                if count + haste <= limit { return candidate }
            } else if let count = count(in: candidate) ?? readings.count(of: settings.pipeline) {
                if count <= limit { return candidate }
            }
        }
        return .aggressive
    }

    /// Below what a mode is entered again. Where haste left it early, one band below that place: the way back is never
    /// shorter than the hysteresis.
    private func entering(_ candidate: Mode) -> Double {
        let usual = settings.entering(candidate)
        return leftAt[candidate].map { min(usual, $0 / (1 + settings.hysteresis)) } ?? usual
    }

    /// The rules of time. More reduction waits for the stability period only; less of it comes only where it and what
    /// may follow make no more than four changes in the time of `calm`. What takes the last change back waits twice.
    private func mayChange(to wanted: Mode, at now: Duration) -> Bool {
        let isUp = wanted > mode
        if let lastChange {
            let wait = lastChange.isUp == isUp ? settings.stability : settings.stability * 2
            guard now - lastChange.time >= wait else { return false }
        }
        return isUp || ownChanges.count <= Self.changesBeforeReturn
    }

    private func reason(for wanted: Mode, _ measured: Double) -> String {
        let pipeline = settings.pipeline
        guard wanted > mode else {
            let count = (count(in: wanted) ?? readings.everything).map(whole) ?? "few"
            let limit = whole(entering(wanted))
            return "\(pipeline) would have \(count) series in \(wanted), below \(limit)"
        }
        let limit = settings.leaving(mode).map(whole) ?? "all"
        let forecast = count(in: wanted).map { ", and would have \(whole($0)) in \(wanted)" } ?? ""
        let early = haste > 0 ? " (\(whole(haste)) added since it grows)" : ""
        return "\(pipeline) has \(whole(measured)) series in \(mode)\(early), more than \(limit)\(forecast)"
    }

    // MARK: - without observations

    private mutating func goSafe(at now: Moment) -> Decision? {
        guard !isSafe else { return nil }
        (isSafe, errorBefore) = (true, nil)
        guard held == nil, forced == nil else { return nil }
        let to = Mode(rawValue: settings.safety.rawValue) ?? mode
        let silence = now.monotonic - lastHeard
        let effect = to == mode ? "the mode is held" : "\(to) until they come again"
        return decide(to, because: "\(Self.safeMode): no observation for \(silence.text); \(effect)", at: now)
    }
}
