import PhoenixModel

/// Everything that an endpoint holds; touched by one thread at a time, under the store's lock.
final class HeldPoints {
    /// Names and labels are made by those given at first; what else they say may change.
    var options: ExpositionOptions {
        didSet { expirationTicks = Self.expirationTicks(options) }
    }
    /// In small pages: what a pipeline lets pass lies scattered among what it does not.
    var records = SlotMap<HeldSeries>(vacant: HeldSeries(), pageBits: 5)
    var merged = ContiguousArray<HeldSeries>()
    var freeMerged: [UInt32] = []
    private(set) var compounds = ContiguousArray<CompoundPoint?>()
    /// Where the numbers of each are.
    private(set) var compoundNumbers = ContiguousArray<UnsafeMutablePointer<HeldNumbers>?>()
    var freeCompounds: [UInt32] = []
    let entities: Entities
    var families: FamilyTable
    var index = ChainIndex()
    var merge: CollisionMerge
    var exemplars: ExemplarShelf
    /// When series began; kept only where `_created` is exposed.
    var starts = SlotMap<UInt64>(vacant: 0)
    var counts = ExpositionCounts()
    /// Label sets exposed now.
    var live = 0
    /// Series held: those exposed as they are, and the inputs of merged ones.
    var held = 0
    var cursors: [UInt64: ScrapeCursor] = [:]
    var nextCursor: UInt64 = 1
    /// Where the sweep goes on.
    var sweepFamily: String?
    var sweepPlace = 0
    private(set) var expirationTicks: UInt32
    /// Where what scrapes show is noted, and by slot the time of what was noted last.
    var journal: ExpositionJournal?
    var noted = SlotMap<UInt64>(vacant: 0)
    /// Until when what the process before showed stands where less comes.
    var restoredUntil: UInt32 = 0
    /// The store whose series are still to be taken over.
    var predecessor: Predecessor?

    init(_ options: ExpositionOptions, watchingSince: UInt64) {
        self.options = options
        entities = Entities(options)
        families = FamilyTable(options)
        merge = CollisionMerge(watchingSince: watchingSince)
        exemplars = ExemplarShelf(maximum: options.maximumExemplars)
        expirationTicks = Self.expirationTicks(options)
    }
    private static func expirationTicks(_ options: ExpositionOptions) -> UInt32 {
        UInt32(clamping: max(1, ExpositionStore.tick(options.expiration)))
    }

    // MARK: Records by member key

    subscript(key: UInt32) -> HeldSeries {
        get {
            key & ExposedFamily.mergedBit != 0 ? merged[Int(key & ~ExposedFamily.mergedBit)] : records[key]
        }
        set {
            if key & ExposedFamily.mergedBit != 0 {
                merged[Int(key & ~ExposedFamily.mergedBit)] = newValue
            } else {
                records.element(key).pointee = newValue
            }
        }
    }
    private func hash(_ record: HeldSeries) -> UInt64 {
        pairHash(families.familyOfPlan[Int(record.plan)], record.entity)
    }
    /// The member that shows an entity in a family.
    func member(of family: UInt32, _ entity: UInt32) -> UInt32? {
        var key = index.first(pairHash(family, entity))
        while key != ChainIndex.end {
            let record = self[key]
            if record.entity == entity, families.familyOfPlan[Int(record.plan)] == family { return key }
            key = record.next
        }
        return nil
    }
    /// Adds a record to its family, exposed from now on.
    func join(_ key: UInt32, _ record: HeldSeries) {
        var record = record
        let family = families.plans[Int(record.plan)]!.family!
        if index.isFull {
            for element in index.grow(next: { self[$0].next }) {
                self[element].next = index.insert(element, hash: hash(self[element]))
            }
        }
        record.next = index.insert(key, hash: hash(record))
        record.position = UInt32(family.members.count)
        family.members.append(key)
        family.live += 1
        live += 1
        families.use(record.plan)
        entities.use(record.entity)
        self[key] = record
    }
    /// Takes a member out of its family and frees what only it held.
    func leave(_ key: UInt32) {
        let record = self[key]
        let family = families.plans[Int(record.plan)]!.family!
        unlink(key, record)
        self[key].generation = 0
        family.live -= 1
        live -= 1
        if family.isSparse { compact(family) }
        if record.treatment == .compound || isCompoundMerge(key, record) { freeCompound(record.value) }
        entities.disuse(record.entity)
        families.disuse(record.plan)
        exemplars.remove(key)
        if key & ExposedFamily.mergedBit != 0 {
            let place = key & ~ExposedFamily.mergedBit
            merge.end(place)
            merged[Int(place)] = HeldSeries()
            freeMerged.append(place)
        } else {
            self[key] = HeldSeries()
            held -= 1
        }
    }
    private func unlink(_ key: UInt32, _ record: HeldSeries) {
        index.remove(key, hash: hash(record), next: { self[$0].next }, link: { self[$0].next = $1 })
    }
    func isCompoundMerge(_ key: UInt32, _ record: HeldSeries) -> Bool {
        key & ExposedFamily.mergedBit != 0
            && families.plans[Int(record.plan)]!.treatment == .compound
    }

