import PhoenixModel

/// Who of each group is among the first K: exact over a sliding window, and slow to change its mind.
///
/// An entity is known by the values of its key attributes, and by a number as long as it is remembered. Its score is what
/// the ranking metric grew in the window, or its newest value. One who is in stays in until a challenger beats it by the
/// margin. Everything by number lies in columns of plain values; the names are held once each.
struct Ranking: ~Copyable {
    struct Rules: Sendable, Equatable {
        var k = 10
        /// By how much a challenger must win, as a share: 0.1 is a tenth.
        var margin = 0.1
        /// In nanoseconds.
        var window: UInt64 = 300_000_000_000
        /// For how long an entity is remembered after its last point; at least for a window.
        var memory: UInt64 = 0
        var byIncrease = true
    }
    /// What tells an entity from all others, and the group in which it is ranked.
    struct Key: Sendable, Hashable {
        var name: AttributeSet
        var group: AttributeSet
    }
    struct State: OptionSet, BitwiseCopyable, Sendable {
        let rawValue: UInt8
        /// Somebody asked for its place: it takes part.
        static let isPlaced = State(rawValue: 1)
        /// It is in, by its score.
        static let isAdmitted = State(rawValue: 2)
        /// It is in whatever its score.
        static let isExempt = State(rawValue: 4)
    }
    struct Entity: BitwiseCopyable, Sendable {
        var lastSeen: UInt64 = 0
        /// The window's share that is being filled, counted from 1970.
        var position: UInt64 = 0
        /// The share in which the ranking metric last grew.
        var grownAt: UInt64 = 0
        var score = 0.0
        var group: UInt32 = 0
        /// How many of its group stand before it: by their scores, and those new since the last ranking as they came.
        var place: UInt32 = 0
        var state: State = []
    }
    /// One who takes part in a ranking.
    struct Entrant: BitwiseCopyable, Sendable {
        var number: UInt32
        var score: Double
    }
    /// The window is kept in so many shares; scores are exact to one of them.
    static let shareCount = 20

    private var entities = SlotMap<Entity>(vacant: Entity())
    /// What each entity's metric grew by in the shares of the window, `shareCount` for each; single precision, since it
    /// is only compared.
    private var shares = SlotMap<Float>(vacant: 0)
    private var names: [AttributeSet?] = []
    private var numbers = SlotIndex()
    private var freeNumbers: [UInt32] = []
    private var groups: [AttributeSet: UInt32] = [:]
    private var freeGroups: [Int] = []
    private var admittedIn: [Int] = []
    /// How many of each group have a place.
    private var placedIn: [UInt32] = []
    private(set) var rules: Rules
    /// The K of all modes: who moves across one would change place in that mode.
    var cuts: [Int] = []

    init(_ rules: Rules) { self.rules = rules }

    /// Goes on by other rules. What was gained counts on in another window, and is past once that has gone by.
    mutating func change(to rules: Rules, at now: UInt64) {
        let hasTurned = rules.window != self.rules.window
        // By the window of before: what is past in it must not come back.
        if hasTurned { for index in names.indices { advance(UInt32(index), to: now) } }
        self.rules = rules
        guard hasTurned else { return }
        let position = position(at: now)
        for index in names.indices {
            let entity = entities.element(UInt32(index))
            (entity.pointee.position, entity.pointee.grownAt) = (position, position)
        }
    }

    /// How many entities are remembered.
    var count: Int { numbers.count }
    /// Who is in.
    var admitted: [AttributeSet] {
        names.enumerated().compactMap { number, name in
            let state = entities[UInt32(number)].state
            return state.isDisjoint(with: [.isAdmitted, .isExempt]) ? nil : name
        }
    }
    func name(of number: UInt32) -> AttributeSet? { names[Int(number)] }

    /// The number of an entity; valid until it is forgotten.
    mutating func number(of key: Key, at now: UInt64) -> UInt32 {
        let group = group(key.group)
        if let known = find(key.name, in: group) { return known }
        let number = freeNumbers.popLast() ?? UInt32(names.count)
        if Int(number) == names.count { names.append(key.name) } else { names[Int(number)] = key.name }
        entities.element(number).pointee = Entity(lastSeen: now, group: group)
        numbers.insert(number, hash: Self.hash(key.name)) { Self.hash(names[Int($0)]) }
        return number
    }
    private func find(_ name: AttributeSet, in group: UInt32) -> UInt32? {
        numbers.find(Self.hash(name)) { names[Int($0)] == name && entities[$0].group == group }
    }
    private static func hash(_ name: AttributeSet?) -> UInt64 {
        UInt64(bitPattern: Int64(name?.hashValue ?? 0))
    }
    private mutating func group(_ name: AttributeSet) -> UInt32 {
        if let group = groups[name] { return group }
        let group = freeGroups.popLast() ?? admittedIn.count
        if group == admittedIn.count {
            admittedIn.append(0)
            placedIn.append(0)
        } else {
            (admittedIn[group], placedIn[group]) = (0, 0)
        }
        groups[name] = UInt32(group)
        return UInt32(group)
    }

