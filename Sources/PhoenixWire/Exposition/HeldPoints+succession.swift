public import PhoenixModel

/// A series with what is held of it, on its way to another store.
struct HeldSample {
    enum Value {
        case number(Number)
        case compound(CompoundPoint)
    }
    var id: SeriesID
    var value: Value
    /// When the stream began; 0 where that is not held.
    var start: UInt64
    var time: UInt64
    /// When the newest point came, in ticks of the store's clock.
    var seen: UInt32
}

/// The store before, while its series are taken over bit by bit.
struct Predecessor {
    let store: ExpositionStore
    /// The slots of all that it held, and how many of them have been looked at.
    let slots: [UInt32]
    var done = 0
}

extension HeldPoints {
    /// The slots of all series held.
    var slots: [UInt32] {
        var slots: [UInt32] = []
        records.sweep { slot, record in
            if record.generation != 0, record.treatment != .refused { slots.append(slot) }
            return record.generation != 0
        }
        return slots
    }
    /// What is held of the series in some slots; of those that share a label set what each said last.
    func samples(_ slots: ArraySlice<UInt32>) -> [HeldSample] {
        slots.compactMap { slot in
            let record = records[slot]
            guard record.generation != 0 else { return nil }
            let id = SeriesID(slot: slot, generation: record.generation)
            switch record.treatment {
            case .refused: return nil
            case .input:
                guard let input = merge.inputs[slot], input.time != 0 else { return nil }
                return HeldSample(
                    id: id,
                    value: input.compound.map { .compound($0.copy()) } ?? .number(input.number),
                    start: input.start,
                    time: input.time,
                    seen: record.seen
                )
            case .replace, .add, .compound:
                guard record.time != 0 else { return nil }
                var sample = HeldSample(
                    id: id,
                    value: .number(record.number),
                    start: options.sendsCreated ? starts[slot] : 0,
                    time: record.time,
                    seen: record.seen
                )
                if record.treatment == .compound, let point = compounds[Int(record.value)] {
                    (sample.value, sample.start) = (.compound(point.copy()), point.start)
                }
                return sample
            }
        }
    }

    /// Holds a series as another store did, unless something newer came meanwhile; what adds up goes on from there.
    func adopt(_ sample: HeldSample, _ table: SeriesTable) {
        guard admit(sample.id, table, sample.seen) else { return }
        let record = records.element(sample.id.slot)
        let isFirst = record.pointee.time == 0
        let isNewer = record.pointee.time < sample.time
        switch (record.pointee.treatment, sample.value) {
        case (.replace, .number(let number)):
            guard isNewer else { return }
            record.pointee.number = number
            if options.sendsCreated { starts.element(sample.id.slot).pointee = sample.start }
        case (.add, .number(let number)):
            record.pointee.number = isFirst ? number : number + record.pointee.number
            if options.sendsCreated { starts.element(sample.id.slot).pointee = sample.start }
        case (.compound, .compound(let point)):
            let held = compounds[Int(record.pointee.value)]!
            let isDelta = families.plans[Int(record.pointee.plan)]!.isDelta
            if isFirst || (!isDelta && isNewer) {
                held.replace(with: point)
            } else if isDelta, point.add(held) {
                held.replace(with: point)
            } else {
                return
            }
        case (.input, let value): return adoptInput(sample, value)
        default: return
        }
        record.pointee.time = max(record.pointee.time, sample.time)
        record.pointee.seen = max(record.pointee.seen, sample.seen)
    }
    /// Whether a point is passed over, for it tells less than the process before showed: its sender goes on from an earlier
    /// moment, and will be there again. Not if the stream began anew since.
    func holdsBack(_ record: HeldSeries, _ isBelow: Bool, start: UInt64, _ tick: UInt32) -> Bool {
        guard isBelow, start != 0, start < record.time, tick < restoredUntil else { return false }
        counts.heldBack &+= 1
        return true
    }
    private func adoptInput(_ sample: HeldSample, _ value: HeldSample.Value) {
        guard let known = merge.inputs[sample.id.slot], known.time < sample.time else { return }
        switch value {
        case .number(let number):
            add(sample.id.slot, number, start: sample.start, time: sample.time, sample.seen)
        case .compound(let point):
            let law = families.plans[Int(records[sample.id.slot].plan)]!.law
            add(sample.id.slot, point, sample.time, law, sample.seen)
        }
    }
}

/// A store takes the place of another.
extension ExpositionStore {
    /// Takes options under which every series reads as before; false, and nothing changed, for others.
    public func change(_ options: ExpositionOptions) -> Bool {
        held.withLock { held in
            guard held.options.readsLike(options) else { return false }
            held.options = options
            return true
        }
    }
    /// Will take over what another store holds, to show it under this one's names and labels. Nothing of it is shown here
    /// before `takeOver` has come to it.
    public func succeed(_ other: ExpositionStore) {
        let (slots, counts, journal) = other.held.withLock { ($0.slots, $0.counts, $0.journal) }
        held.withLock { held in
            held.predecessor = Predecessor(store: other, slots: slots)
            (held.counts, held.journal) = (counts, journal)
        }
    }
    /// Takes over some of what the store before held; true when nothing is left. Bounded work a call.
    public func takeOver(_ table: SeriesTable, limit: Int = 1 << 12) -> Bool {
        held.withLock { held in
            guard var predecessor = held.predecessor else { return true }
            let next = min(predecessor.done + limit, predecessor.slots.count)
            let samples = predecessor.store.held.withLock {
                $0.samples(predecessor.slots[predecessor.done..<next])
            }
            for sample in samples { held.adopt(sample, table) }
            predecessor.done = next
            held.predecessor = next < predecessor.slots.count ? predecessor : nil
            return held.predecessor == nil
        }
    }
    func end(_ id: SeriesID, _ time: UInt64) { held.withLock { $0.endByPoint(id, time) } }
}
