import PhoenixModel

/// Who of each group is among the first K: exact over a sliding window, and slow to change its mind.
///
/// An entity is known by the values of its key attributes. Its score is what the ranking metric grew in the window, or
/// its newest value. One who is in stays in until a challenger beats it by the margin.
struct Ranking {
    struct Rules: Sendable, Equatable {
        var k = 10
        /// By how much a challenger must win, as a share: 0.1 is a tenth.
        var margin = 0.1
        /// In nanoseconds.
        var window: UInt64 = 300_000_000_000
        var byIncrease = true
    }
    struct Entity {
        var group: Int
        /// Whether it is in whatever its score.
        var isExempt: Bool
        var isAdmitted: Bool
        var lastSeen: UInt64
        /// What was added in each share of the window, the newest at `position`.
        fileprivate var shares = [Double](repeating: 0, count: Ranking.shareCount)
        fileprivate var position: UInt64 = 0
        /// The newest value of each of its series, where the value ranks.
        fileprivate var values: [SeriesID: Double] = [:]
        fileprivate var score = 0.0
    }
    /// An entity's attributes.
    struct Key: Hashable {
        var group: [AttributeValue?]
        var entity: [AttributeValue?]
    }
    /// The window is kept in so many shares; scores are exact to one of them.
    static let shareCount = 20

    private(set) var entities: [Key: Entity] = [:]
    private var groups: [[AttributeValue?]: Int] = [:]
    private var nextGroup = 0
    private var admittedIn: [Int: Int] = [:]
    var rules: Rules

    init(_ rules: Rules) { self.rules = rules }

    /// Whether the entity is in. One never seen comes in where its group has room, else it must first win.
    mutating func admits(_ key: Key, isExempt: Bool, at now: UInt64) -> Bool {
        if let entity = entities[key] { return entity.isAdmitted || entity.isExempt }
        let group = groups[key.group] ?? nextGroup
        nextGroup = max(nextGroup, group + 1)
        groups[key.group] = group
        let hasRoom = !isExempt && admittedIn[group, default: 0] < rules.k
        if hasRoom { admittedIn[group, default: 0] += 1 }
        entities[key] = Entity(group: group, isExempt: isExempt, isAdmitted: hasRoom, lastSeen: now)
        return hasRoom || isExempt
    }

    /// The ranking metric of an entity grew by `amount`, or has a new value.
    mutating func score(_ key: Key, _ series: SeriesID, by amount: Double, at now: UInt64) {
        guard var entity = entities[key] else { return }
        entity.lastSeen = max(entity.lastSeen, now)
        if rules.byIncrease {
            advance(&entity, to: now)
            entity.shares[Int(entity.position % UInt64(Self.shareCount))] += amount
        } else {
            entity.values[series] = amount
        }
        entities[key] = entity
    }
    mutating func see(_ key: Key, at now: UInt64) {
        entities[key]?.lastSeen = now
    }

    private func advance(_ entity: inout Entity, to now: UInt64) {
        let position = now / max(1, rules.window / UInt64(Self.shareCount))
        guard position > entity.position else { return }
        let steps = min(position - entity.position, UInt64(Self.shareCount))
        for step in 0..<steps { entity.shares[Int((position - step) % UInt64(Self.shareCount))] = 0 }
        entity.position = position
    }

    /// Ranks anew; answers who came in and who went out. Forgets those not seen for a window.
    mutating func rank(at now: UInt64) -> Set<Key> {
        for (key, entity) in entities where entity.lastSeen &+ rules.window < now { entities[key] = nil }
        var byGroup: [Int: [Key]] = [:]
        for key in Array(entities.keys) {
            guard var entity = entities.removeValue(forKey: key) else { continue }
            if rules.byIncrease {
                advance(&entity, to: now)
                entity.score = entity.shares.reduce(0, +)
            } else {
                entity.score = entity.values.values.reduce(0, +)
            }
            if !entity.isExempt { byGroup[entity.group, default: []].append(key) }
            entities[key] = entity
        }
        admittedIn = [:]
        var changed: Set<Key> = []
        for (group, keys) in byGroup {
            let chosen = Set(sorted(keys).prefix(rules.k))
            admittedIn[group] = chosen.count
            for key in keys where entities[key]?.isAdmitted != chosen.contains(key) {
                entities[key]?.isAdmitted = chosen.contains(key)
                changed.insert(key)
            }
        }
        let used = Set(entities.values.map(\.group))
        groups = groups.filter { used.contains($0.value) }
        return changed
    }

    /// The best first: those who are in count their margin; equals stand in the order of their names, so that nobody
    /// changes places by chance.
    private func sorted(_ keys: [Key]) -> [Key] {
        let standing = keys.map { key -> (key: Key, score: Double, name: String) in
            let entity = entities[key]
            let factor = entity?.isAdmitted == true ? 1 + rules.margin : 1
            return (
                key, (entity?.score ?? 0) * factor, key.entity.map { $0?.text ?? "" }.joined(separator: "\0")
            )
        }
        return standing.sorted { ($1.score, $0.name) < ($0.score, $1.name) }.map(\.key)
    }
}
