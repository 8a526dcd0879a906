import Glibc
import PhoenixModel

/// What the lines of one target mean: the bytes of each name with its labels, and what was made of them.
///
/// A target sends the same lines again and again in one order, so each line remembers which came after it: the guess
/// costs one comparison of bytes. A miss hashes with the seed of the process, and compares all the same: targets choose
/// the bytes. Bounded by what two scrapes send: lines that are gone are let go of once they are the greater part, those
/// that only a refused scrape held as soon as it is refused. The memory is given back by `free`; the owner answers for
/// calling it.
struct LineCache {
    struct Line {
        fileprivate var start: UnsafeMutablePointer<UInt8>
        fileprivate var count: Int
        fileprivate var hash: UInt64
        fileprivate var next: Int32 = -1
        /// The scrape that held the line last.
        var seen: UInt32 = 0
        /// What was made of it.
        var meaning: SampleMeaning
    }
    private(set) var lines: [Line] = []
    private var index: [Int32] = Array(repeating: -1, count: 64)
    /// Before the first line of a scrape.
    static var none: Int32 { -1 }

    var count: Int { lines.count }
    subscript(line: Int32) -> Line {
        @inline(__always) get { lines.withUnsafeBufferPointer { $0[Int(line)] } }
    }
    @inline(__always)
    mutating func see(_ line: Int32, _ scrape: UInt32) {
        lines.withUnsafeMutableBufferPointer { $0[Int(line)].seen = scrape }
    }
    mutating func change(_ line: Int32, to meaning: SampleMeaning) { lines[Int(line)].meaning = meaning }

    /// The line that came after `previous` last time, if these bytes begin with it; and its length.
    @inline(__always)
    func expected(
        after previous: Int32,
        atStartOf start: UnsafePointer<UInt8>,
        _ left: Int
    ) -> (line: Int32, count: Int)? {
        lines.withUnsafeBufferPointer { lines in
            guard previous >= 0 else { return nil }
            let guess = lines[Int(previous)].next
            guard guess >= 0 else { return nil }
            let (count, bytes) = (lines[Int(guess)].count, lines[Int(guess)].start)
            guard count < left, memcmp(bytes, start, count) == 0 else { return nil }
            // A name without labels may be the beginning of a longer one, or have its braces behind a blank.
            if bytes[count - 1] != .closeBrace {
                guard start[count] == .space, count + 1 < left, start[count + 1] > .space,
                    start[count + 1] != .openBrace
                else { return nil }
            }
            return (guess, count)
        }
    }
    mutating func find(_ start: UnsafePointer<UInt8>, _ count: Int, after previous: Int32) -> Int32? {
        let hash = foldHash(UnsafeRawPointer(start), count, seed: processSeed)
        var place = Int(truncatingIfNeeded: hash) & (index.count - 1)
        while index[place] >= 0 {
            let found = index[place]
            let line = lines[Int(found)]
            if line.hash == hash, line.count == count, memcmp(line.start, start, count) == 0 {
                follow(previous, by: found)
                return found
            }
            place = (place + 1) & (index.count - 1)
        }
        return nil
    }
    private mutating func follow(_ previous: Int32, by line: Int32) {
        if previous >= 0 { lines[Int(previous)].next = line }
    }

    /// Adds a line that `find` did not know.
    mutating func add(
        _ start: UnsafePointer<UInt8>,
        _ count: Int,
        after previous: Int32,
        _ meaning: SampleMeaning
    ) -> Int32 {
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
        copy.update(from: start, count: count)
        let hash = foldHash(UnsafeRawPointer(start), count, seed: processSeed)
        let number = Int32(lines.count)
        lines.append(Line(start: copy, count: count, hash: hash, meaning: meaning))
        if lines.count * 2 > index.count {
            rebuildIndex(index.count * 2)
        } else {
            place(number, hash)
        }
        follow(previous, by: number)
        return number
    }
    private mutating func rebuildIndex(_ size: Int) {
        index = Array(repeating: -1, count: size)
        for (number, line) in lines.enumerated() { place(Int32(number), line.hash) }
    }
    private mutating func place(_ number: Int32, _ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash) & (index.count - 1)
        while index[place] >= 0 { place = (place + 1) & (index.count - 1) }
        index[place] = number
    }

    /// Lets go of the lines that the scrape did not hold, once they are the greater part. Line numbers change.
    mutating func prune(to scrape: UInt32, seen: Int) {
        guard lines.count > seen * 2 + 256 else { return }
        var kept: [Line] = []
        kept.reserveCapacity(seen)
        for var line in lines {
            guard line.seen == scrape else {
                line.start.deallocate()
                continue
            }
            line.next = -1
            kept.append(line)
        }
        hold(kept)
    }
    /// Lets go of the lines that were added behind the first `count`.
    mutating func removeAll(behind count: Int) {
        guard lines.count > count else { return }
        for line in lines[count...] { line.start.deallocate() }
        // Another array: the room that a scrape of any size took is given back.
        var kept = Array(lines[..<count])
        for line in kept.indices where Int(kept[line].next) >= count { kept[line].next = -1 }
        hold(kept)
    }
    private mutating func hold(_ kept: [Line]) {
        lines = kept
        var size = 64
        while size < lines.count * 4 { size *= 2 }
        rebuildIndex(size)
    }
    /// Gives all memory back.
    mutating func free() {
        for line in lines { line.start.deallocate() }
        lines = []
        index = Array(repeating: -1, count: 64)
    }
}
