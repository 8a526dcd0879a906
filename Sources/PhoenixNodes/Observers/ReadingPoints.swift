import PhoenixModel

/// Readings as points: gauges, and counters where the name ends in `_total`; the same reading is the same series.
///
/// A reading that is not repeated ends its series at once.
struct ReadingPoints {
    private struct Key: Hashable {
        var name: String
        var attributes: [String: String]
    }
    private struct Entry {
        var id: SeriesID
        var report: UInt64
    }
    private let table: SeriesTable
    private let lane: SeriesLane
    private let scope: Scope
    private let start: UInt64
    private var entries: [Key: Entry] = [:]
    private var report: UInt64 = 0

    /// `start` is when the counters began, in nanoseconds since 1970.
    init(_ table: SeriesTable, lane: String, since start: UInt64) {
        (self.table, self.start) = (table, start)
        self.lane = table.lane(lane)
        scope = Scope(name: "phoenix.observer")
    }

    /// The points of a report; nil where there are none.
    mutating func batch(_ readings: [Observation.Reading], at now: UInt64) -> MetricBatch? {
        report += 1
        var parts = MetricBatch.Parts()
        for reading in readings {
            let key = Key(name: reading.name, attributes: reading.attributes)
            guard entries[key]?.report != report, let id = series(key) else { continue }
            entries[key] = Entry(id: id, report: report)
            let isCounter = reading.name.hasSuffix("_total")
            parts.numbers.append(
                id,
                time: now,
                start: isCounter ? min(start, now) : 0,
                bits: reading.value.bitPattern,
                flags: []
            )
        }
        for (key, entry) in entries where entry.report != report {
            parts.numbers.append(entry.id, time: now, start: 0, bits: 0, flags: .noRecordedValue)
            entries[key] = nil
        }
        return parts.count > 0 ? MetricBatch(parts) : nil
    }

    private func series(_ key: Key) -> SeriesID? {
        if let known = entries[key]?.id, table.touch(known) { return known }
        let isCounter = key.name.hasSuffix("_total")
        let identity = MetricIdentity(
            scope: scope,
            name: isCounter ? String(key.name.dropLast(6)) : key.name,
            kind: isCounter ? .sum : .gauge,
            temporality: isCounter ? .cumulative : .unspecified,
            isMonotonic: isCounter
        )
        let attributes = key.attributes.sorted { $0.key < $1.key }.map { Attribute($0.key, $0.value) }
        return table.id(
            resource: table.intern([]),
            metric: table.metric(identity),
            attributes: table.intern(attributes),
            lane: lane
        )
    }
}
