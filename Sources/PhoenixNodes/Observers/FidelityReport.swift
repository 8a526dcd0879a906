import PhoenixModel
import PhoenixRuntime

/// What a pipeline kept of the stream that it reduces, window by window. Decides; knows no task and no clock.
struct FidelityReport {
    /// How one measure fared in the last window that was settled, and since the observer began.
    private struct Standing {
        var error = 0.0
        var cameIn = 0.0
        var cameOut = 0.0
        /// The share of the increase that is told under names of its own; nil where nothing grew.
        var preserved: Double?
        var allFull = Increase()
        var allReduced = Increase()
        /// The window in which it last grew.
        var window = 0
        var drift: Double { FidelityReport.ratio(allFull.distance(to: allReduced), of: allFull.double) }
    }
    /// A measure that did not grow in so many windows is told no more.
    static let windowsKept = 360

    private var standings: [Measure: Standing] = [:]
    private var gaugeErrors: [String: Double] = [:]
    private(set) var windows = 0
    /// Windows that were settled by the clock, since one of the streams stood still.
    private(set) var forced = 0
    /// Windows in which some increase was not the same.
    private(set) var unequal = 0
    /// The measures of the last window that did not agree, the worst first.
    private(set) var offenders: [Measure] = []

    mutating func settle(_ full: WindowLedger.Window, _ reduced: WindowLedger.Window, isForced: Bool) {
        windows += 1
        if isForced { forced += 1 }
        offenders = []
        for measure in Set(full.increases.keys).union(reduced.increases.keys).sorted() {
            let (whole, kept) = (
                full.increases[measure]?.total ?? .init(), reduced.increases[measure] ?? .init()
            )
            var standing = standings[measure] ?? Standing()
            standing.allFull.add(whole)
            standing.allReduced.add(kept.total)
            let distance = whole.distance(to: kept.total)
            (standing.cameIn, standing.cameOut) = (whole.double, kept.total.double)
            standing.error = Self.ratio(distance, of: whole.double)
            standing.preserved = whole.double > 0 ? min(1, max(0, kept.named.double / whole.double)) : nil
            standing.window = windows
            if distance > 0 { offenders.append(measure) }
            standings[measure] = standing
        }
        gaugeErrors = [:]
        for (metric, level) in full.levels {
            // Levels are added up in another order: rounding may tell them apart.
            let distance = abs(level - (reduced.levels[metric] ?? 0))
            gaugeErrors[metric] = distance <= 1e-9 * abs(level) ? 0 : Self.ratio(distance, of: abs(level))
        }
        let oldest = windows - Self.windowsKept
        standings = standings.filter { $0.value.window >= oldest }
        for measure in Array(standings.keys) where standings[measure]?.window != windows {
            standings[measure]?.error = 0
            standings[measure]?.preserved = nil
        }
        offenders.sort { (standings[$0]?.error ?? 0, $1) > (standings[$1]?.error ?? 0, $0) }
        if !offenders.isEmpty { unequal += 1 }
    }

    /// The largest error of the last window.
    var worst: Double { offenders.first.flatMap { standings[$0]?.error } ?? 0 }

    /// What is told of a pipeline; by name the `top` measures that are furthest from the truth.
    func readings(of pipeline: String, top: Int) -> [Observation.Reading] {
        let labels = ["pipeline": pipeline]
        var readings = [
            Observation.Reading("phoenix_conservation_error", worst, labels),
            Observation.Reading("phoenix_fidelity_windows_total", Double(windows), labels),
            Observation.Reading("phoenix_fidelity_forced_windows_total", Double(forced), labels),
            Observation.Reading("phoenix_fidelity_unequal_windows_total", Double(unequal), labels),
        ]
        let shares = standings.values.compactMap(\.preserved)
        if !shares.isEmpty {
            let mean = shares.reduce(0, +) / Double(shares.count)
            readings.append(.init("phoenix_signal_preservation", mean, labels))
        }
        let told = standings.sorted { ($0.value.drift, $1.key) > ($1.value.drift, $0.key) }.prefix(top)
        for (measure, standing) in told {
            let labels = labels.merging(["metric": measure.metric, "part": measure.part.rawValue]) { $1 }
            readings += [
                .init("phoenix_metric_conservation_error", standing.error, labels),
                .init("phoenix_metric_conservation_drift", standing.drift, labels),
            ]
            if let share = standing.preserved {
                readings.append(.init("phoenix_metric_signal_preservation", share, labels))
            }
        }
        for (metric, error) in gaugeErrors.sorted(by: { ($0.value, $1.key) > ($1.value, $0.key) }).prefix(top)
        {
            let labels = labels.merging(["metric": metric]) { $1 }
            readings.append(.init("phoenix_gauge_error", error, labels))
        }
        return readings
    }

    /// The alert while the last window does not agree.
    func alerts(of pipeline: String) -> [Observation.Alert] {
        guard let first = offenders.first, let standing = standings[first] else { return [] }
        let others =
            offenders.count > 1 ? "; \(offenders.count - 1) more metrics are not what they were either" : ""
        return [
            .init(
                "conservation",
                "`\(first.metric)` (\(first.part.rawValue)) grew by \(standing.cameIn) before `\(pipeline)` and by "
                    + "\(standing.cameOut) behind it, in the last window that was settled\(others)"
            )
        ]
    }

    private static func ratio(_ distance: Double, of whole: Double) -> Double {
        if distance == 0 { return 0 }
        return whole > 0 ? distance / whole : 1
    }
}
