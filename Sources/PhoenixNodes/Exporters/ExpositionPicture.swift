import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// What an exporter shows, to be written while it goes on: each series with the value that it has when its turn comes.
///
/// A series does not depend on another, so no moment need be held still.
struct ExpositionPicture: StatePicture {
    private let store: ExpositionStore
    private let table: SeriesTable
    private let time: any TimeSource
    init(_ store: ExpositionStore, _ table: SeriesTable, now time: any TimeSource) {
        (self.store, self.table, self.time) = (store, table, time)
    }

    func write(to writer: inout StateWriter) throws {
        writer.write(time.unixNanoseconds)
        try store.write(to: &writer, table, now: time.monotonic)
    }
    static func read(
        _ reader: inout StateReader,
        _ options: ExpositionOptions,
        _ table: SeriesTable,
        now time: any TimeSource
    ) throws -> ExpositionStore {
        let (now, then) = (time.unixNanoseconds, try reader.number())
        let store = ExpositionStore(options, watchingSince: now)
        let age = Duration.nanoseconds(Int64(clamping: now - min(now, then)))
        try store.read(from: &reader, table, now: time.monotonic, age: age)
        return store
    }
}
