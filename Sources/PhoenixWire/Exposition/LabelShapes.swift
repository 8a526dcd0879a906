/// Which label names blocks have, each combination once and by a number: as long as somebody uses it, since senders choose
/// the names.
struct LabelShapes {
    private var numbers: [[String]: UInt32] = [:]
    private var names: [[String]] = []
    private var uses: [Int] = []
    private var free: [UInt32] = []
    /// Which pairs have no name in common, by their two numbers.
    private var disjoint: [UInt64: Bool] = [:]
    private static let maximumPairs = 1 << 16

    /// The shape without names, which is always there.
    static let empty: UInt32 = 0
    init() { use(number(of: [])) }

    /// How many shapes there are.
    var count: Int { numbers.count }

    /// The number of a shape; whoever keeps it says `use`.
    mutating func number(of names: [String]) -> UInt32 {
        if let number = numbers[names] { return number }
        let number = free.popLast() ?? UInt32(self.names.count)
        if Int(number) == self.names.count {
            self.names.append(names)
            uses.append(0)
        } else {
            self.names[Int(number)] = names
        }
        numbers[names] = number
        return number
    }
    mutating func use(_ shape: UInt32) { uses[Int(shape)] += 1 }
    mutating func disuse(_ shape: UInt32) {
        uses[Int(shape)] -= 1
        guard uses[Int(shape)] == 0 else { return }
        numbers[names[Int(shape)]] = nil
        names[Int(shape)] = []
        free.append(shape)
        // The number will be another shape's.
        disjoint.removeAll()
    }

    func has(_ name: String, in shape: UInt32) -> Bool { names[Int(shape)].contains(name) }
    mutating func areDisjoint(_ left: UInt32, _ right: UInt32) -> Bool {
        if left == Self.empty || right == Self.empty { return true }
        let pair = UInt64(left) << 32 | UInt64(right)
        if let known = disjoint[pair] { return known }
        let answer = Set(names[Int(left)]).isDisjoint(with: names[Int(right)])
        if disjoint.count >= Self.maximumPairs { disjoint.removeAll() }
        disjoint[pair] = answer
        return answer
    }
}
