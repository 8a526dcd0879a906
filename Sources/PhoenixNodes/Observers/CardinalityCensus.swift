import PhoenixModel

/// Which series of an intake live, and how many of each metric and each process: exact. How many values each label has:
/// estimated.
///
/// Sixteen bytes a series. Names are held once each, and at most so many: of metrics, processes and labels beyond the bounds
/// only the series are counted.
struct CardinalityCensus: ~Copyable {
    struct Limits: Equatable {
        var metrics = 10_000
        var processes = 50_000
        var labels = 200
    }
    private struct Entry: BitwiseCopyable, Sendable {
        /// Of the series id; 0 where nothing lives.
        var generation: UInt32 = 0
        /// In seconds of the receiver's clock.
        var seen: UInt32 = 0
        var metric: UInt32 = 0
        var process: UInt32 = 0
    }
    private let table: SeriesTable
    private let limits: Limits
    /// What tells a process from another.
    private let process: [AttributeTarget]
    private var entries = SlotMap<Entry>(vacant: Entry())
    private(set) var metrics: NamedCounts
    private(set) var processes: NamedCounts
    private(set) var labels: LabelValues
    /// How many series live, came and went.
    private(set) var count = 0
    private(set) var born: UInt64 = 0
    private(set) var died: UInt64 = 0
    /// The series whose labels are yet to be counted anew.
    private var recount: [SeriesID] = []
    private var lastResource: (set: AttributeSet, attributes: [Attribute])?

    init(_ table: SeriesTable, process: [AttributeTarget], _ limits: Limits = Limits()) {
        (self.table, self.process, self.limits) = (table, process, limits)
        metrics = NamedCounts(limit: limits.metrics)
        processes = NamedCounts(limit: limits.processes)
        labels = LabelValues(limit: limits.labels)
    }

    var byteCount: Int { entries.byteCount + labels.byteCount }

    mutating func take(_ batch: MetricBatch, at seconds: UInt32) {
        see(batch.numbers.series, seconds)
        see(batch.histograms.series, seconds)
        see(batch.exponentials.series, seconds)
        see(batch.summaries.series, seconds)
    }
    private mutating func see(_ ids: [SeriesID], _ seconds: UInt32) {
        for id in ids {
            let entry = entries.element(id.slot)
            if entry.pointee.generation == id.generation {
                entry.pointee.seen = seconds
            } else {
                admit(id, seconds)
            }
        }
    }
    @inline(never)
    private mutating func admit(_ id: SeriesID, _ seconds: UInt32) {
        guard let series = table.series(id) else { return }
        let old = entries[id.slot]
        if old.generation != 0 { leave(old) }
        let attributes = attributes(of: series.resource)
        let point = series.attributes.attributes
        var subject = Subject(resource: attributes, point: point, metric: series.metric.identity)
        let name = process.compactMap { subject.value(of: $0)?.text }
        let number = name.count == process.count ? processes.number(of: name.joined(separator: "/")) : 0
        let metric = metrics.number(of: series.metric.name)
        metrics.add(1, to: metric)
        processes.add(1, to: number)
        for attribute in attributes { labels.note(attribute) }
        for attribute in point { labels.note(attribute) }
        count += 1
        born += 1
        entries.element(id.slot).pointee = Entry(
            generation: id.generation,
            seen: seconds,
            metric: metric,
            process: number
        )
    }
    private mutating func attributes(of resource: AttributeSet) -> [Attribute] {
        if let lastResource, lastResource.set === resource { return lastResource.attributes }
        let attributes = resource.attributes
        lastResource = (resource, attributes)
        return attributes
    }
    private mutating func leave(_ entry: Entry) {
        metrics.add(-1, to: entry.metric)
        processes.add(-1, to: entry.process)
        count -= 1
        died += 1
    }

