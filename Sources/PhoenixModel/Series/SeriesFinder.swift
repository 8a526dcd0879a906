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
    @inline(never)
    private mutating func ask(_ key: SeriesKey) -> SeriesID? {
        guard let id = table.id(key, lane) else { return nil }
        table.touch(id)
        previous = id.slot
        return id
    }
}
