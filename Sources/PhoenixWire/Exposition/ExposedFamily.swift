/// A family of an exposition: its name, and which series are in it.
///
/// Members are only ever appended; one that leaves stops pointing back at its place, and places close up when many have
/// left. So a scrape that holds nothing but a place in the list misses none and shows none twice.
final class ExposedFamily {
    let id: UInt32
    let name: ExposedName
    let type: FamilyType
    var help: String
    /// Slots of series; with the top bit, places of merged series.
    var members = ContiguousArray<UInt32>()
    var live = 0
    /// How many metrics are exposed under the name.
    var plans = 0
    var isRemoved = false
    static let mergedBit: UInt32 = 1 << 31

    init(id: UInt32, name: ExposedName, type: FamilyType, help: String) {
        (self.id, self.name, self.type, self.help) = (id, name, type, help)
    }
    var isSparse: Bool { members.count - live > live / 2 + 256 }
    /// Every name that a sample of the family may have, in any format.
    var claims: Set<String> { name.claims(type) }
}
