/// A hash index over elements that hold the links themselves: an array of heads, up to four elements each.
///
/// One to two bytes an element, since memory counts and look-ups happen at first sight only.
struct ChainIndex {
    static let end = UInt32.max
    private(set) var heads = [UInt32](repeating: end, count: 16)
    private(set) var count = 0

    private func bucket(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 20) & (heads.count - 1) }

    func first(_ hash: UInt64) -> UInt32 { heads[bucket(hash)] }
    /// Whether the next insertion wants `rebuild` first.
    var isFull: Bool { count >= heads.count * 4 }

    /// Puts an element first in its chain; answers the one that it must link to.
    mutating func insert(_ element: UInt32, hash: UInt64) -> UInt32 {
        let bucket = bucket(hash)
        defer { heads[bucket] = element }
        count += 1
        return heads[bucket]
    }
    /// Takes an element out of its chain, by the links that `next` reads and `link` writes.
    mutating func remove(
        _ element: UInt32,
        hash: UInt64,
        next: (UInt32) -> UInt32,
        link: (_ from: UInt32, _ to: UInt32) -> Void
    ) {
        let bucket = bucket(hash)
        count -= 1
        guard heads[bucket] != element else {
            heads[bucket] = next(element)
            return
        }
        var current = heads[bucket]
        while current != Self.end {
            let following = next(current)
            if following == element { return link(current, next(element)) }
            current = following
        }
    }
    /// Every element, before the heads are made anew; they must be inserted again.
    mutating func grow(next: (UInt32) -> UInt32) -> [UInt32] {
        var elements: [UInt32] = []
        elements.reserveCapacity(count)
        for head in heads {
            var current = head
            while current != Self.end {
                elements.append(current)
                current = next(current)
            }
        }
        heads = [UInt32](repeating: Self.end, count: heads.count * 4)
        count = 0
        return elements
    }
}

/// Mixes two small numbers of our own; not for what senders choose.
@inline(__always)
func pairHash(_ left: UInt32, _ right: UInt32) -> UInt64 {
    let product = (UInt64(left) << 32 | UInt64(right) ^ 0x9e37_79b9_7f4a_7c15)
        .multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
    return product.high ^ product.low
}
