internal import Synchronization

/// What a series is: the attributes of its resource, its metric, and the attributes of its points.
public struct Series: Sendable, Hashable {
    /// The id under which it was asked for; no part of what it is.
    public let id: SeriesID
    public let resource: AttributeSet
    public let metric: Metric
    public let attributes: AttributeSet
    public static func == (left: Self, right: Self) -> Bool {
        left.metric.identity == right.metric.identity && left.resource == right.resource
            && left.attributes == right.attributes
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(metric.hash)
        hasher.combine(resource)
        hasher.combine(attributes)
    }
}

extension Series {
    /// A hash of the series with other attributes, and of this metric or of another one: equal for equal ones, as long as
    /// the process lives.
    public func fingerprint(
        metric other: MetricIdentity? = nil,
        resource: AttributeSet,
        attributes: AttributeSet
    ) -> UInt64 {
        let metricHash = other.map(Metric.hash) ?? metric.hash
        let first = fold(resource.fingerprint ^ processSeed, metricHash ^ 0x8ebc_6af0_9c88_c6e3)
        return fold(first ^ 0xa076_1d64_78bd_642f, attributes.fingerprint ^ 0x5899_65cc_7537_4cc3)
    }
}

/// Every series that the engine knows, under a dense id: one table for all nodes, and it outlives reloads.
///
/// Identity is factored: a series is three slots (resource attributes, metric with its scope, point attributes), each
/// held once. Appending takes a lock; recognising a series does not. A series that nobody touches for `idleSeconds`
/// is retired: first it can no longer be found by its contents, a minute later its slot goes to the next
/// one under a new generation, so that what is still under way can be told apart.
public final class SeriesTable: Sendable {
    /// What the table holds, for metrics and tests.
    public struct Census: Sendable, Equatable {
        public var series = 0
        public var attributeSets = 0
        public var metrics = 0
        /// Series retired since the start.
        public var retired: UInt64 = 0
        /// Series refused since the start because the table was full.
        public var refused: UInt64 = 0
    }
    private struct State {
        var sets = Interner<AttributeSet>()
        var metrics = Interner<Metric>()
        var index = SlotIndex()
        var lanes: [Lane] = [Lane()]
        var laneNames: [String: Int] = ["": 0]
        /// Which lane a chunk of slots belongs to.
        var laneOfChunk: [Int] = []
        /// Retired, not yet reusable: each with the tick from which it is.
        var quarantine: [(slot: UInt32, from: UInt32)] = []
        var sweepAt = 0
        var setsSweepAt = 0
        var metricsSweepAt = 0
        var census = Census()
    }
    let records: SeriesRecords
    private let state: Lock<State>
    private let now = Atomic<UInt32>(1)
    /// How long a series may be silent before it is retired, in ticks of a second.
    public let idleSeconds: UInt32
    private static let quarantineSeconds: UInt32 = 60

    /// A table for at most `capacity` series alive at once.
    public init(capacity: Int = 1 << 24, idleSeconds: UInt32 = 900) {
        records = SeriesRecords(capacity: capacity)
        self.idleSeconds = idleSeconds
        var state = State()
        let empty = state.sets.intern(AttributeSet.empty.hash, where: { _ in false }) {
            AttributeSet(.empty, slot: $0)
        }
        state.sets.use(empty.slot)
        self.state = Lock(state)
    }

    /// The table's coarse clock in seconds; whoever runs the table moves it.
    public var tick: UInt32 { now.load(ordering: .relaxed) }

    /// The slot of the set without attributes, in every table.
    public static var emptySetSlot: UInt32 { 0 }

    // MARK: Recognising and adding