    /// Lets go of the series that were not seen for `window` seconds.
    mutating func expire(at seconds: UInt32, window: UInt32) {
        var gone: [Entry] = []
        entries.sweep { _, entry in
            guard entry.generation != 0 else { return false }
            let silent = seconds &- entry.seen
            guard silent > window, Int32(bitPattern: silent) > 0 else { return true }
            gone.append(entry)
            entry = Entry()
            return false
        }
        for entry in gone { leave(entry) }
        metrics.forgetEmpty()
        processes.forgetEmpty()
    }
    /// Begins to count the values of labels anew, of the series that live: those of series that are gone count no more.
    mutating func beginRecount() {
        guard recount.isEmpty else { return }
        var ids: [SeriesID] = []
        ids.reserveCapacity(count)
        entries.sweep { slot, entry in
            guard entry.generation != 0 else { return false }
            ids.append(SeriesID(slot: slot, generation: entry.generation))
            return true
        }
        // Taken from the end.
        recount = ids.reversed()
        labels.begin()
    }
    /// Counts the labels of so many series; false when all are counted.
    mutating func recountSlice(_ series: Int) -> Bool {
        var last: AttributeSet?
        for _ in 0..<series {
            guard let id = recount.popLast() else {
                labels.conclude()
                return false
            }
            guard let series = table.series(id) else { continue }
            if last !== series.resource {
                for attribute in series.resource.attributes { labels.noteAgain(attribute) }
            }
            last = series.resource
            for attribute in series.attributes.attributes { labels.noteAgain(attribute) }
        }
        return true
    }
}

/// Counts by name, each under a number; 0 is the number of all that found no room.
struct NamedCounts: Sendable {
    private var numbers: [String: UInt32] = [:]
    private(set) var names: [String] = [""]
    private(set) var counts: [Int] = [0]
    private var free: [UInt32] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func number(of name: String) -> UInt32 {
        if let number = numbers[name] { return number }
        guard numbers.count < limit else { return 0 }
        let number = free.popLast() ?? UInt32(names.count)
        if Int(number) == names.count {
            names.append(name)
            counts.append(0)
        } else {
            names[Int(number)] = name
        }
        numbers[name] = number
        return number
    }
    mutating func add(_ amount: Int, to number: UInt32) { counts[Int(number)] += amount }
    mutating func forgetEmpty() {
        for (name, number) in numbers where counts[Int(number)] == 0 {
            numbers[name] = nil
            names[Int(number)] = ""
            free.append(number)
        }
    }
    /// What has a count, by name; without what found no room.
    var all: [(name: String, count: Int)] { numbers.map { ($0.key, counts[Int($0.value)]) } }
    subscript(name: String) -> Int { numbers[name].map { counts[Int($0)] } ?? 0 }
}

/// How many values each label has, estimated: 4 KB a label.
struct LabelValues: Sendable {
    private var current: [String: HyperLogLog] = [:]
    /// While values are counted anew.
    private var next: [String: HyperLogLog]?
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var byteCount: Int { (current.count + (next?.count ?? 0)) * 4200 }

    /// Notes a value of a series that is new.
    mutating func note(_ attribute: Attribute) {
        let hash = Self.hash(attribute.value)
        Self.insert(hash, attribute.key, &current, limit)
        if next != nil { Self.insert(hash, attribute.key, &next!, limit) }
    }
    /// Notes a value of a series that was counted before.
    mutating func noteAgain(_ attribute: Attribute) {
        guard next != nil else { return }
        Self.insert(Self.hash(attribute.value), attribute.key, &next!, limit)
    }
    private static func hash(_ value: AttributeValue) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(value)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
    private static func insert(
        _ hash: UInt64,
        _ label: String,
        _ values: inout [String: HyperLogLog],
        _ limit: Int
    ) {
        guard values[label] != nil || values.count < limit else { return }
        values[label, default: HyperLogLog()].insert(hash)
    }
    mutating func begin() { next = [:] }
    mutating func conclude() {
        if let next { current = next }
        next = nil
    }
    var estimates: [String: Double] { current.mapValues(\.estimate) }
}
