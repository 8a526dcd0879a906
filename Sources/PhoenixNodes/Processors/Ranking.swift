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
        fileprivate var score = 0.0
    }
    /// An entity's attributes.
    struct Key: Hashable {
        var group: [AttributeValue?]
        var entity: [AttributeValue?]
    }
    /// The window is kept in so many shares; scores are exact to one of them.
    static let shareCount = 20

    /// What was counted of an entity; its shares of the window lie in `shares`, the newest at `position`.
    private struct Tally {
        var position: UInt64 = 0
        var lastSeen: UInt64 = 0
    }
    private(set) var entities: [Key: Entity] = [:]
    private var numbers: [Key: Int] = [:]
    private var freeNumbers: [Int] = []
    private var tallies: [Tally] = []
    private var shares: [Double] = []
    /// The newest value of each of an entity's series, where the value ranks.
    private var values: [Int: [SeriesID: Double]] = [:]
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

    /// The number of an entity's tally, under which points are counted without a look at its name. Valid until the
    /// entity is forgotten.
    mutating func number(of key: Key, at now: UInt64 = 0) -> Int {
        if let number = numbers[key] { return number }
        let number = freeNumbers.popLast() ?? tallies.count
        if number == tallies.count {
            tallies.append(Tally())
            shares += Array(repeating: 0, count: Self.shareCount)
        }
        numbers[key] = number
        tallies[number].lastSeen = now
        return number
    }
    /// Whether the entity has a tally.
    func isKnown(_ key: Key) -> Bool { numbers[key] != nil }
    /// The ranking metric of an entity grew by `amount`, or has a new value.
    mutating func score(_ key: Key, _ series: SeriesID, by amount: Double, at now: UInt64) {
        score(number(of: key), series, by: amount, at: now)
    }
    mutating func score(_ number: Int, _ series: SeriesID, by amount: Double, at now: UInt64) {
        tallies[number].lastSeen = max(tallies[number].lastSeen, now)
        if rules.byIncrease {
            advance(number, to: now)
            shares[number * Self.shareCount + Int(tallies[number].position % UInt64(Self.shareCount))] +=
                amount
        } else {
            values[number, default: [:]][series] = amount
        }
    }
    mutating func see(_ key: Key, at now: UInt64) {
        entities[key]?.lastSeen = now
    }

    private mutating func advance(_ number: Int, to now: UInt64) {
        let position = now / max(1, rules.window / UInt64(Self.shareCount))
        guard position > tallies[number].position else { return }
        let steps = min(position - tallies[number].position, UInt64(Self.shareCount))
        for step in 0..<steps {
            shares[number * Self.shareCount + Int((position - step) % UInt64(Self.shareCount))] = 0
        }
        tallies[number].position = position
    }
    /// Forgets entities and tallies that were not seen for a window.
    private mutating func forget(at now: UInt64) {
        for (key, number) in numbers {
            let lastSeen = max(entities[key]?.lastSeen ?? 0, tallies[number].lastSeen)
            guard lastSeen &+ rules.window < now else { continue }
            entities[key] = nil
            numbers[key] = nil
            values[number] = nil
            tallies[number] = Tally()
            for share in number * Self.shareCount..<(number + 1) * Self.shareCount { shares[share] = 0 }
            freeNumbers.append(number)
        }
        for (key, entity) in entities where numbers[key] == nil && entity.lastSeen &+ rules.window < now {
            entities[key] = nil
        }
    }

    /// Ranks anew; answers who came in and who went out. Forgets those not seen for a window.
    mutating func rank(at now: UInt64) -> Set<Key> {
        forget(at: now)
        var byGroup: [Int: [Key]] = [:]
        for key in Array(entities.keys) {
            guard var entity = entities.removeValue(forKey: key) else { continue }
            let number = number(of: key)
            if rules.byIncrease {
                advance(number, to: now)
                entity.score = shares[number * Self.shareCount..<(number + 1) * Self.shareCount].reduce(0, +)
            } else {
                entity.score = values[number]?.values.reduce(0, +) ?? 0
            }
            entity.lastSeen = max(entity.lastSeen, tallies[number].lastSeen)
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
