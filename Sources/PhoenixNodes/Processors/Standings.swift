import PhoenixModel
import PhoenixRuntime

/// What a top-K node knows of its series: whose each is, and the last value of those whose metric ranks.
struct Standings: ~Copyable {
    struct Track: BitwiseCopyable, Sendable {
        /// Of the series id; 0 where nothing is known of the slot.
        private(set) var generation: UInt32 = 0
        /// The number of the entity, and whether the metric is the one that ranks.
        private var packed: UInt32 = 0
        /// The last value of one that ranks; not a number before the first.
        var value = Double.nan

        init() {}
        init(generation: UInt32, owner: UInt32, ranks: Bool) {
            (self.generation, packed) = (generation, owner << 1 | (ranks ? 1 : 0))
        }
        var owner: UInt32 { packed >> 1 }
        var ranks: Bool { packed & 1 != 0 }
    }
    private var ranking = Ranking(.init())
    /// The metric that ranks.
    private var metric = ""
    /// The newest time of a point.
    private var now: UInt64 = 0
    private var rankAt: UInt64 = 0
    private var tracks = SlotMap<Track>(vacant: Track())

    /// Whose a series is stands; which of them rank is another matter under another metric.
    mutating func prepare(_ config: TopK.Config, cuts: [Int], _ table: SeriesTable) {
        // Another mode's K holds at once, not with the next ranking that is due.
        if ranking.rules != config.rules { rankAt = 0 }
        ranking.cuts = cuts
        ranking.rules = config.rules
        guard metric != config.metric else { return }
        metric = config.metric
        tracks.sweep { slot, track in
            guard track.generation != 0 else { return false }
            let series = table.series(SeriesID(slot: slot, generation: track.generation))
            let ranks = series?.metric.name == config.metric
            track = Track(generation: track.generation, owner: track.owner, ranks: ranks)
            return true
        }
    }

    mutating func withRanking<Result>(_ body: (inout Ranking) -> Result) -> Result { body(&ranking) }

    /// Whether an entity is in.
    mutating func admits(_ key: Ranking.Key, isExempt: Bool) -> Bool {
        ranking.admits(ranking.number(of: key, at: now), isExempt: isExempt)
    }
    /// Whether it would be with another K; for a forecast.
    func foresees(_ key: Ranking.Key, isExempt: Bool, k: Int) -> Bool {
        ranking.foresees(key, isExempt: isExempt, k: k)
    }

    /// Answers what is to be known of a series, given the metric that ranks.
    typealias Owner = (SeriesID, _ metric: String, inout Ranking) -> Track?

    /// Notes whose a series is.
    mutating func learn(_ id: SeriesID, _ owner: Owner) {
        guard tracks[id.slot].generation != id.generation, let new = owner(id, metric, &ranking) else {
            return
        }
        tracks.element(id.slot).pointee = new
        ranking.see(new.owner, at: now)
    }

    /// Takes in the points of a batch; `owner` tells of a series that is not known yet.
    mutating func watch(_ points: NumberPoints, byIncrease: Bool, _ owner: Owner) {
        let (series, times) = (points.series.span, points.times.span)
        let (values, flags) = (points.values.span, points.flags.span)
        for index in series.indices {
            let (id, time) = (series[index], times[index])
            now = max(now, time)
            let track = tracks.element(id.slot)
            if track.pointee.generation != id.generation {
                guard let new = owner(id, metric, &ranking) else { continue }
                track.pointee = new
            }
            ranking.see(track.pointee.owner, at: time)
            guard track.pointee.ranks, !flags[index].contains(.noRecordedValue) else {
                continue
            }
            let bits = values[index]
            let isInteger = flags[index].contains(.isInteger)
            let value = isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
            // What was counted before it was watched says nothing of the window; after a reset the value counts.
            let last = track.pointee.value
            if byIncrease, !last.isNaN, !value.isNaN {
                ranking.grow(track.pointee.owner, by: value >= last ? value - last : value, at: time)
            }
            track.pointee.value = value
        }
    }

    /// Ranks when it is time; answers the slots of those who changed place.
    mutating func rank(every interval: UInt64, _ table: SeriesTable) -> [UInt32] {
        guard now >= rankAt else { return [] }
        rankAt = now &+ interval
        let gone = ranking.forget(at: now)
        var values: [(number: UInt32, value: Double)] = []
        let byIncrease = ranking.rules.byIncrease
        if !gone.isEmpty || !byIncrease {
            tracks.sweep { slot, track in
                guard track.generation != 0 else { return false }
                let id = SeriesID(slot: slot, generation: track.generation)
                if gone.contains(track.owner) || !table.isCurrent(id) {
                    track = Track()
                    return false
                }
                if !byIncrease, track.ranks, !track.value.isNaN {
                    values.append((track.owner, track.value))
                }
                return true
            }
        }
        let changed = ranking.rank(at: now, values: values)
        return changed.isEmpty ? [] : slots(of: changed)
    }
    /// The slots of the series of some entities: they change place together.
    private mutating func slots(of owners: Set<UInt32>) -> [UInt32] {
        var slots: [UInt32] = []
        var moved = SlotSet()
        for owner in owners { moved.insert(owner) }
        tracks.sweep { slot, track in
            if track.generation != 0, moved.contains(track.owner) { slots.append(slot) }
            return track.generation != 0
        }
        return slots
    }
}

extension TopK.Config {
    var rules: Ranking.Rules {
        Ranking.Rules(
            k: k,
            margin: margin,
            window: window.nanoseconds,
            memory: expiry.nanoseconds,
            byIncrease: measure == .increase
        )
    }
}
