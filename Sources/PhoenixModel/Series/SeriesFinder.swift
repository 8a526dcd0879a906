/// Finds series for one writer of batches, which sees them again and again in nearly the same order.
///
/// Guesses that a series is the one after the last: that is one comparison, without a lock. Only a wrong guess asks
/// the table. Whatever is found is touched. Belongs to one thread at a time.
public struct SeriesFinder: Sendable {
    private let table: SeriesTable
    private let lane: SeriesLane
    private let records: SeriesRecords.View
    private var previous: UInt32 = 0
    private var tick: UInt32 = 0

    public init(table: SeriesTable, lane: SeriesLane) {
        (self.table, self.lane, records) = (table, lane, table.records.view)
    }

    /// Takes the time of the table's clock for what is found from now on: once for each batch.
    public mutating func beginBatch() { tick = table.tick }

    /// The id of the series that these slots of the table make; nil where the table is full.
    ///
    /// The caller holds the objects that the slots belong to.
    public mutating func find(resource: UInt32, metric: UInt32, attributes: UInt32) -> SeriesID? {
        let key = SeriesKey(resource: resource, metric: metric, attributes: attributes)
        if let id = records.recognise(slot: previous &+ 1, key: key, at: tick) {
            previous &+= 1
            return id
        }
        return ask(key)
    }

    /// The ids of a resource's series, one for each of `parts`, in order; false where the table is full, and then only
    /// some are known.
    ///
    /// `ids` must be as long as `parts`.
    public mutating func find(
        resource: UInt32,
        _ parts: Span<SeriesPart>,
        into ids: inout MutableSpan<SeriesID>
    ) -> Bool {
        var last = previous
        for index in parts.indices {
            let part = parts[index]
            let key = SeriesKey(resource: resource, metric: part.metric, attributes: part.attributes)
            if let id = records.recognise(slot: last &+ 1, key: key, at: tick) {
                last &+= 1
                ids[index] = id
            } else {
                guard let id = ask(key) else { return false }
                last = previous
                ids[index] = id
            }
        }
        previous = last
        return true
    }
    @inline(never)
    private mutating func ask(_ key: SeriesKey) -> SeriesID? {
        guard let id = table.id(key, lane) else { return nil }
        table.touch(id)
        previous = id.slot
        return id
    }
}

/// What a series is made of beside its resource, by slots of the table.
public struct SeriesPart: BitwiseCopyable, Sendable {
    public var metric: UInt32
    public var attributes: UInt32
    public init(metric: UInt32, attributes: UInt32) { (self.metric, self.attributes) = (metric, attributes) }
}
