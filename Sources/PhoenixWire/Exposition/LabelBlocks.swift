import PhoenixModel

/// Rendered labels, each held once: what a resource (with its scope) gives, and what a point's attributes give.
///
/// A block is `a="b",c="d"` without braces. Allocated one by one, since their lengths differ and they come and go; freed
/// when the last entity lets go.
final class LabelBlocks {
    /// What a block was made of.
    struct Key: Hashable {
        var resource: AttributeSet?
        var scope: Scope?
        var attributes: AttributeSet?
        var reserved = LabelPlan.Reserved.none
        func hash(into hasher: inout Hasher) {
            hasher.combine(resource)
            hasher.combine(scope?.name)
            hasher.combine(attributes)
            hasher.combine(reserved)
        }
    }
    struct Block {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count: UInt32
        var uses: UInt32
        /// The sum of the labels' hashes: the same in whatever order and however split they are.
        var hash: UInt64
        /// Which label names there are, interned.
        var shape: UInt32
    }
    private(set) var blocks = ContiguousArray<Block>()
    private var keys = ContiguousArray<Key?>()
    private var free: [UInt32] = []
    private var places: [Key: UInt32] = [:]
    private var shapes: [[String]: UInt32] = [:]
    private var shapeNames: [[String]] = []
    private var disjoint: [UInt64: Bool] = [:]
    /// What the rendered blocks hold in memory, in bytes.
    private(set) var byteCount = 0

    init() {
        let empty = shape(of: [])
        blocks.append(Block(bytes: nil, count: 0, uses: 1, hash: 0, shape: empty))
        keys.append(nil)
    }
    deinit { for block in blocks { block.bytes?.deallocate() } }

    /// The block without labels; never freed.
    static let none: UInt32 = 0

    func find(_ key: Key) -> UInt32? { places[key] }

    func add(_ key: Key, _ labels: [ExposedLabel]) -> UInt32 {
        var (bytes, hash): ([UInt8], UInt64) = ([], 0)
        for (index, label) in labels.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            let start = bytes.count
            label.write(to: &bytes)
            hash &+= bytes.withUnsafeBytes {
                foldHash(UnsafeRawBufferPointer(rebasing: $0[start...]), seed: processSeed)
            }
        }
        var block = Block(
            bytes: nil,
            count: UInt32(bytes.count),
            uses: 0,
            hash: hash,
            shape: shape(of: labels.map(\.name))
        )
        if !bytes.isEmpty {
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
            bytes.withUnsafeBufferPointer { copy.update(from: $0.baseAddress!, count: bytes.count) }
            block.bytes = copy
        }
        byteCount += bytes.count
        let place = free.popLast() ?? UInt32(blocks.count)
        if Int(place) == blocks.count {
            blocks.append(block)
            keys.append(key)
        } else {
            blocks[Int(place)] = block
            keys[Int(place)] = key
        }
        places[key] = place
        return place
    }
    func use(_ place: UInt32) { blocks[Int(place)].uses += 1 }
    /// Lets go of a block; answers its key when that was the last use and it is gone.
    func disuse(_ place: UInt32) -> Key? {
        guard place != Self.none else { return nil }
        blocks[Int(place)].uses -= 1
        guard blocks[Int(place)].uses == 0, let key = keys[Int(place)] else { return nil }
        blocks[Int(place)].bytes?.deallocate()
        byteCount -= Int(blocks[Int(place)].count)
        blocks[Int(place)].bytes = nil
        keys[Int(place)] = nil
        places[key] = nil
        free.append(place)
        return key
    }

    private func shape(of names: [String]) -> UInt32 {
        if let shape = shapes[names] { return shape }
        let shape = UInt32(shapeNames.count)
        shapes[names] = shape
        shapeNames.append(names)
        return shape
    }
    /// Whether a block has a label of this name.
    func has(_ name: String, in place: UInt32) -> Bool {
        shapeNames[Int(blocks[Int(place)].shape)].contains(name)
    }
    /// Whether two blocks have no label name in common, so that they can stand in one label set.
    func areDisjoint(_ left: UInt32, _ right: UInt32) -> Bool {
        let (first, second) = (blocks[Int(left)].shape, blocks[Int(right)].shape)
        if first == 0 || second == 0 { return true }
        let pair = UInt64(first) << 32 | UInt64(second)
        if let known = disjoint[pair] { return known }
        let answer = Set(shapeNames[Int(first)]).isDisjoint(with: shapeNames[Int(second)])
        disjoint[pair] = answer
        return answer
    }
    func labels(_ place: UInt32) -> [ExposedLabel] {
        let block = blocks[Int(place)]
        return ExposedLabel.parse(UnsafeRawBufferPointer(start: block.bytes, count: Int(block.count)))
    }
}
