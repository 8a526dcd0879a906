/// A hash index from contents to slots, which holds nothing but the slots: open addressing, linear probing.
///
/// The contents stay where the slots point; callers give the hash and compare. Four bytes a place, at most four fifths
/// full.
public struct SlotIndex: Sendable {
    private static let vacant = UInt32.max
    private var places: [UInt32]
    public private(set) var count = 0

    public init() { places = Array(repeating: Self.vacant, count: 16) }

    private var mask: Int { places.count - 1 }
    /// What the index holds in memory, in bytes.
    var byteCount: Int { places.count * 4 }

    /// The slot whose contents have this hash and satisfy `isMatch`.
    @inline(__always)
    public func find(_ hash: UInt64, where isMatch: (UInt32) -> Bool) -> UInt32? {
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] != Self.vacant {
            if isMatch(places[place]) { return places[place] }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Adds a slot that is not yet in the index.
    public mutating func insert(_ slot: UInt32, hash: UInt64, hashOf: (UInt32) -> UInt64) {
        if (count + 1) * 5 > places.count * 4 { grow(hashOf: hashOf) }
        place(slot, hash)
        count += 1
    }

    /// Removes a slot and closes the gap, so that probing needs no tombstones.
    public mutating func remove(_ slot: UInt32, hash: UInt64, hashOf: (UInt32) -> UInt64) {
        var gap = Int(truncatingIfNeeded: hash) & mask
        while places[gap] != slot {
            if places[gap] == Self.vacant { return }
            gap = (gap + 1) & mask
        }
        count -= 1
        var next = (gap + 1) & mask
        while places[next] != Self.vacant {
            let home = Int(truncatingIfNeeded: hashOf(places[next])) & mask
            // The entry may move into the gap unless its home lies cyclically after the gap.
            if (next &- home) & mask >= (next &- gap) & mask {
                places[gap] = places[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        places[gap] = Self.vacant
    }

    private mutating func grow(hashOf: (UInt32) -> UInt64) {
        let old = places
        places = Array(repeating: Self.vacant, count: old.count * 2)
        for slot in old where slot != Self.vacant { place(slot, hashOf(slot)) }
    }
    private mutating func place(_ slot: UInt32, _ hash: UInt64) {
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] != Self.vacant { place = (place + 1) & mask }
        places[place] = slot
    }
}