    /// Whether the entity is in. One that nobody asked for comes in where its group has room, else it must first win.
    mutating func admits(_ number: UInt32, isExempt: Bool) -> Bool {
        let entity = entities.element(number)
        if isExempt { entity.pointee.state.insert(.isExempt) } else { entity.pointee.state.remove(.isExempt) }
        if !entity.pointee.state.contains(.isPlaced) {
            entity.pointee.state.insert(.isPlaced)
            let group = Int(entity.pointee.group)
            entity.pointee.place = isExempt ? .max : placedIn[group]
            if !isExempt { placedIn[group] += 1 }
            if !isExempt, admittedIn[group] < rules.k {
                admittedIn[group] += 1
                entity.pointee.state.insert(.isAdmitted)
            }
        }
        return isExempt || entity.pointee.state.contains(.isAdmitted)
    }
    /// Whether the entity would be in with another K, as the ranking stands.
    func foresees(_ key: Key, isExempt: Bool, k: Int) -> Bool {
        if isExempt { return true }
        guard let group = groups[key.group], let number = find(key.name, in: group) else { return false }
        let entity = entities[number]
        return entity.state.contains(.isPlaced) && !entity.state.contains(.isExempt) && Int(entity.place) < k
    }
    /// A point of the entity came.
    @inline(__always)
    mutating func see(_ number: UInt32, at now: UInt64) {
        let entity = entities.element(number)
        if now > entity.pointee.lastSeen { entity.pointee.lastSeen = now }
    }
    /// The ranking metric of an entity grew by `amount`.
    mutating func grow(_ number: UInt32, by amount: Double, at now: UInt64) {
        advance(number, to: now)
        let entity = entities.element(number)
        entity.pointee.grownAt = entity.pointee.position
        let share = entity.pointee.position % UInt64(Self.shareCount)
        shares.element(number * UInt32(Self.shareCount) + UInt32(share)).pointee += Float(amount)
    }
    private func position(at now: UInt64) -> UInt64 { now / max(1, rules.window / UInt64(Self.shareCount)) }
    private mutating func advance(_ number: UInt32, to now: UInt64) {
        let position = position(at: now)
        let entity = entities.element(number)
        guard position > entity.pointee.position else { return }
        let steps = min(position - entity.pointee.position, UInt64(Self.shareCount))
        for step in 0..<steps {
            let share = (position - step) % UInt64(Self.shareCount)
            shares.element(number * UInt32(Self.shareCount) + UInt32(share)).pointee = 0
        }
        entity.pointee.position = position
    }

    /// Ranks anew; answers who came in and who went out, now or in another mode. `values` are the newest values of the
    /// entities' series, where those rank.
    mutating func rank(at now: UInt64, values: [(number: UInt32, value: Double)] = []) -> Set<UInt32> {
        var members = [[UInt32]](repeating: [], count: admittedIn.count)
        for index in names.indices where names[index] != nil {
            let number = UInt32(index)
            let score = rules.byIncrease ? increase(of: number, at: now) : 0
            let entity = entities.element(number)
            entity.pointee.score = score
            guard entity.pointee.state.contains(.isPlaced), !entity.pointee.state.contains(.isExempt) else {
                continue
            }
            members[Int(entity.pointee.group)].append(number)
        }
        for (number, value) in values { entities.element(number).pointee.score += value }
        var changed: Set<UInt32> = []
        for (group, numbers) in members.enumerated() {
            var standing = best(numbers)
            admittedIn[group] = min(standing.count, rules.k)
            placedIn[group] = UInt32(numbers.count)
            for (place, entrant) in standing.enumerated() { settle(entrant.number, at: place, &changed) }
            // Nobody asks in which order the others stand: they are behind every K there is.
            guard standing.count < numbers.count else { continue }
            standing.sort { $0.number < $1.number }
            for number in numbers where !standing.holds(number) { settle(number, at: places, &changed) }
        }
        return changed
    }
    /// What the ranking metric of an entity grew by in the window; one that did nothing in it costs a look.
    private mutating func increase(of number: UInt32, at now: UInt64) -> Double {
        guard entities[number].grownAt + UInt64(Self.shareCount) > position(at: now) else { return 0 }
        advance(number, to: now)
        let first = number * UInt32(Self.shareCount)
        return (first..<first + UInt32(Self.shareCount)).reduce(0) { $0 + Double(shares[$1]) }
    }
    /// How many places are told apart: those that matter for the K of any mode.
    private var places: Int { max(rules.k, cuts.max() ?? 0) }

