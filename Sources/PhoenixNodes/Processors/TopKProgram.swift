import PhoenixModel
import PhoenixRuntime

/// What top-K makes of a series, as the ranking stands.
struct TopKProgram: IdentityProgram, Equatable {
    let config: TopK.Config
    private let league: League
    init(_ config: TopK.Config, _ league: League) { (self.config, self.league) = (config, league) }

    static func == (left: Self, right: Self) -> Bool { left.config == right.config }
    var merging: Merging { .always }
    var policy: Merger.Policy {
        var policy = Merger.Policy()
        policy.gauges.merge(config.gauges) { _, own in own }
        (policy.staleAfter, policy.expiry) = (config.staleAfter?.nanoseconds, config.expiry.nanoseconds)
        return policy
    }

    func judge(_ subject: inout Subject) -> Verdict {
        let isExempt = config.exempt?.hold(&subject) ?? false
        if league.admits(&subject, isExempt: isExempt) {
            if !config.keep.isEmpty { subject.keep(config.keep) }
        } else {
            subject.keep(config.others)
            subject.set(AttributeTarget(.resource, "phoenix.others"), to: "true")
        }
        return .pass
    }
}

/// The ranking of a top-K node, and which series belongs to whom.
///
/// Shared by the programs of all modes, so that a change of mode does not forget who leads. All calls come from one
/// node; the lock is there for the compiler, and free.
final class League: Sendable {
    fileprivate struct State {
        var ranking = Ranking(.init())
        /// The metric that the rest is about.
        var metric = ""
        var rankAt: UInt64 = 0
        var now: UInt64 = 0
        /// The newest value of each series of the ranking metric.
        var values: [SeriesID: (value: Double, start: UInt64, time: UInt64)] = [:]
        var members: [SeriesID: Ranking.Key] = [:]
        /// By slot the generation of a series that is known to be of another metric: most are.
        var others: [UInt32] = []
    }
    let entity: [AttributeTarget]
    let group: [AttributeTarget]
    private let table: SeriesTable
    private let state = Lock(State())

    init(_ config: TopK.Config, _ table: SeriesTable) {
        (entity, group, self.table) = (config.entity, config.group, table)
    }

    /// Whether the entity of a series is in.
    func admits(_ subject: inout Subject, isExempt: Bool) -> Bool {
        let key = key(&subject)
        return state.withLock { $0.ranking.admits(key, isExempt: isExempt, at: $0.now) }
    }
    private func key(_ subject: inout Subject) -> Ranking.Key {
        Ranking.Key(
            group: group.map { subject.value(of: $0) }, entity: entity.map { subject.value(of: $0) }
        )
    }

    /// Takes the ranking metric from a batch, and ranks when it is time; true when somebody came in or went out.
    func watch(_ batch: MetricBatch, _ config: TopK.Config) -> Bool {
        let points = batch.numbers
        return state.withLock { state in
            state.ranking.rules = config.rules
            if state.metric != config.metric {
                (state.metric, state.members, state.values, state.others) = (config.metric, [:], [:], [])
            }
            for index in points.series.indices {
                let (id, time) = (points.series[index], points.times[index])
                state.now = max(state.now, time)
                guard let key = owner(id, config.metric, &state) else { continue }
                let value = Amount(bits: points.values[index], points.flags[index]).value
                let start = points.starts[index]
                var amount = value
                if config.measure == .increase {
                    let known = state.values[id]
                    // What was counted before it was watched says nothing of the window.
                    amount = known.map { value >= $0.value && start < max($0.time, 1) ? value - $0.value : value } ?? 0
                }
                state.values[id] = (value, start, time)
                state.ranking.score(key, id, by: amount, at: time)
            }
            guard state.now >= state.rankAt else { return false }
            state.rankAt = state.now &+ config.every.nanoseconds
            state.forget(before: state.now - min(state.now, config.window.nanoseconds))
            return !state.ranking.rank(at: state.now).isEmpty
        }
    }

    /// Whose series it is, if it is one of the ranking metric; looked up once.
    private func owner(_ id: SeriesID, _ metric: String, _ state: inout State) -> Ranking.Key? {
        let slot = Int(id.slot)
        if slot < state.others.count, state.others[slot] == id.generation { return nil }
        if let known = state.members[id] { return known }
        guard let series = table.series(id) else { return nil }
        guard series.metric.name == metric else {
            if slot >= state.others.count {
                state.others += Array(repeating: 0, count: max(slot + 1, state.others.count * 2) - state.others.count)
            }
            state.others[slot] = id.generation
            return nil
        }
        var subject = Subject(
            resource: series.resource.attributes, point: series.attributes.attributes, metric: series.metric.identity
        )
        let key = key(&subject)
        state.members[id] = key
        return key
    }
}

extension League.State {
    /// Forgets series that were not seen since; they are looked up again when they come.
    fileprivate mutating func forget(before time: UInt64) {
        for (id, value) in values where value.time < time {
            values[id] = nil
            members[id] = nil
        }
    }
}

extension TopK.Config {
    var rules: Ranking.Rules {
        Ranking.Rules(k: k, margin: margin, window: window.nanoseconds, byIncrease: measure == .increase)
    }
}
