public import PhoenixModel

/// A store is written for the next process, and read.
extension ExpositionStore {
    /// Writes what adds up: counters, histograms and summaries. Gauges are told anew soon, or are no longer true. The lock is
    /// taken for a slice of the series at a time.
    public func write(to writer: inout StateWriter, _ table: SeriesTable, now: Duration) throws {
        // What is still with the store before is this one's.
        while !takeOver(table) {}
        let (slots, clock) = (held.withLock { $0.slots }, Self.clock(now))
        for first in stride(from: 0, to: slots.count, by: 1 << 10) {
            let slice = slots[first..<min(first + 1 << 10, slots.count)]
            for sample in held.withLock({ $0.lasting($0.samples(slice)) }) {
                guard let series = table.series(sample.id) else { continue }
                writer.write(true)
                writer.write(clock - min(clock, sample.seen))
                sample.write(series, to: &writer)
                try writer.settle()
            }
        }
        writer.write(false)
    }
    /// Reads what was written `age` ago. Series that are shown already go on from it; none is shown below it until it has
    /// expired.
    public func read(
        from reader: inout StateReader,
        _ table: SeriesTable,
        now: Duration,
        age: Duration
    ) throws {
        let (clock, gone) = (Self.clock(now), UInt64(max(0, Self.tick(age))))
        held.withLock { $0.restoredUntil = clock &+ $0.expirationTicks }
        while try reader.flag() {
            let (silent, overflow) = try reader.number().addingReportingOverflow(gone)
            guard let sample = try HeldSample.read(&reader, table), !overflow else { continue }
            held.withLock { $0.restore(sample, silent: silent, clock, table) }
        }
    }
    /// Notes in a journal what scrapes show from now on.
    public func note(in journal: any StateJournal, _ table: SeriesTable) {
        held.withLock { $0.journal = .init(journal: journal, table: table) }
    }
    /// Adds what scrapes showed after the rest was written. Throws where the journal breaks off.
    public func read(journal reader: inout StateReader, _ table: SeriesTable, now: Duration) throws {
        let clock = Self.clock(now)
        while try reader.flag() {
            guard let sample = try HeldSample.read(&reader, table) else { continue }
            held.withLock { $0.restore(sample, silent: 0, clock, table) }
        }
    }
}

/// Where what scrapes show is noted, and by which names.
struct ExpositionJournal {
    let journal: any StateJournal
    let table: SeriesTable
}

extension HeldPoints {
    /// Holds what the process before held of a series, as long ago as that is.
    func restore(_ sample: HeldSample, silent: UInt64, _ clock: UInt32, _ table: SeriesTable) {
        guard silent < UInt64(expirationTicks) else { return }
        var sample = sample
        sample.seen = UInt32(clamping: max(1, Int64(clock) - Int64(clamping: silent)))
        let slot = sample.id.slot
        // What adds up here was shown as it stood: a later word of it is in place of the earlier one, not beside it.
        if records[slot].generation == sample.id.generation, records[slot].treatment != .replace {
            guard records[slot].time < sample.time else { return }
            end(slot)
        }
        adopt(sample, table)
        guard records[slot].generation == sample.id.generation else { return }
        records.element(slot).pointee.isRestored = true
    }
    /// Notes what a scrape shows of some members, so far as it is news.
    func note(_ family: ExposedFamily, _ places: Range<Int>) {
        guard let journal, family.type == .counter || family.type == .histogram || family.type == .summary
        else { return }
        let news = family.members[places].filter { key in
            key & ExposedFamily.mergedBit == 0 && noted[key] != records[key].time
        }
        guard !news.isEmpty else { return }
        for key in news { noted.element(key).pointee = records[key].time }
        let samples = samples(ArraySlice(news))
        journal.journal.append { writer in
            for sample in samples {
                guard let series = journal.table.series(sample.id) else { continue }
                writer.write(true)
                sample.write(series, to: &writer)
                try writer.settle()
            }
        }
    }
    /// Those that add up. Of those that share a label set none: they begin anew.
    func lasting(_ samples: [HeldSample]) -> [HeldSample] {
        samples.filter { sample in
            let record = records[sample.id.slot]
            guard record.treatment != .input, let family = families.plans[Int(record.plan)]?.family else {
                return false
            }
            return family.type == .counter || family.type == .histogram || family.type == .summary
        }
    }
}