    /// This table's object for a set of attributes.
    public func intern(_ attributes: [Attribute]) -> AttributeSet {
        attributes.isEmpty ? state.withLock { $0.sets[0] } : intern(AttributeSet(attributes))
    }
    /// This table's object for an equal set.
    public func intern(_ set: AttributeSet) -> AttributeSet {
        state.withLock { state in
            state.sets.intern(set.hash, where: { $0 == set }) { AttributeSet(set, slot: $0) }
        }
    }
    /// This table's metric of an identity; of the descriptions offered it keeps the longest.
    public func metric(_ identity: MetricIdentity, description: String = "") -> Metric {
        metric(identity, MetricNotes(description: description))
    }
    /// This table's metric of an identity, with what a sender says of it.
    public func metric(_ identity: MetricIdentity, _ notes: MetricNotes) -> Metric {
        let hash = Metric.hash(identity)
        let metric = state.withLock { state in
            state.metrics.intern(hash, where: { $0.identity == identity }) {
                Metric(identity, notes, slot: $0, hash: hash)
            }
        }
        metric.offer(notes)
        return metric
    }
    /// This table's metric of another identity that a metric gets, with what is said of it; the metric itself without one.
    public func metric(_ metric: Metric, as identity: MetricIdentity?) -> Metric {
        guard let identity else { return metric }
        return self.metric(identity, metric.said)
    }
    /// Where somebody's new series get their slots: whoever adds series names a lane, so that what came together lies
    /// together and state by slot stays dense. The same name is the same lane.
    public func lane(_ name: String) -> SeriesLane {
        state.withLock { state in
            if let lane = state.laneNames[name] { return SeriesLane(index: lane) }
            state.lanes.append(Lane())
            state.laneNames[name] = state.lanes.count - 1
            return SeriesLane(index: state.lanes.count - 1)
        }
    }
    /// The id of a series made of this table's objects; nil where the table is full.
    public func id(
        resource: AttributeSet,
        metric: Metric,
        attributes: AttributeSet,
        lane: SeriesLane = .shared
    ) -> SeriesID? {
        id(SeriesKey(resource: resource.slot, metric: metric.slot, attributes: attributes.slot), lane)
    }
    func id(_ key: SeriesKey, _ lane: SeriesLane) -> SeriesID? {
        state.withLock { state in
            if let slot = state.index.find(key.hash, where: { self.records.read(slot: $0)?.key == key }),
                let id = self.records.read(slot: slot)?.id
            {
                return id
            }
            return self.add(key, to: &state, lane: lane.index)
        }
    }
    private func add(_ key: SeriesKey, to state: inout State, lane: Int) -> SeriesID? {
        guard let slot = state.lanes[lane].free.popFirst() ?? fresh(&state, lane: lane) else {
            state.census.refused += 1
            return nil
        }
        state.sets.use(key.resource)
        state.sets.use(key.attributes)
        state.metrics.use(key.metric)
        let id = records.occupy(slot: slot, key: key, lastSeen: tick)
        state.index.insert(slot, hash: key.hash) { self.records.read(slot: $0)!.key.hash }
        return id
    }

    /// A slot that nobody has had, from the lane's chunk or a new one.
    private func fresh(_ state: inout State, lane: Int) -> UInt32? {
        if state.lanes[lane].next == state.lanes[lane].end {
            let first = state.laneOfChunk.count * SeriesRecords.chunkSize
            guard first < records.capacity else { return nil }
            state.laneOfChunk.append(lane)
            records.prepare(slot: UInt32(first))
            state.lanes[lane].next = UInt32(first)
            state.lanes[lane].end = UInt32(first + SeriesRecords.chunkSize)
        }
        state.lanes[lane].next += 1
        return state.lanes[lane].next - 1
    }

    /// What an id names; nil for one that is stale.
    public func series(_ id: SeriesID) -> Series? {
        state.withLock { state in
            guard let (key, current) = self.records.read(slot: id.slot), current == id else { return nil }
            return Series(
                id: id,
                resource: state.sets[key.resource],
                metric: state.metrics[key.metric],
                attributes: state.sets[key.attributes]
            )
        }
    }

    /// Keeps the objects that a series is made of in their slots until `letGo`, also while the series is retired.
    func keep(_ key: SeriesKey) {
        state.withLock { state in
            state.sets.use(key.resource)
            state.sets.use(key.attributes)
            state.metrics.use(key.metric)
        }
    }
    func keep(_ keys: [SeriesKey]) {
        state.withLock { state in
            for key in keys {
                state.sets.use(key.resource)
                state.sets.use(key.attributes)
                state.metrics.use(key.metric)
            }
        }
    }
    func letGo(_ keys: [SeriesKey]) {
        state.withLock { state in
            for key in keys {
                state.sets.disuse(key.resource)
                state.sets.disuse(key.attributes)
                state.metrics.disuse(key.metric)
            }
        }
    }
    /// The series of a key that somebody keeps.
    func series(kept key: SeriesKey) -> Series {
        state.withLock { state in
            Series(
                id: .none,
                resource: state.sets[key.resource],
                metric: state.metrics[key.metric],
                attributes: state.sets[key.attributes]
            )
        }
    }

