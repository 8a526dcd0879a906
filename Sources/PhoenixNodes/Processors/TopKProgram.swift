import PhoenixModel
import PhoenixRuntime

/// What top-K makes of a series, as the ranking stands.
struct TopKProgram: IdentityProgram, Equatable {
    let config: TopK.Config
    let league: League
    init(_ config: TopK.Config, _ league: League) { (self.config, self.league) = (config, league) }

    static func == (left: Self, right: Self) -> Bool {
        left.config == right.config && left.league === right.league
    }
    var merging: Merging { .always }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        (options.gauges, options.staleAfter) = (config.gauges, config.staleAfter)
        options.forgetAfterSeconds = UInt32(clamping: Int(config.expiry.inSeconds))
        return options
    }

    var aliveSeconds: UInt32 { UInt32(clamping: Int(config.aliveWithin.inSeconds)) }

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
    private struct State {
        var ranking = Ranking(.init())
        /// The metric that ranks.
        var metric = ""
        var rankAt: UInt64 = 0
        var now: UInt64 = 0
        /// By slot what is known of a series: its newest value and whose it is, where its metric ranks.
        var tracks = [Track]()
        /// The slots of each entity's series: they change place together.
        var slots: [Ranking.Key: [UInt32]] = [:]
    }
    private struct Track {
        var generation: UInt32 = 0
        /// The entity's tally; -1 where the metric is another.
        var entity: Int32 = -1
        var hasValue = false
        var value = 0.0
    }
    let entity: [AttributeTarget]
    let group: [AttributeTarget]
    private let table: SeriesTable
    private let state = Lock(State())

    init(_ config: TopK.Config, _ table: SeriesTable) {
        (entity, group, self.table) = (config.entity, config.group, table)
    }

    /// Whether it can go on under other settings: who is who stays.
    func ranks(_ config: TopK.Config) -> Bool { entity == config.entity && group == config.group }
    /// Notes whose these series are, so that they change place with their entity before they are seen again.
    func learn(_ ids: [SeriesID]) { state.withLock { for id in ids { learn(id, &$0) } } }

    /// Whether the entity of a series is in.
    func admits(_ subject: inout Subject, isExempt: Bool) -> Bool {
        let key = key(&subject)
        return state.withLock { $0.ranking.admits(key, isExempt: isExempt, at: $0.now) }
    }
    private func key(_ subject: inout Subject) -> Ranking.Key {
        Ranking.Key(group: group.map { subject.value(of: $0) }, entity: entity.map { subject.value(of: $0) })
    }

    /// Takes the ranking metric from a batch, and ranks when it is time; answers the slots of those who changed place.
    func watch(_ batch: MetricBatch, _ config: TopK.Config) -> [UInt32] {
        let points = batch.numbers
        return state.withLock { state in
            prepare(&state, config)
            for index in points.series.indices {
                let (id, time) = (points.series[index], points.times[index])
                state.now = max(state.now, time)
                learn(id, &state)
                let slot = Int(id.slot)
                guard slot < state.tracks.count, state.tracks[slot].entity >= 0,
                    state.tracks[slot].generation == id.generation,
                    !points.flags[index].contains(.noRecordedValue)
                else { continue }
                let bits = points.values[index]
                let value =
                    points.flags[index].contains(.isInteger)
                    ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
                // What was counted before it was watched says nothing of the window; after a reset the value counts.
                let last = state.tracks[slot].value
                let increase = !state.tracks[slot].hasValue ? 0 : value >= last ? value - last : value
                state.ranking.score(
                    Int(state.tracks[slot].entity),
                    id,
                    by: config.measure == .increase ? increase : value,
                    at: time
                )
                state.tracks[slot].value = value
                state.tracks[slot].hasValue = true
            }
            guard state.now >= state.rankAt else { return [] }
            state.rankAt = state.now &+ config.every.nanoseconds
            let changed = state.ranking.rank(at: state.now)
            defer { forget(&state) }
            return changed.flatMap { state.slots[$0] ?? [] }
        }
    }
    private func prepare(_ state: inout State, _ config: TopK.Config) {
        state.ranking.rules = config.rules
        guard state.metric != config.metric else { return }
        state.metric = config.metric
        // Whose a series is stands; which of them rank is another matter now.
        for (key, slots) in state.slots {
            let number = state.ranking.number(of: key, at: state.now)
            for slot in slots { rank(slot, for: number, &state) }
        }
    }
    private func rank(_ slot: UInt32, for number: Int, _ state: inout State) {
        let generation = state.tracks[Int(slot)].generation
        state.tracks[Int(slot)] = Track(generation: generation)
        guard let series = table.series(SeriesID(slot: slot, generation: generation)),
            series.metric.name == state.metric
        else { return }
        state.tracks[Int(slot)].entity = Int32(number)
    }

    /// Notes whose a series is that was not seen before.
    private func learn(_ id: SeriesID, _ state: inout State) {
        let slot = Int(id.slot)
        if slot < state.tracks.count, state.tracks[slot].generation == id.generation { return }
        guard let series = table.series(id) else { return }
        if slot >= state.tracks.count {
            let count = max(slot + 1, state.tracks.count * 2)
            state.tracks += Array(repeating: Track(), count: count - state.tracks.count)
        }
        state.tracks[slot] = Track(generation: id.generation)
        var subject = Subject(
            resource: series.resource.attributes,
            point: series.attributes.attributes,
            metric: series.metric.identity
        )
        let key = key(&subject)
        state.slots[key, default: []].append(id.slot)
        let number = state.ranking.number(of: key, at: state.now)
        if series.metric.name == state.metric { state.tracks[slot].entity = Int32(number) }
    }
    /// Forgets what belongs to entities that the ranking has forgotten, and to series that are gone.
    private func forget(_ state: inout State) {
        let gone = state.slots.keys.filter { !state.ranking.isKnown($0) }
        for key in gone {
            for slot in state.slots[key] ?? [] { state.tracks[Int(slot)] = Track() }
            state.slots[key] = nil
        }
    }
}

extension TopK.Config {
    var rules: Ranking.Rules {
        Ranking.Rules(k: k, margin: margin, window: window.nanoseconds, byIncrease: measure == .increase)
    }
}
