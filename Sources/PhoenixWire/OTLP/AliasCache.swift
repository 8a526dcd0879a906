import Glibc
import PhoenixModel

/// What bytes of a sender mean: raw encodings that were seen before, each with what was made of it.
///
/// Telemetry repeats in order, so each entry remembers which came after it: the guess costs one comparison of bytes and no
/// hash. A miss hashes, with the seed of the process, and compares all the same: senders choose the bytes. Belongs
/// to one decoder, on one event loop. Bounded: past `maximumBytes` it starts anew.
struct AliasCache<Meaning> {
    private struct Entry {
        var start: UnsafeMutablePointer<UInt8>
        var count: Int
        var hash: UInt64
        /// Tells apart equal bytes that mean different things in different surroundings.
        var context: UInt64
        /// The entry that came after this one last time.
        var next: Int32
        /// The slot of the meaning in the series table, so that the hot path touches no object.
        var slot: UInt32
    }
    /// No entry: before the first of a request.
    static var none: Int32 { -1 }

    private var entries: [Entry] = []
    private(set) var meanings: [Meaning] = []
    private var index: [Int32] = Array(repeating: -1, count: 64)
    private var byteCount = 0
    private let maximumBytes: Int
    /// Grows by one each time the cache starts anew: entry numbers from before mean nothing then.
    private(set) var age = 0

    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    var count: Int { entries.count }
    /// The slot that the entry's meaning has in the series table.
    @inline(__always)
    func slot(of entry: Int32) -> UInt32 { entries[Int(entry)].slot }

    /// The entry of these bytes, guessed from the one before.
    @inline(__always)
    mutating func find(
        _ start: UnsafePointer<UInt8>,
        _ count: Int,
        context: UInt64,
        after previous: Int32
    ) -> Int32? {
        if previous >= 0 {
            let guess = entries[Int(previous)].next
            if guess >= 0, matches(guess, start, count, context) { return guess }
        }
        return lookUp(start, count, context, after: previous)
    }
    /// How many bytes the entry has that came after `previous` last time, if these bytes begin with its own; else 0.
    @inline(__always)
    func lengthOfExpected(after previous: Int32, atStartOf start: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard previous >= 0 else { return 0 }
        let guess = entries[Int(previous)].next
        guard guess >= 0 else { return 0 }
        let entry = entries[Int(guess)]
        return entry.count <= count && memcmp(entry.start, start, entry.count) == 0 ? entry.count : 0
    }
    @inline(__always)
    private func matches(
        _ entry: Int32,
        _ start: UnsafePointer<UInt8>,
        _ count: Int,
        _ context: UInt64
    ) -> Bool {
        let entry = entries[Int(entry)]
        return entry.count == count && entry.context == context && memcmp(entry.start, start, count) == 0
    }
    @inline(never)
    private mutating func lookUp(
        _ start: UnsafePointer<UInt8>,
        _ count: Int,
        _ context: UInt64,
        after previous: Int32
    ) -> Int32? {
        let hash = foldHash(UnsafeRawPointer(start), count, seed: processSeed ^ context)
        var place = Int(truncatingIfNeeded: hash) & (index.count - 1)
        while index[place] >= 0 {
            let found = index[place]
            if entries[Int(found)].hash == hash, matches(found, start, count, context) {
                if previous >= 0 { entries[Int(previous)].next = found }
                return found
            }
            place = (place + 1) & (index.count - 1)
        }
        return nil
    }

    /// Adds bytes that `find` did not know, and answers their entry.
    mutating func add(
        _ start: UnsafePointer<UInt8>,
        _ count: Int,
        context: UInt64,
        after previous: Int32,
        _ meaning: Meaning,
        slot: UInt32 = 0
    ) -> Int32 {
        var previous = previous
        if byteCount + count + 64 > maximumBytes, !entries.isEmpty {
            removeAll()
            previous = Self.none
        }
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
        copy.update(from: start, count: count)
        let hash = foldHash(UnsafeRawPointer(start), count, seed: processSeed ^ context)
        let number = Int32(entries.count)
        entries.append(Entry(start: copy, count: count, hash: hash, context: context, next: -1, slot: slot))
        meanings.append(meaning)
        byteCount += count + 64
        if entries.count * 2 > index.count { grow() } else { place(number, hash) }
        if previous >= 0 { entries[Int(previous)].next = number }
        return number
    }
    private mutating func grow() {
        index = Array(repeating: -1, count: index.count * 2)
        for (number, entry) in entries.enumerated() { place(Int32(number), entry.hash) }
    }
    private mutating func place(_ number: Int32, _ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash) & (index.count - 1)
        while index[place] >= 0 { place = (place + 1) & (index.count - 1) }
        index[place] = number
    }

    /// Forgets everything, and lets go of what the meanings hold.
    mutating func removeAll() {
        for entry in entries { entry.start.deallocate() }
        entries.removeAll()
        meanings.removeAll()
        index = Array(repeating: -1, count: 64)
        byteCount = 0
        age += 1
    }
}