    // MARK: Keeping alive, letting go

    /// Keeps a series from being retired for another `idleSeconds`; false for a stale id.
    @discardableResult
    public func touch(_ id: SeriesID) -> Bool { records.touch(id, at: tick) }

    /// Whether the id still names its series; takes no lock.
    public func isCurrent(_ id: SeriesID) -> Bool { records.read(slot: id.slot)?.id == id }

    /// Moves the clock and retires what was idle; bounded work, to be called once a second.
    public func advance(to tick: UInt32) {
        now.store(tick, ordering: .relaxed)
        state.withLock { state in
            release(&state, at: tick)
            retire(&state, at: tick)
            state.setsSweepAt = state.sets.sweep(from: state.setsSweepAt, limit: 1 << 16)
            state.metricsSweepAt = state.metrics.sweep(from: state.metricsSweepAt, limit: 1 << 12)
        }
    }
    private func release(_ state: inout State, at tick: UInt32) {
        var kept: [(slot: UInt32, from: UInt32)] = []
        for entry in state.quarantine {
            guard entry.from <= tick else {
                kept.append(entry)
                continue
            }
            guard let key = records.read(slot: entry.slot)?.key else { continue }
            // Someone recognised it while it was in quarantine: it lives on, unless its contents got another slot.
            if records.lastSeen(slot: entry.slot) &+ Self.quarantineSeconds >= tick {
                if state.index.find(key.hash, where: { self.records.read(slot: $0)?.key == key }) == nil {
                    state.index.insert(entry.slot, hash: key.hash) { self.records.read(slot: $0)!.key.hash }
                } else {
                    kept.append((entry.slot, tick + Self.quarantineSeconds))
                }
                continue
            }
            state.sets.disuse(key.resource)
            state.sets.disuse(key.attributes)
            state.metrics.disuse(key.metric)
            records.vacate(slot: entry.slot)
            state.lanes[state.laneOfChunk[Int(entry.slot) >> SeriesRecords.chunkBits]].free.append(entry.slot)
            state.census.retired += 1
        }
        state.quarantine = kept
    }
    private func retire(_ state: inout State, at tick: UInt32) {
        let used = state.laneOfChunk.count * SeriesRecords.chunkSize
        guard used > 0, tick > idleSeconds else { return }
        // The whole table in about a tenth of the idle time, so that a retirement is late by 10 % at most.
        let share = used / max(1, Int(idleSeconds / 10)) + 1024
        let first = state.sweepAt < used ? state.sweepAt : 0
        let last = min(first + share, used)
        for slot in UInt32(first)..<UInt32(last) {
            guard records.lastSeen(slot: slot) &+ idleSeconds < tick, let key = records.read(slot: slot)?.key
            else { continue }
            // A slot in quarantine is no longer in the index: it is not retired twice.
            guard state.index.find(key.hash, where: { $0 == slot }) != nil else { continue }
            state.index.remove(slot, hash: key.hash) { self.records.read(slot: $0)!.key.hash }
            state.quarantine.append((slot, tick + Self.quarantineSeconds))
        }
        // At the end of what there is now: a table that grows every second would else never be swept from its beginning.
        state.sweepAt = last < used ? last : 0
    }

    /// What the table holds now.
    public var census: Census {
        state.withLock { state in
            var census = state.census
            census.series = state.index.count
            (census.attributeSets, census.metrics) = (state.sets.count, state.metrics.count)
            return census
        }
    }
}

/// Where somebody's new series get their slots.
public struct SeriesLane: Sendable, Hashable {
    /// The lane of those who named none.
    public static let shared = Self(index: 0)
    let index: Int
}

private struct Lane: Sendable {
    var next: UInt32 = 0
    var end: UInt32 = 0
    var free = SlotQueue()
}

/// Free slots, the longest free first: batches of series that came together go on lying together.
private struct SlotQueue: Sendable {
    private var slots: [UInt32] = []
    private var head = 0
    mutating func append(_ slot: UInt32) { slots.append(slot) }
    mutating func popFirst() -> UInt32? {
        guard head < slots.count else { return nil }
        let slot = slots[head]
        head += 1
        if head > 4096, head * 2 > slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return slot
    }
}
