import PhoenixModel

/// The host or one of its processes, as what bears series: which it has, since when, and what they were last.
///
/// Knows neither files nor tasks. What is not read again ends; a counter that falls starts anew.
struct HostEntity: Sendable {
    /// When a series begins that comes after the first report.
    enum Beginnings: Sendable {
        /// With its bearer: a process has all its counters from its start.
        case withBearer
        /// Within the last interval: a device that was not there before.
        case sinceLastReport
    }
    fileprivate struct Key: Hashable {
        var name: String
        var attributes: [Attribute]
    }
    fileprivate struct Entry: Sendable {
        var id: SeriesID
        var scraper: HostScraper
        var start: UInt64
        var time: UInt64
        var value: HostReading.Value
        var report: UInt64
    }
    /// Of the resource.
    private(set) var attributes: [Attribute]
    /// When its counters began, in nanoseconds since 1970.
    let start: UInt64
    private let beginnings: Beginnings
    private var entries: [Key: Entry] = [:]
    private var lastReports: [HostScraper: UInt64] = [:]
    private var report: UInt64 = 0

    init(_ attributes: [Attribute], start: UInt64, _ beginnings: Beginnings) {
        (self.attributes, self.start, self.beginnings) = (attributes, start, beginnings)
    }

    /// Where the points of entities go.
    struct Destination {
        let table: SeriesTable
        let lane: SeriesLane
        var parts = MetricBatch.Parts()
        /// Points without a series: the table was full.
        var refused = 0

        init(_ table: SeriesTable, lane: String) { (self.table, self.lane) = (table, table.lane(lane)) }
    }

    /// Appends all that one scraper read; of what it told before and tells no more, that it ended.
    mutating func append(
        _ readings: [HostReading],
        of scraper: HostScraper,
        at now: UInt64,
        to destination: inout Destination
    ) {
        report += 1
        for reading in readings {
            let key = Key(name: reading.instrument.name, attributes: reading.attributes)
            guard var entry = current(key, reading, scraper, now, destination) else {
                destination.refused += 1
                continue
            }
            entry.take(reading, at: now)
            (entry.report, entry.scraper) = (report, scraper)
            entries[key] = entry
            destination.parts.numbers.append(
                entry.id,
                time: now,
                start: reading.instrument.shape == .gauge ? 0 : min(entry.start, now),
                bits: entry.value.bits,
                flags: entry.value.flags
            )
        }
        let current = report
        end(at: now, &destination) { $0.scraper == scraper && $0.report != current }
        lastReports[scraper] = now
    }
    /// Says of all series that they ended.
    mutating func end(at now: UInt64, to destination: inout Destination) {
        end(at: now, &destination) { _ in true }
    }

    private mutating func end(
        at now: UInt64,
        _ destination: inout Destination,
        _ isOver: (Entry) -> Bool
    ) {
        // In the order in which they came, so that the same world gives the same batches.
        let over = entries.filter { isOver($0.value) }
        for (key, entry) in over.sorted(by: { $0.value.id.slot < $1.value.id.slot }) {
            destination.parts.numbers.append(
                entry.id,
                time: now,
                start: 0,
                bits: 0,
                flags: .noRecordedValue
            )
            entries[key] = nil
        }
    }

    /// The entry of a series, with an id that holds; nil where the table is full.
    private func current(
        _ key: Key,
        _ reading: HostReading,
        _ scraper: HostScraper,
        _ now: UInt64,
        _ destination: Destination
    ) -> Entry? {
        let table = destination.table
        if let known = entries[key], table.touch(known.id) { return known }
        let id = table.id(
            resource: table.intern(attributes),
            metric: table.metric(
                reading.instrument.identity,
                description: reading.instrument.description
            ),
            attributes: table.intern(reading.attributes),
            lane: destination.lane
        )
        guard let id else { return nil }
        if var known = entries[key] {
            known.id = id
            return known
        }
        let start = beginnings == .withBearer ? start : lastReports[scraper] ?? start
        return Entry(id: id, scraper: scraper, start: start, time: now, value: reading.value, report: 0)
    }
}

extension HostEntity.Entry {
    /// The next value: of a counter that fell, either a correction of the kernel's, which is overlooked, or a new start.
    fileprivate mutating func take(_ reading: HostReading, at now: UInt64) {
        let fall = reading.instrument.shape == .counter ? reading.value.fall(from: value) : 0
        if fall > reading.instrument.jitter { start = time }
        if fall == 0 || fall > reading.instrument.jitter { value = reading.value }
        time = now
    }
}
