import PhoenixModel
import PhoenixRuntime

/// What a top-K node knows of its series: whose each is, and the last value of those whose metric ranks.
///
/// Every `now` is of the node's clock. Senders' clocks have no say: one that is ahead would end the window of everybody.
struct Standings: ~Copyable {
    struct Track: BitwiseCopyable, Sendable {
        /// Of the series id; 0 where nothing is known of the slot.
        private(set) var generation: UInt32 = 0
        /// The number of the entity, whether the metric tells increases, and whether it is the one that ranks.
        private var packed: UInt32 = 0
        /// The last value of one that ranks; not a number before the first.
        var value = Double.nan

        init() {}
        /// Of a series of `metric`, where the metric of that name ranks.
        init(generation: UInt32, owner: UInt32, _ metric: Metric?, ranksBy name: String) {
            let isDelta = metric?.temporality == .delta
            self.generation = generation
            packed = owner << 2 | (isDelta ? 2 : 0) | (metric?.name == name ? 1 : 0)
        }
        var owner: UInt32 { packed >> 2 }
        /// Whether each point counts since the one before.
        var isDelta: Bool { packed & 2 != 0 }
        var ranks: Bool { packed & 1 != 0 }
    }
    private var ranking = Ranking(.init())
    /// The metric that ranks.
    private var metric = ""
    private var rankAt: UInt64 = 0
    private var tracks = SlotMap<Track>(vacant: Track())

    /// Whose a series is stands; which of them rank is another matter under another metric.
    mutating func prepare(_ config: TopK.Config, cuts: [Int], at now: UInt64, _ table: SeriesTable) {
        ranking.cuts = cuts
        if ranking.rules != config.rules {
            // Another mode's K holds at once, not with the next ranking that is due.
            rankAt = 0
            ranking.change(to: config.rules, at: now)
        }
        guard metric != config.metric else { return }
        metric = config.metric
        tracks.sweep { slot, track in
            guard track.generation != 0 else { return false }
            let series = table.series(SeriesID(slot: slot, generation: track.generation))
            track = Track(
                generation: track.generation,
                owner: track.owner,
                series?.metric,
                ranksBy: config.metric
            )
            return true
        }
    }

    mutating func withRanking<Result>(_ body: (inout Ranking) -> Result) -> Result { body(&ranking) }

    /// Whether an entity is in.
    mutating func admits(_ key: Ranking.Key, isExempt: Bool, at now: UInt64) -> Bool {
        ranking.admits(ranking.number(of: key, at: now), isExempt: isExempt)
    }
    /// Whether it would be with another K; for a forecast.
    func foresees(_ key: Ranking.Key, isExempt: Bool, k: Int) -> Bool {
        ranking.foresees(key, isExempt: isExempt, k: k)
    }

    /// Answers what is to be known of a series, given the metric that ranks.
    typealias Owner = (SeriesID, _ metric: String, inout Ranking) -> Track?

    /// Notes whose a series is.
    mutating func learn(_ id: SeriesID, at now: UInt64, _ owner: Owner) {
        guard tracks[id.slot].generation != id.generation, let new = owner(id, metric, &ranking) else {
            return
        }
        tracks.element(id.slot).pointee = new
        ranking.see(new.owner, at: now)
    }

    /// Takes in the points of a batch; `owner` tells of a series that is not known yet.
    ///
    /// A point of several numbers, a histogram's or a summary's, ranks by its count.
    mutating func watch(_ batch: MetricBatch, byIncrease: Bool, at now: UInt64, _ owner: Owner) {
        let (numbers, histograms) = (batch.numbers, batch.histograms)
        watch(numbers.series, numbers.flags, byIncrease: byIncrease, at: now, owner) { index in
            let bits = numbers.values[index]
            let isInteger = numbers.flags[index].contains(.isInteger)
            return isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
        }
        watch(histograms.series, histograms.flags, byIncrease: byIncrease, at: now, owner) { index in
            Double(histograms.counts[index])
        }
        let (exponentials, summaries) = (batch.exponentials, batch.summaries)
        watch(exponentials.series, exponentials.flags, byIncrease: byIncrease, at: now, owner) { index in
            Double(exponentials.counts[index])
        }
        watch(summaries.series, summaries.flags, byIncrease: byIncrease, at: now, owner) { index in
            Double(summaries.counts[index])
        }
    }
    @inline(__always)
    private mutating func watch(
        _ series: [SeriesID],
        _ flags: [PointFlags],
        byIncrease: Bool,
        at now: UInt64,
        _ owner: Owner,
        _ reading: (Int) -> Double
    ) {
        let (ids, marks) = (series.span, flags.span)
        for index in ids.indices {
            let id = ids[index]
            let track = tracks.element(id.slot)
            if track.pointee.generation != id.generation {
                guard let new = owner(id, metric, &ranking) else { continue }
                track.pointee = new
            }
            ranking.see(track.pointee.owner, at: now)
            guard track.pointee.ranks, !marks[index].contains(.noRecordedValue) else { continue }
            let (value, last) = (reading(index), track.pointee.value)
            track.pointee.value = value
            guard byIncrease, !value.isNaN else { continue }
            if track.pointee.isDelta {
                ranking.grow(track.pointee.owner, by: value, at: now)
            } else if !last.isNaN {
                // What was counted before it was watched says nothing of the window; after a reset the value counts.
                ranking.grow(track.pointee.owner, by: value >= last ? value - last : value, at: now)
            }
        }
    }

    /// Ranks when it is time; answers the slots of those who changed place.
    mutating func rank(every interval: UInt64, at now: UInt64, _ table: SeriesTable) -> [UInt32] {
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