    private mutating func settle(_ number: UInt32, at place: Int, _ changed: inout Set<UInt32>) {
        let entity = entities.element(number)
        let before = Int(entity.pointee.place)
        entity.pointee.place = UInt32(place)
        if cuts.contains(where: { (before < $0) != (place < $0) }) { changed.insert(number) }
        guard entity.pointee.state.contains(.isAdmitted) != (place < rules.k) else { return }
        entity.pointee.state.formSymmetricDifference(.isAdmitted)
        changed.insert(number)
    }

    /// The first of a group, the best before the others, as many as there are `places`: those who are in count their margin;
    /// equals stand in the order of their names, so that nobody changes places by chance.
    ///
    /// A heap with the last of them on top: who is no better, as nearly all are, costs one comparison.
    private func best(_ numbers: [UInt32]) -> [Entrant] {
        var heap = BoundedHeap<Entrant>(limit: places)
        for number in numbers {
            let entity = entities[number]
            let score = entity.score * (entity.state.contains(.isAdmitted) ? 1 + rules.margin : 1)
            heap.offer(Entrant(number: number, score: score)) { stands($0, before: $1) }
        }
        return heap.elements.sorted { stands($0, before: $1) }
    }
    private func stands(_ left: Entrant, before right: Entrant) -> Bool {
        if left.score != right.score { return left.score > right.score }
        guard let first = names[Int(left.number)], let second = names[Int(right.number)] else { return false }
        return first.precedes(second)
    }

    /// Forgets entities that were not seen for as long as they are remembered, and answers their numbers.
    mutating func forget(at now: UInt64) -> Set<UInt32> {
        var gone: Set<UInt32> = []
        var used: Set<UInt32> = []
        for (index, name) in names.enumerated() where name != nil {
            let number = UInt32(index)
            let entity = entities[number]
            guard entity.lastSeen &+ max(rules.window, rules.memory) < now else {
                used.insert(entity.group)
                continue
            }
            numbers.remove(number, hash: Self.hash(name)) { Self.hash(names[Int($0)]) }
            names[index] = nil
            entities.element(number).pointee = Entity()
            let first = number * UInt32(Self.shareCount)
            for share in first..<first + UInt32(Self.shareCount) { shares.element(share).pointee = 0 }
            freeNumbers.append(number)
            gone.insert(number)
        }
        for (name, group) in groups where !used.contains(group) {
            groups[name] = nil
            freeGroups.append(Int(group))
        }
        return gone
    }

    // MARK: For the next process

    /// All that is known of one entity.
    struct Entry: Sendable {
        var key: Key
        var entity: Entity
        /// In the order of their places in the column.
        var shares: [Double]
    }
    var entries: [Entry] {
        let groupNames = Dictionary(uniqueKeysWithValues: groups.map { ($0.value, $0.key) })
        return names.enumerated().compactMap { index, name in
            let number = UInt32(index)
            guard let name, let group = groupNames[entities[number].group] else { return nil }
            let first = number * UInt32(Self.shareCount)
            return Entry(
                key: Key(name: name, group: group),
                entity: entities[number],
                shares: (first..<first + UInt32(Self.shareCount)).map { Double(shares[$0]) }
            )
        }
    }
    /// Remembers an entity as it was, its place included; its shares only where they were of the same length.
    ///
    /// What was written by a clock that was ahead of ours was now: else it would stand still until we are there.
    mutating func restore(_ entry: Entry, window: UInt64, at now: UInt64) {
        let number = number(of: entry.key, at: min(entry.entity.lastSeen, now))
        let entity = entities.element(number)
        entity.pointee.state = entry.entity.state
        entity.pointee.place = entry.entity.place
        if entry.entity.state.contains(.isPlaced), !entry.entity.state.contains(.isExempt) {
            placedIn[Int(entity.pointee.group)] += 1
            if entry.entity.state.contains(.isAdmitted) { admittedIn[Int(entity.pointee.group)] += 1 }
        }
        guard entry.shares.count == Self.shareCount, window == rules.window else { return }
        let position = min(entry.entity.position, self.position(at: now))
        // No later than that it grew.
        (entity.pointee.position, entity.pointee.grownAt) = (position, position)
        let first = number * UInt32(Self.shareCount)
        for (place, share) in entry.shares.enumerated() {
            shares.element(first + UInt32(place)).pointee = Float(share)
        }
    }
}

extension [Ranking.Entrant] {
    /// Whether one of that number is among them, who stand in the order of their numbers.
    fileprivate func holds(_ number: UInt32) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low].number == number
    }
}
