import PhoenixModel
import Testing

@testable import PhoenixWire

/// What an endpoint shows goes on in the next process, and never falls.
@Suite struct ExpositionStateTests {
    private final class Bytes { var all: [UInt8] = [] }
    private final class Journal: StateJournal {
        private let bytes = Lock(Bytes())
        private let writer: Lock<StateWriter>
        init() throws {
            let bytes = bytes
            var writer = try StateWriter { piece in bytes.withLock { $0.all += piece } }
            try writer.beginSection()
            self.writer = Lock(writer)
        }
        func append(_ body: (inout StateWriter) throws -> Void) {
            writer.withLock { writer in
                do {
                    try body(&writer)
                    try writer.flush()
                } catch { Issue.record(error) }
            }
        }
        var all: [UInt8] { bytes.withLock { $0.all } }
    }
    private static func source(_ bytes: [UInt8]) -> StateReader.Source {
        var rest = bytes[...]
        return { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }
    private static func saved(_ store: ExpositionStore, _ table: SeriesTable, now: Duration) throws -> [UInt8]
    {
        let bytes = Bytes()
        var writer = try StateWriter { bytes.all += $0 }
        try writer.beginSection()
        try store.write(to: &writer, table, now: now)
        try writer.finish()
        return bytes.all
    }
    private static func restored(
        _ bytes: [UInt8],
        _ table: SeriesTable,
        now: Duration,
        age: Duration = .zero,
        journal: [UInt8]? = nil
    ) throws -> ExpositionStore {
        let store = ExpositionStore()
        var reader = try StateReader(source(bytes))
        _ = try reader.nextSection()
        try store.read(from: &reader, table, now: now, age: age)
        if let journal {
            var reader = try StateReader(source(journal))
            // It breaks off where the process did.
            #expect(throws: StateError.self) {
                guard try reader.nextSection() else { return }
                try store.read(journal: &reader, table, now: now)
            }
        }
        return store
    }
    private static func lines(_ store: ExpositionStore, now: Duration) -> [String] {
        String(decoding: store.scrape(.text, now: now).all(), as: UTF8.self)
            .split(separator: "\n").map(String.init).filter {
                !$0.hasPrefix("#") && !$0.hasPrefix("target_info")
            }
    }
    private static func sum(
        _ table: SeriesTable,
        _ name: String,
        _ value: Int64,
        time: UInt64,
        start: UInt64 = 1,
        temporality: Temporality = .cumulative
    ) throws -> MetricBatch {
        var parts = MetricBatch.Parts()
        let identity = MetricIdentity(name: name, kind: .sum, temporality: temporality, isMonotonic: true)
        let id = table.id(
            resource: table.intern([Attribute("service.name", "s")]),
            metric: table.metric(identity),
            attributes: table.intern([Attribute("k", "v")])
        )
        parts.numbers.append(
            try #require(id),
            time: time,
            start: start,
            bits: UInt64(bitPattern: value),
            flags: .isInteger
        )
        return MetricBatch(parts)
    }