    /// Closes the gaps in a family's list; scrapes that stand in it are moved along.
    func compact(_ family: ExposedFamily) {
        var kept = ContiguousArray<UInt32>()
        kept.reserveCapacity(family.live)
        var marks = cursors.filter { $0.value.family === family }.map {
            ($0.key, $0.value.place, $0.value.end)
        }
        for (place, key) in family.members.enumerated() {
            for index in marks.indices {
                if marks[index].1 == place { cursors[marks[index].0]!.place = kept.count }
                if marks[index].2 == place { cursors[marks[index].0]!.end = kept.count }
            }
            let record = self[key]
            guard record.position == place, isMember(record, of: family) else { continue }
            self[key].position = UInt32(kept.count)
            kept.append(key)
        }
        for index in marks.indices {
            if marks[index].1 >= family.members.count { cursors[marks[index].0]!.place = kept.count }
            if marks[index].2 >= family.members.count { cursors[marks[index].0]!.end = kept.count }
        }
        marks.removeAll()
        family.members = kept
        // The sweep may look at some twice; it must not skip any.
        if sweepFamily == family.name.family { sweepPlace = 0 }
    }
    @inline(__always)
    func isMember(_ record: HeldSeries, of family: ExposedFamily) -> Bool {
        record.generation != 0 && families.familyOfPlan[Int(record.plan)] == family.id
    }

    // MARK: Points of several numbers

    func hold(_ compound: CompoundPoint) -> UInt64 {
        guard let place = freeCompounds.popLast() else {
            compounds.append(compound)
            compoundNumbers.append(compound.numbers)
            return UInt64(compounds.count - 1)
        }
        (compounds[Int(place)], compoundNumbers[Int(place)]) = (compound, compound.numbers)
        return UInt64(place)
    }
    private func freeCompound(_ place: UInt64) {
        (compounds[Int(place)], compoundNumbers[Int(place)]) = (nil, nil)
        freeCompounds.append(UInt32(place))
    }

    // MARK: Ends

    /// Ends a series, if known at which time: its slot holds nothing afterwards.
    func end(_ slot: UInt32, at time: UInt64 = 0) {
        let record = records[slot]
        switch record.treatment {
        case .refused:
            families.disuse(record.plan)
            records.element(slot).pointee = HeldSeries()
        case .input:
            removeInput(slot, at: time)
            // What others share ends with the last of them.
            if !merge.hasInputs(record.entity) { leave(record.entity | ExposedFamily.mergedBit) }
        case .replace, .add, .compound: leave(slot)
        }
    }
    /// Takes an input out of its merged series: what it added stays, its level does not.
    func removeInput(_ slot: UInt32, at time: UInt64 = 0) {
        let output = records[slot].entity
        families.disuse(records[slot].plan)
        merge.remove(slot)
        records.element(slot).pointee = HeldSeries()
        held -= 1
        if merge.isLevel(output) { showLevel(output, at: time) }
    }
}
