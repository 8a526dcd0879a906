internal import Synchronization

/// Which attribute sets and metric a series is made of, by their slots in the table.
@usableFromInline
struct SeriesKey: Equatable, Sendable, BitwiseCopyable {
    @usableFromInline var resource: UInt32
    @usableFromInline var metric: UInt32
    @usableFromInline var attributes: UInt32
    @inlinable init(resource: UInt32, metric: UInt32, attributes: UInt32) {
        (self.resource, self.metric, self.attributes) = (resource, metric, attributes)
    }
    var hash: UInt64 {
        fold(
            UInt64(resource) << 32 | UInt64(metric) ^ processSeed,
            UInt64(attributes) ^ 0xe703_7ed1_a0b4_28db ^ processSeed >> 7
        )
    }
}

/// The records of a series table, in chunks that never move: written under the table's lock, read without it.
///
/// Sendable, and its reads without a lock are sound, because
/// - a chunk is published by a releasing store of its address and freed only with the whole object;
/// - every field is atomic, and a record is written between two changes of its generation: odd while nobody has the
///   slot, so that a reader which finds one even generation before and after has read one tenant's key.
final class SeriesRecords: @unchecked Sendable {
    struct Record: ~Copyable {
        let generation = Atomic<UInt32>(1)
        let lastSeen = Atomic<UInt32>(0)
        let resource = Atomic<UInt32>(0)
        let metric = Atomic<UInt32>(0)
        let attributes = Atomic<UInt32>(0)
    }
    static let chunkBits = 10
    static let chunkSize = 1 << chunkBits
    private let directory: UnsafeMutablePointer<Atomic<UInt>>
    private let chunkCount: Int
    /// How many slots there may be at most.
    let capacity: Int

    init(capacity: Int) {
        chunkCount = (capacity + Self.chunkSize - 1) / Self.chunkSize
        self.capacity = chunkCount * Self.chunkSize
        directory = .allocate(capacity: chunkCount)
        for index in 0..<chunkCount { (directory + index).initialize(to: Atomic(0)) }
    }
    deinit {
        for index in 0..<chunkCount {
            guard let chunk = chunk(index) else { continue }
            chunk.deinitialize(count: Self.chunkSize)
            chunk.deallocate()
        }
        directory.deinitialize(count: chunkCount)
        directory.deallocate()
    }

    @inline(__always)
    private func chunk(_ index: Int) -> UnsafeMutablePointer<Record>? {
        UnsafeMutablePointer(bitPattern: directory[index].load(ordering: .acquiring))
    }

    /// Makes room for a slot; under the table's lock.
    func prepare(slot: UInt32) {
        let index = Int(slot) >> Self.chunkBits
        guard chunk(index) == nil else { return }
        let chunk = UnsafeMutablePointer<Record>.allocate(capacity: Self.chunkSize)
        for offset in 0..<Self.chunkSize { (chunk + offset).initialize(to: Record()) }
        directory[index].store(UInt(bitPattern: chunk), ordering: .releasing)
    }

    /// Gives a prepared, free slot to a series; under the table's lock.
    func occupy(slot: UInt32, key: SeriesKey, lastSeen: UInt32) -> SeriesID {
        let record = chunk(Int(slot) >> Self.chunkBits)! + (Int(slot) & (Self.chunkSize - 1))
        record.pointee.resource.store(key.resource, ordering: .relaxed)
        record.pointee.metric.store(key.metric, ordering: .relaxed)
        record.pointee.attributes.store(key.attributes, ordering: .relaxed)
        record.pointee.lastSeen.store(lastSeen, ordering: .relaxed)
        let generation = record.pointee.generation.load(ordering: .relaxed) &+ 1
        record.pointee.generation.store(generation, ordering: .releasing)
        return SeriesID(slot: slot, generation: generation)
    }

    /// Takes a slot back from its series; under the table's lock.
    func vacate(slot: UInt32) {
        let record = chunk(Int(slot) >> Self.chunkBits)! + (Int(slot) & (Self.chunkSize - 1))
        record.pointee.generation.add(1, ordering: .sequentiallyConsistent)
    }

    /// The key and id of a slot's tenant; nil where it has none, or was changing.
    @inline(__always)
    func read(slot: UInt32) -> (key: SeriesKey, id: SeriesID)? {
        let index = Int(slot) >> Self.chunkBits
        guard index < chunkCount, let chunk = chunk(index) else { return nil }
        let record = chunk + (Int(slot) & (Self.chunkSize - 1))
        let generation = record.pointee.generation.load(ordering: .acquiring)
        guard generation & 1 == 0 else { return nil }
        let key = SeriesKey(
            resource: record.pointee.resource.load(ordering: .relaxed),
            metric: record.pointee.metric.load(ordering: .relaxed),
            attributes: record.pointee.attributes.load(ordering: .relaxed)
        )
        atomicMemoryFence(ordering: .acquiring)
        guard record.pointee.generation.load(ordering: .relaxed) == generation else { return nil }
        return (key, SeriesID(slot: slot, generation: generation))
    }

    /// Notes that the series was seen, if the id still names it.
    @inline(__always)
    func touch(_ id: SeriesID, at tick: UInt32) -> Bool {
        let index = Int(id.slot) >> Self.chunkBits
        guard index < chunkCount, let chunk = chunk(index) else { return false }
        let record = chunk + (Int(id.slot) & (Self.chunkSize - 1))
        guard record.pointee.generation.load(ordering: .acquiring) == id.generation else { return false }
        record.pointee.lastSeen.store(tick, ordering: .relaxed)
        return true
    }

    /// The records without the object: for loops that would otherwise retain it for each point.
    ///
    /// Whoever keeps a view keeps the table too.
    struct View: @unchecked Sendable {
        fileprivate let directory: UnsafeMutablePointer<Atomic<UInt>>
        fileprivate let chunkCount: Int

        /// The id of the slot's tenant if it has this key, which is noted as seen.
        @inline(__always)
        func recognise(slot: UInt32, key: SeriesKey, at tick: UInt32) -> SeriesID? {
            let index = Int(slot) >> SeriesRecords.chunkBits
            guard index < chunkCount else { return nil }
            let address = directory[index].load(ordering: .acquiring)
            guard let chunk = UnsafeMutablePointer<Record>(bitPattern: address) else { return nil }
            let record = chunk + (Int(slot) & (SeriesRecords.chunkSize - 1))
            let generation = record.pointee.generation.load(ordering: .acquiring)
            guard generation & 1 == 0,
                record.pointee.resource.load(ordering: .relaxed) == key.resource,
                record.pointee.metric.load(ordering: .relaxed) == key.metric,
                record.pointee.attributes.load(ordering: .relaxed) == key.attributes
            else { return nil }
            atomicMemoryFence(ordering: .acquiring)
            guard record.pointee.generation.load(ordering: .relaxed) == generation else { return nil }
            record.pointee.lastSeen.store(tick, ordering: .relaxed)
            return SeriesID(slot: slot, generation: generation)
        }
    }
    var view: View { View(directory: directory, chunkCount: chunkCount) }

    /// When the slot's tenant was last seen.
    func lastSeen(slot: UInt32) -> UInt32 {
        guard let chunk = chunk(Int(slot) >> Self.chunkBits) else { return 0 }
        return chunk[Int(slot) & (Self.chunkSize - 1)].lastSeen.load(ordering: .relaxed)
    }
}