    @Test func countersAndAccumulatedDeltasGoOn() throws {
        let (old, new) = (SeriesTable(), SeriesTable())
        let store = ExpositionStore()
        store.ingest(try Self.sum(old, "total", 7, time: 10), old, now: .seconds(1))
        for time in 1...3 as ClosedRange<UInt64> {
            let batch = try Self.sum(
                old,
                "delta",
                5,
                time: time * 10,
                start: time * 10 - 9,
                temporality: .delta
            )
            store.ingest(batch, old, now: .seconds(1))
        }
        let before = Self.lines(store, now: .seconds(2))
        _ = try Self.sum(new, "other", 1, time: 1)
        let next = try Self.restored(try Self.saved(store, old, now: .seconds(2)), new, now: .seconds(2))
        #expect(Self.lines(next, now: .seconds(2)) == before)
        next.ingest(
            try Self.sum(new, "delta", 2, time: 50, start: 40, temporality: .delta),
            new,
            now: .seconds(3)
        )
        #expect(
            Self.lines(next, now: .seconds(3)).contains { $0.hasPrefix("delta_total") && $0.hasSuffix(" 17") }
        )
    }
    @Test func lessThanWasShownIsHeldBackUnlessTheStreamBeganAnew() throws {
        let (old, new) = (SeriesTable(), SeriesTable())
        let store = ExpositionStore()
        store.ingest(try Self.sum(old, "total", 100, time: 100), old, now: .seconds(1))
        let bytes = try Self.saved(store, old, now: .seconds(1))
        func shown(_ batches: [MetricBatch]) throws -> String? {
            let next = try Self.restored(bytes, new, now: .seconds(1))
            for batch in batches { next.ingest(batch, new, now: .seconds(2)) }
            return Self.lines(next, now: .seconds(2)).first { $0.hasPrefix("total") }?.split(separator: " ")
                .last
                .map(String.init)
        }
        let (below, above) = (
            try Self.sum(new, "total", 90, time: 110), try Self.sum(new, "total", 101, time: 120)
        )
        #expect(try shown([below]) == "100")
        #expect(try shown([below, above]) == "101")
        // Once it has been overtaken the series is as any other.
        #expect(try shown([above, try Self.sum(new, "total", 3, time: 130)]) == "3")
        #expect(try shown([try Self.sum(new, "total", 4, time: 110, start: 105)]) == "4")
    }
    @Test func whatWasScrapedSinceIsInTheJournal() throws {
        let (old, new) = (SeriesTable(), SeriesTable())
        let store = ExpositionStore()
        store.ingest(try Self.sum(old, "total", 100, time: 100), old, now: .seconds(1))
        let bytes = try Self.saved(store, old, now: .seconds(1))
        let journal = try Journal()
        store.note(in: journal, old)
        store.ingest(try Self.sum(old, "total", 120, time: 120), old, now: .seconds(2))
        store.ingest(try Self.sum(old, "young", 5, time: 120), old, now: .seconds(2))
        let before = Self.lines(store, now: .seconds(2))
        store.ingest(try Self.sum(old, "total", 125, time: 125), old, now: .seconds(3))
        let next = try Self.restored(bytes, new, now: .seconds(3), journal: journal.all)
        #expect(Self.lines(next, now: .seconds(3)) == before)
        // Cut off anywhere it does no harm.
        for length in stride(from: 8, to: journal.all.count, by: 7) {
            let next = try Self.restored(
                bytes,
                new,
                now: .seconds(3),
                journal: Array(journal.all.prefix(length))
            )
            #expect(Self.lines(next, now: .seconds(3)).contains { $0.hasPrefix("total") })
        }
    }
    @Test func whatHasExpiredMeanwhileIsNotShown() throws {
        let (old, new) = (SeriesTable(), SeriesTable())
        let store = ExpositionStore()
        store.ingest(try Self.sum(old, "total", 100, time: 100), old, now: .seconds(1))
        let bytes = try Self.saved(store, old, now: .seconds(1))
        let next = try Self.restored(bytes, new, now: .seconds(1000), age: .seconds(301))
        #expect(Self.lines(next, now: .seconds(1000)).isEmpty)
    }

    /// A processor before the endpoint keeps it; here, as docs/state.md says, it begins anew.
    @Test func whatSharesALabelSetIsNotKept() throws {
        let (fixture, new) = (ExpositionFixture(watchingSince: 1), SeriesTable())
        for pid in 1...2 as ClosedRange<Int64> {
            let resource = [Attribute("pid", .int(pid))]
            let (wait, queue) = (
                fixture.series("wait", kind: .summary, resource: resource),
                fixture.series("queue", kind: .sum, monotonic: false, resource: resource)
            )
            fixture.put(summary: wait, count: 3, sum: 1, [], at: 10, start: 5)
            fixture.put(queue, 4, at: 10)
        }
        #expect(Self.lines(fixture.store, now: .zero) == ["queue 8", "wait_sum 2", "wait_count 6"])
        let bytes = try Self.saved(fixture.store, fixture.table, now: .zero)
        #expect(Self.lines(try Self.restored(bytes, new, now: .zero), now: .zero).isEmpty)
    }

    @Test func anHeirWithOtherNamesShowsWhatWasHeld() throws {
        let table = SeriesTable()
        let store = ExpositionStore()
        store.ingest(try Self.sum(table, "total", 7, time: 10), table, now: .seconds(1))
        store.ingest(try Self.sum(table, "delta", 5, time: 10, temporality: .delta), table, now: .seconds(1))
        var options = ExpositionOptions()
        options.namespace = "new"
        let heir = ExpositionStore(options)
        #expect(!store.change(options))
        heir.succeed(store)
        // A point comes before its series is taken over.
        heir.ingest(
            try Self.sum(table, "delta", 2, time: 20, start: 10, temporality: .delta),
            table,
            now: .seconds(2)
        )
        while !heir.takeOver(table, limit: 1) {}
        let values = Self.lines(heir, now: .seconds(2)).map {
            "\($0.prefix { $0 != "{" }) \($0.split(separator: " ").last ?? "")"
        }
        #expect(values.sorted() == ["new_delta_total 7", "new_total 7"])
    }
    @Test func whatReadsTheSameChangesInPlace() throws {
        let store = ExpositionStore()
        var options = ExpositionOptions()
        (options.expiration, options.maximumSeries, options.sendsTimestamps) = (.seconds(5), 10, true)
        #expect(store.change(options))
        #expect(store.options == options)
    }
}
