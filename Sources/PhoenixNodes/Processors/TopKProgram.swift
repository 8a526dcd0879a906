import PhoenixModel
import PhoenixRuntime

/// What top-K makes of a series, as the ranking stands.
struct TopKProgram: IdentityProgram, Equatable {
    let config: TopK.Config
    let league: League
    /// The K of all modes.
    let cuts: [Int]
    init(_ config: TopK.Config, _ league: League, cuts: [Int] = []) {
        (self.config, self.league, self.cuts) = (config, league, cuts)
    }
    /// What the settings say for each mode, over one ranking.
    static func all(_ settings: Settings<TopK.Config>, _ league: League) -> Programs<Self> {
        let cuts = Set([settings.base.k] + settings.modes.values.map(\.k)).sorted()
        return Programs(settings) { Self($0, league, cuts: cuts) }
    }

    static func == (left: Self, right: Self) -> Bool {
        left.config == right.config && left.cuts == right.cuts && left.league === right.league
    }
    var merging: Merging { .always }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        (options.gauges, options.staleAfter) = (config.gauges, config.staleAfter)
        options.forgetAfterSeconds = UInt32(clamping: Int(config.expiry.inSeconds))
        return options
    }

    var aliveSeconds: UInt32 { UInt32(clamping: Int(config.aliveWithin.inSeconds)) }

    /// Who is in is the ranking's to say: what it is told by, K too, changes places by its next turn.
    func decides(as other: Self) -> Bool {
        let (mine, others) = (config, other.config)
        return league === other.league && mine.keep == others.keep && mine.others == others.others
            && mine.exempt == others.exempt
    }

    func judge(_ subject: inout Subject) -> Verdict {
        let isExempt = config.exempt?.hold(&subject) ?? false
        return place(&subject, isIn: league.admits(&subject, isExempt: isExempt))
    }
    /// Exact for modes that differ in `k`, `keep` and `others`; the ranking is that of the mode that holds.
    func foresee(_ subject: inout Subject) -> Verdict {
        let isExempt = config.exempt?.hold(&subject) ?? false
        return place(&subject, isIn: league.foresees(&subject, isExempt: isExempt, k: config.k))
    }
    private func place(_ subject: inout Subject, isIn: Bool) -> Verdict {
        if isIn {
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
/// Shared by the programs of all modes, so that a change of mode does not forget who leads. The node's calls meet only those
/// of the task that foresees what other modes would admit, which are short.
final class League: Sendable {
    let entity: [AttributeTarget]
    let group: [AttributeTarget]
    private let table: SeriesTable
    private let time: any TimeSource
    /// When time began that only goes forward, by the clock of the world when the ranking began.
    private let origin: UInt64
    private let box = Lock(Box())
    private final class Box { var standings = Standings() }

    init(_ config: TopK.Config, _ table: SeriesTable, _ time: any TimeSource) {
        (entity, group, self.table) = (config.entity, config.group, table)
        (self.time, origin) = (time, time.unixNanoseconds &- time.monotonic.nanoseconds)
    }
    /// By the node's clock, in nanoseconds since 1970; goes on evenly where the clock of the world is set.
    var now: UInt64 { origin &+ time.monotonic.nanoseconds }

    /// How much the clock of the world was set since the ranking began, in nanoseconds.
    var clockShift: Int64 { Int64(bitPattern: time.unixNanoseconds &- now) }

    /// Whether it can go on under other settings: who is who stays.
    func ranks(_ config: TopK.Config) -> Bool { entity == config.entity && group == config.group }
    /// Notes whose these series are, so that they change place with their entity before they are seen again.
    func learn(_ ids: [SeriesID]) {
        let now = now
        box.withLock { box in
            for id in ids { box.standings.learn(id, at: now) { self.owner(of: $0, ranksBy: $1, &$2) } }
        }
    }

    func withRanking<Result>(_ body: (inout Ranking) -> Result) -> Result {
        box.withLock { $0.standings.withRanking(body) }
    }

    /// Whether the entity of a series is in.
    func admits(_ subject: inout Subject, isExempt: Bool) -> Bool {
        let (key, now) = (key(&subject), now)
        return box.withLock { $0.standings.admits(key, isExempt: isExempt, at: now) }
    }
    /// Whether it would be with another K; leaves no trace.
    func foresees(_ subject: inout Subject, isExempt: Bool, k: Int) -> Bool {
        let key = key(&subject)
        return box.withLock { $0.standings.foresees(key, isExempt: isExempt, k: k) }
    }
    private func key(_ subject: inout Subject) -> Ranking.Key {
        func named(_ targets: [AttributeTarget]) -> AttributeSet {
            var values: [Attribute] = []
            for target in targets {
                if let value = subject.value(of: target) { values.append(Attribute(target.text, value)) }
            }
            return AttributeSet(values)
        }
        return Ranking.Key(name: named(entity), group: named(group))
    }

    /// Takes the ranking metric from a batch, and ranks when it is time; answers the slots of those who changed place.
    func watch(_ batch: MetricBatch, _ config: TopK.Config, cuts: [Int]) -> [UInt32] {
        let now = now
        return box.withLock { box in
            box.standings.prepare(config, cuts: cuts, at: now, self.table)
            box.standings.watch(batch, byIncrease: config.measure == .increase, at: now) {
                self.owner(of: $0, ranksBy: $1, &$2)
            }
            return box.standings.rank(every: config.every.nanoseconds, at: now, self.table)
        }
    }
    /// Whose a series is that was not seen before; nil where its id is stale.
    private func owner(
        of id: SeriesID,
        ranksBy metric: String,
        _ ranking: inout Ranking
    ) -> Standings.Track? {
        guard let series = table.series(id) else { return nil }
        var subject = Subject(
            resource: series.resource.attributes,
            point: series.attributes.attributes,
            metric: series.metric.identity
        )
        return Standings.Track(
            generation: id.generation,
            owner: ranking.number(of: key(&subject), at: 0),
            series.metric,
            ranksBy: metric
        )
    }
}
