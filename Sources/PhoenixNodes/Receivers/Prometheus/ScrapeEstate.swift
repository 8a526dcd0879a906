import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// The series of targets whose scrapers ended and did not end them: the node was stopped, the target may be there still.
///
/// Whoever scrapes such a target next, in this node or its heir, claims its series and ends those that the target no longer
/// has. What nobody claims within two intervals of its target has ended with it.
final class ScrapeEstate: Sendable {
    private struct State {
        /// Since the node runs: nobody claims from these before it runs again.
        var left: [ScrapeTarget: OpenSeries] = [:]
        /// From before that, by the labels of the targets.
        var unclaimed: [LabelSet: [ScrapeTarget: OpenSeries]] = [:] {
            didSet { if unclaimed.isEmpty { alive = [] } }
        }
        /// Series that were told of while there was something to claim: they are not to be ended with it.
        var alive: Set<SeriesID> = []

        mutating func offer(_ targets: [ScrapeTarget: OpenSeries]) {
            for (target, series) in targets {
                unclaimed[target.labels, default: [:]][target, default: OpenSeries()].append(series)
            }
        }
    }
    private let state = Lock(State())

    /// All that is yet to be ended, by target.
    var all: [ScrapeTarget: OpenSeries] {
        state.withLock { state in
            var all = state.left
            for targets in state.unclaimed.values {
                for (target, series) in targets { all[target, default: OpenSeries()].append(series) }
            }
            return all
        }
    }
    /// Takes over what another node had, in place of what is here.
    func replace(with targets: [ScrapeTarget: OpenSeries]) {
        state.withLock { $0 = State(left: targets) }
    }
    /// The node begins to run: what was left may be claimed.
    func open() {
        state.withLock { state in
            state.offer(state.left)
            state.left = [:]
        }
    }

    /// The series of a target that is scraped from now on, or those of one with the same labels: an interval or a path that
    /// is another now does not make other series.
    func claim(_ target: ScrapeTarget) -> OpenSeries {
        state.withLock { state in
            guard var kin = state.unclaimed[target.labels] else { return OpenSeries() }
            // Of several with the same labels that of the same URL; another one's only where there is no choice.
            let heir = kin[target] != nil ? target : kin.keys.first { $0.url == target.url }
            guard let heir = heir ?? (kin.count == 1 ? kin.keys.first : nil),
                let series = kin.removeValue(forKey: heir)
            else { return OpenSeries() }
            state.unclaimed[target.labels] = kin.isEmpty ? nil : kin
            return series
        }
    }
    /// Keeps what a scraper has not ended.
    func leave(_ target: ScrapeTarget, _ series: OpenSeries) {
        guard !series.isEmpty else { return }
        state.withLock { $0.left[target, default: OpenSeries()].append(series) }
    }
    /// Series that these batches tell of are alive, by whichever target.
    func note(_ batches: [MetricBatch]) {
        state.withLock { state in
            guard !state.unclaimed.isEmpty else { return }
            for batch in batches { state.alive.formUnion(batch.allSeries) }
        }
    }

    /// The shortest interval of a target that nobody has claimed.
    private var shortestInterval: Duration? {
        state.withLock { $0.unclaimed.values.flatMap(\.keys).map(\.interval).min() }
    }
    /// Takes out what belongs to targets with intervals up to this one.
    private func take(upTo interval: Duration) -> OpenSeries {
        state.withLock { state in
            var (taken, rest) = (OpenSeries(), state.unclaimed)
            for (labels, targets) in state.unclaimed {
                let due = targets.filter { $0.key.interval <= interval }
                for series in due.values { taken.append(series) }
                rest[labels] = due.count == targets.count ? nil : targets.filter { due[$0.key] == nil }
            }
            taken.remove(state.alive)
            state.unclaimed = rest
            return taken
        }
    }
    /// Ends what nobody claims, two intervals after the node began to run.
    ///
    /// So long a target may be missed as well that discovery does not name for once. Returns when nothing is left, or the
    /// node is stopped.
    func settle(_ world: DiscoveryWorld, _ output: Outlet<MetricBatch>) async throws {
        let (time, began) = (world.context.time, world.context.time.monotonic)
        while let interval = shortestInterval {
            let wait = began + interval * 2 - time.monotonic
            if wait > .zero, try await !world.stop.sleep(for: wait, time) { return }
            if let ends = take(upTo: interval).ends(at: time.unixNanoseconds) { try await output.send(ends) }
        }
    }
}
