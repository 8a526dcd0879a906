import PhoenixModel

/// What the law shows of itself.
extension ControlLaw {
    /// How many of the newest decisions a status carries.
    private static let recentSignals = 10

    func status(at now: Moment) -> ControlStatus {
        ControlStatus(
            mode: mode,
            version: version,
            correlationID: correlationID,
            reason: reason,
            sinceUnixNano: sinceUnixNano,
            kpis: readings.kpis,
            forecasts: forecasts,
            terms: terms,
            thresholds: .init(
                target: settings.target,
                conservativeMaximum: settings.conservativeMaximum,
                aggressiveMinimum: settings.aggressiveMinimum,
                hysteresis: settings.hysteresis
            ),
            interval: settings.interval,
            uptime: now.monotonic - startedAt.monotonic,
            transitionCount: transitionCount,
            stabilityScore: stabilityScore(at: now.monotonic),
            isSafeMode: isSafe,
            forced: forced?.kind,
            override: held.map { held in
                ControlStatus.Override(
                    mode: held.mode,
                    reason: held.reason,
                    untilUnixNano: held.until?.unixNano,
                    remaining: held.until.map { max($0.monotonic - now.monotonic, .zero) }
                )
            },
            exposure: current?.exposure ?? settings.exposure(in: mode),
            recentSignals: newest(Self.recentSignals)
        )
    }

    func newest(_ limit: Int) -> [Decision] { history.suffix(max(limit, 0)).reversed() }

    /// 1 for a law that never changes the mode, 0 for one that changes it as often as the stability period lets it.
    private func stabilityScore(at now: Duration) -> Double {
        let changes = ownChanges.count { now - $0 < settings.calm }
        let most = settings.stability > .zero ? settings.calm.inSeconds / settings.stability.inSeconds : 0
        return most > 0 ? max(0, 1 - Double(changes) / most) : 1
    }
}
