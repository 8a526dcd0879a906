import PhoenixModel
import PhoenixRuntime

/// What a limit makes of a series, as the places are taken.
struct LimitProgram: IdentityProgram, Equatable {
    let config: Limit.Config
    let book: LimitBook
    init(_ config: Limit.Config, _ book: LimitBook) { (self.config, self.book) = (config, book) }

    static func == (left: Self, right: Self) -> Bool {
        left.config == right.config && left.book === right.book
    }
    /// Where a series may go elsewhere at any moment, outputs are sums of the node's own from the first.
    var merging: Merging { config.observeOnly ? .never : .always }
    var aliveSeconds: UInt32 { UInt32(clamping: Int(config.aliveWithin.inSeconds)) }
    /// Who has a place is in the book: other limits change places by its next turn.
    func decides(as other: Self) -> Bool {
        book === other.book && config.observeOnly == other.config.observeOnly
            && config.overflowKeep == other.config.overflowKeep
    }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        (options.gauges, options.staleAfter) = (config.gauges, config.staleAfter)
        options.forgetAfterSeconds = UInt32(clamping: Int(config.expiry.inSeconds))
        return options
    }

    func judge(_ subject: inout Subject) -> Verdict {
        guard !config.observeOnly, book.isPast(subject.series) else { return .pass }
        subject.keep(config.overflowKeep)
        subject.set(AttributeTarget(.point, "otel.metric.overflow"), to: .bool(true))
        return .pass
    }
}

/// The places of a `limit` node, shared by the programs of all modes. All calls come from one node; the lock is there
/// for the compiler, and free.
final class LimitBook: Sendable {
    private struct State {
        var quota: Quota
        /// Of the points that came: those of series with a place, then by cause.
        var points = Array(repeating: 0, count: Quota.Cause.allCases.count + 1)
        var sweepAt: UInt32 = 0
    }
    let attributes: [AttributeTarget]
    let table: SeriesTable
    private let state: Lock<State>

    init(_ config: Limit.Config, _ table: SeriesTable) {
        (attributes, self.table) = (config.limitedAttributes, table)
        state = Lock(State(quota: Quota(config.rules)))
    }

    /// Whether it can go on under other settings: the limited attributes stay.
    func counts(_ config: Limit.Config) -> Bool { attributes == config.limitedAttributes }
    func isPast(_ id: SeriesID) -> Bool { state.withLock { $0.quota.cause(of: id) != nil } }

    /// Takes in the series of a batch at a second of the node's clock; answers the slots of those who changed place.
    func watch(_ batch: MetricBatch, _ config: Limit.Config, at second: UInt32) -> [UInt32] {
        state.withLock { state in
            var changed = state.quota.change(to: config.rules)
            if second >= state.sweepAt {
                let expiry = UInt32(clamping: Int(config.expiry.inSeconds))
                state.sweepAt = second + max(1, expiry / 8)
                if second > expiry { changed += state.quota.sweep(before: second - expiry) }
            }
            let columns = [
                batch.numbers.series, batch.histograms.series, batch.exponentials.series,
                batch.summaries.series,
            ]
            for column in columns {
                for id in column where !state.quota.see(id, at: second, &state.points) {
                    guard let newcomer = newcomer(id, config) else { continue }
                    state.quota.take(id, newcomer, at: second)
                    _ = state.quota.see(id, at: second, &state.points)
                }
            }
            return changed
        }
    }
    /// Who is known.
    var guests: [Quota.Guest] { state.withLock { $0.quota.guests } }
    /// Gives a series that is not known a place, or none, before any point of it came.
    func admit(_ id: SeriesID, _ config: Limit.Config, at second: UInt32) {
        guard state.withLock({ !$0.quota.knows(id) }), let newcomer = newcomer(id, config) else { return }
        state.withLock { $0.quota.take(id, newcomer, at: second) }
    }
    private func newcomer(_ id: SeriesID, _ config: Limit.Config) -> Quota.Newcomer? {
        guard let series = table.series(id) else { return nil }
        var subject = Subject(
            resource: series.resource.attributes,
            point: series.attributes.attributes,
            metric: series.metric.identity
        )
        return Quota.Newcomer(
            metric: series.metric.name,
            values: attributes.map { subject.value(of: $0) },
            isExempt: config.neverLimit?.hold(&subject) ?? false
        )
    }

    /// What the node tells of itself.
    func readings(of node: String) -> [Observation.Reading] {
        state.withLock { state in
            let quota = state.quota
            let points = Quota.Cause.allCases.map { cause in
                Observation.Reading(
                    "phoenix_limit_points_past_total",
                    Double(state.points[Int(cause.rawValue)]),
                    ["pipeline": node, "cause": cause.label]
                )
            }
            let offenders = quota.offenders(Limit.offenders).map {
                Observation.Reading(
                    "phoenix_limit_metric_series_past",
                    Double($0.past),
                    ["pipeline": node, "metric": $0.name]
                )
            }
            return [
                Observation.Reading(
                    "phoenix_limit_admitted_series",
                    Double(quota.admitted),
                    ["pipeline": node]
                ),
                Observation.Reading("phoenix_limit_series_past", Double(quota.past), ["pipeline": node]),
            ] + points + offenders
        }
    }
}

extension Limit.Config {
    /// In a fixed order.
    var limitedAttributes: [AttributeTarget] {
        attributes.keys.sorted().map { AttributeTarget(stringLiteral: $0) }
    }
    var rules: Quota.Rules {
        Quota.Rules(
            total: total,
            perMetric: perMetric,
            metrics: metrics,
            values: attributes.sorted { $0.key < $1.key }.map(\.value)
        )
    }
}
