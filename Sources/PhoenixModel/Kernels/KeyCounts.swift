/// How many distinct keys the inputs of a node have: each input by its slot, each key by a 64-bit hash.
///
/// Exact up to two keys of one hash, of which there is one pair in 10^7 tables of a million. Four bytes an input and about
/// twenty a key; a key that no input has any more leaves nothing behind.
public struct KeyCounts: ~Copyable, Sendable {
    /// The number of an input's key + 1; 0 where it has none.
    private var numbers = SlotMap<UInt32>(vacant: 0)
    private var index = SlotIndex()
    /// By number.
    private var hashes: [UInt64] = []
    private var uses: [UInt32] = []
    private var free: [UInt32] = []

    public init() {}

    /// How many keys some input has.
    public var distinct: Int { index.count }
    /// What the counts hold in memory, in bytes.
    public var byteCount: Int {
        numbers.byteCount + hashes.capacity * 8 + (uses.capacity + free.capacity) * 4 + index.byteCount
    }

    /// Gives the input in a slot a key, in place of the one that it had.
    public mutating func set(_ slot: UInt32, to hash: UInt64) {
        let known = index.find(hash) { hashes[Int($0)] == hash }
        let number = known ?? add(hash)
        uses[Int(number)] += 1
        let old = numbers[slot]
        numbers.element(slot).pointee = number + 1
        if old != 0 { leave(old - 1) }
    }
    /// The input in a slot has no key any more.
    public mutating func remove(_ slot: UInt32) {
        let old = numbers[slot]
        guard old != 0 else { return }
        numbers.element(slot).pointee = 0
        leave(old - 1)
    }
    private mutating func add(_ hash: UInt64) -> UInt32 {
        let number = free.popLast() ?? UInt32(hashes.count)
        if Int(number) == hashes.count {
            hashes.append(hash)
            uses.append(0)
        } else {
            hashes[Int(number)] = hash
        }
        let hashes = hashes
        index.insert(number, hash: hash) { hashes[Int($0)] }
        return number
    }
    private mutating func leave(_ number: UInt32) {
        uses[Int(number)] -= 1
        guard uses[Int(number)] == 0 else { return }
        let hashes = hashes
        index.remove(number, hash: hashes[Int(number)]) { hashes[Int($0)] }
        free.append(number)
    }
}
