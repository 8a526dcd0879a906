import PhoenixModel

/// The labels of resources (with their scopes) and of points, each held once and shared by all that have them.
///
/// A block is `a="b",c="d"` without braces: written by a template out of the attribute set, which is kept; or, where none
/// fits, rendered and kept. Let go when the last entity lets go.
final class LabelBlocks {
    /// What a block was made of.
    struct Key: Hashable {
        var resource: AttributeSet?
        var attributes: AttributeSet?
        /// A number of `scopes`; 0 where no scope is shown.
        var scope: UInt32 = 0
        var reserved = LabelPlan.Reserved.none
        fileprivate var chainHash: UInt64 { UInt64(bitPattern: Int64(hashValue)) }
    }
    struct Block {
        /// The rendered labels, or the encoded set that a template writes them out of; valid as long as the block's key.
        var bytes: UnsafeRawPointer?
        /// The length of the labels, or a bound of it.
        var count: UInt32 = 0
        var uses: UInt32 = 0
        /// The sum of the labels' hashes: the same in whatever order and however split they are.
        var hash: UInt64 = 0
        /// Which label names there are, interned.
        var shape: UInt32 = 0
        /// The next block in the chain of the index.
        var next: UInt32 = ChainIndex.end
        /// The place of the template; `isRendered` where the labels themselves are held.
        var template: UInt32 = Block.isRendered
        static let isRendered = UInt32.max
    }
    private(set) var blocks = ContiguousArray<Block>()
    private var keys = ContiguousArray<Key?>()
    private var free: [UInt32] = []
    private var index = ChainIndex()
    private(set) var templates = LabelTemplates()
    private var scopes = ScopeNumbers()
    private var shapes: [[String]: UInt32] = [:]
    private var shapeNames: [[String]] = []
    private var disjoint: [UInt64: Bool] = [:]
    /// What the rendered blocks hold in memory, in bytes.
    private(set) var byteCount = 0
    private var page = ExpositionPage(capacity: 4096)
    private let scratch = UnsafeMutablePointer<EncodedValue>.allocate(capacity: LabelTemplate.maximumValues)

    init() {
        blocks.append(Block(uses: 1, shape: shape(of: [])))
        keys.append(nil)
    }
    deinit {
        for block in blocks where block.template == Block.isRendered { block.bytes?.deallocate() }
        templates.free()
        scratch.deallocate()
    }

    /// The block without labels; never freed.
    static let none: UInt32 = 0

    /// The number by which keys know a scope, as long as there is a block with it.
    func number(of scope: Scope?) -> UInt32 { scope.map { scopes.number(of: $0) } ?? 0 }

    func find(_ key: Key) -> UInt32? {
        var place = index.first(key.chainHash)
        while place != ChainIndex.end {
            if keys[Int(place)] == key { return place }
            place = blocks[Int(place)].next
        }
        return nil
    }

    func add(_ key: Key, _ labels: [ExposedLabel]) -> UInt32 {
        var (bytes, hash): ([UInt8], UInt64) = ([], 0)
        for (index, label) in labels.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            let start = bytes.count
            label.write(to: &bytes)
            // What names are told apart by is the legacy alphabet.
            var plain: [UInt8] = []
            if label.written != nil { ExposedLabel(label.name, label.value).write(to: &plain) }
            hash &+= (label.written == nil ? bytes[start...] : plain[...]).withUnsafeBytes {
                foldHash($0, seed: processSeed)
            }
        }
        var block = Block(count: UInt32(bytes.count), hash: hash, shape: shape(of: labels.map(\.name)))
        if !fitTemplate(&block, key, labels, bytes), !bytes.isEmpty {
            let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 1)
            bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
            block.bytes = UnsafeRawPointer(copy)
            byteCount += bytes.count
        }
        if index.isFull { rebuild() }
        let place = free.popLast() ?? UInt32(blocks.count)
        block.next = index.insert(place, hash: key.chainHash)
        if Int(place) == blocks.count {
            blocks.append(block)
            keys.append(key)
        } else {
            blocks[Int(place)] = block
            keys[Int(place)] = key
        }
        scopes.use(key.scope)
        return place
    }
    /// Gives a block the template that writes just these bytes, if there is one.
    private func fitTemplate(
        _ block: inout Block,
        _ key: Key,
        _ labels: [ExposedLabel],
        _ bytes: [UInt8]
    ) -> Bool {
        guard !bytes.isEmpty, let set = key.resource, key.attributes == nil,
            let start = set.encodedBytes.baseAddress,
            let place = templates.place(for: set, key, labels)
        else { return false }
        let template = templates.templates[Int(place)]
        page.count = 0
        page.grow(for: template.fixedCount + set.encodedBytes.count)
        template.write(start, to: &page, scratch)
        guard page.bytes.elementsEqual(bytes) else { return false }
        (block.bytes, block.template) = (start, place)
        block.count = UInt32(template.fixedCount + set.encodedBytes.count)
        return true
    }
    private func rebuild() {
        for element in index.grow(next: { blocks[Int($0)].next }) {
            guard let key = keys[Int(element)] else { continue }
            blocks[Int(element)].next = index.insert(element, hash: key.chainHash)
        }
    }

    func use(_ place: UInt32) { blocks[Int(place)].uses += 1 }
    /// Lets go of a block; answers its key when that was the last use and it is gone.
    func disuse(_ place: UInt32) -> Key? {
        guard place != Self.none else { return nil }
        blocks[Int(place)].uses -= 1
        guard blocks[Int(place)].uses == 0, let key = keys[Int(place)] else { return nil }
        index.remove(
            place,
            hash: key.chainHash,
            next: { blocks[Int($0)].next },
            link: { blocks[Int($0)].next = $1 }
        )
        if blocks[Int(place)].template == Block.isRendered {
            blocks[Int(place)].bytes?.deallocate()
            byteCount -= Int(blocks[Int(place)].count)
        }
        blocks[Int(place)] = Block()
        keys[Int(place)] = nil
        scopes.disuse(key.scope)
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
        guard block.template != Block.isRendered, let set = block.bytes else {
            return ExposedLabel.parse(UnsafeRawBufferPointer(start: block.bytes, count: Int(block.count)))
        }
        page.count = 0
        page.grow(for: Int(block.count))
        templates.templates[Int(block.template)].write(set, to: &page, scratch)
        return ExposedLabel.parse(page.bytes)
    }
}

/// Numbers for scopes, as long as there are blocks with them; none is given twice.
private struct ScopeNumbers {
    private var numbers: [Scope: UInt32] = [:]
    private var held: [UInt32: (scope: Scope, uses: Int)] = [:]
    private var last: UInt32 = 0

    mutating func number(of scope: Scope) -> UInt32 {
        if let number = numbers[scope] { return number }
        last &+= 1
        (numbers[scope], held[last]) = (last, (scope, 0))
        return last
    }
    mutating func use(_ number: UInt32) { held[number]?.uses += 1 }
    mutating func disuse(_ number: UInt32) {
        guard let entry = held[number] else { return }
        held[number] = entry.uses > 1 ? (entry.scope, entry.uses - 1) : nil
        if entry.uses <= 1 { numbers[entry.scope] = nil }
    }
}
