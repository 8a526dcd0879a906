/// What an `Interner` holds: an object that knows its hash.
protocol Interned: AnyObject, Sendable {
    var hash: UInt64 { get }
}
extension AttributeSet: Interned {}
extension Metric: Interned {}

/// Objects of which equal ones are one, each in a slot, with the number of series that use it.
///
/// An object leaves when no series uses it and nobody else holds it.
struct Interner<Content: Interned>: Sendable {
    private struct Place: Sendable {
        var content: Content?
        var uses: UInt32
        var hash: UInt64 { content.map(\.hash) ?? 0 }
    }
    private var places: [Place] = []
    private var free: [UInt32] = []
    private var index = SlotIndex()
    /// How many objects there are.
    var count: Int { index.count }

    subscript(slot: UInt32) -> Content { places[Int(slot)].content! }

    /// The object with this content, made in a new slot where there is none.
    mutating func intern(
        _ hash: UInt64,
        where isMatch: (Content) -> Bool,
        make: (_ slot: UInt32) -> Content
    ) -> Content {
        let known = index.find(hash) { slot in
            places[Int(slot)].hash == hash && isMatch(places[Int(slot)].content!)
        }
        if let known { return self[known] }
        let slot = free.popLast() ?? UInt32(places.count)
        let content = make(slot)
        if Int(slot) == places.count {
            places.append(Place(content: content, uses: 0))
        } else {
            places[Int(slot)] = Place(content: content, uses: 0)
        }
        index.insert(slot, hash: hash) { places[Int($0)].hash }
        return content
    }
    mutating func use(_ slot: UInt32) { places[Int(slot)].uses += 1 }
    mutating func disuse(_ slot: UInt32) { places[Int(slot)].uses -= 1 }

    /// Lets go of what only the interner still holds; looks at up to `limit` slots from `start`, answers where to go on.
    mutating func sweep(from start: Int, limit: Int) -> Int {
        guard !places.isEmpty else { return 0 }
        let first = start < places.count ? start : 0
        let last = min(first + limit, places.count)
        for slot in first..<last where places[slot].uses == 0 && places[slot].content != nil {
            // Under the table's lock nobody can gain a reference, so "unique" cannot cease to be true.
            guard isKnownUniquelyReferenced(&places[slot].content) else { continue }
            index.remove(UInt32(slot), hash: places[slot].hash) { places[Int($0)].hash }
            places[slot].content = nil
            free.append(UInt32(slot))
        }
        return last == places.count ? 0 : last
    }
}
