import PhoenixModel

/// The labels of resources (with their scopes) and of points, each held once and shared by all that have them.
///
/// A block is `a="b",c="d"` without braces: written by a template out of the attribute set, which is kept; or, where there
/// is none, rendered and kept. Let go when the last entity lets go.
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
    private(set) var shapes = LabelShapes()
    /// What the rendered blocks hold in memory, in bytes.
    private(set) var byteCount = 0
    private var page = ExpositionPage(capacity: 4096)
    private let scratch = UnsafeMutablePointer<EncodedValue>.allocate(capacity: LabelTemplate.maximumValues)

    init() {
        blocks.append(Block(uses: 1, shape: LabelShapes.empty))
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

    /// Adds a block; what it shows is asked for only where no template knows it.
    func add(_ key: Key, _ candidates: () -> [LabelPlan.Candidate]) -> UInt32 {
        if let block = templated(key) { return add(key, block) }
        let labels = LabelPlan.merged(candidates(), reserving: key.reserved)
        let shape = shapes.number(of: labels.map(\.name))
        var block: Block?
        if let set = key.resource, key.attributes == nil, templates.learn(set, key, labels, shape: shape) {
            // The template is kept.
            shapes.use(shape)
            block = templated(key)
        }
        return add(key, block ?? rendered(labels.map(\.label), shape))
    }
    /// The block of a resource whose keys a template knows.
    private func templated(_ key: Key) -> Block? {
        guard let set = key.resource, key.attributes == nil,
            let (place, hash) = templates.find(for: set, key, &page)
        else { return nil }
        let template = templates.templates[Int(place)]
        guard !template.isEmpty else { return Block(shape: template.shape) }
        return Block(
            bytes: set.encodedBytes.baseAddress,
            // A value may stand there twice: in `job` or `instance`, and in a label of its own.
            count: UInt32(template.fixedCount + 2 * set.encodedBytes.count),
            hash: hash,
            shape: template.shape,
            template: place
        )
    }
    private func rendered(_ labels: [ExposedLabel], _ shape: UInt32) -> Block {
        let bytes = ExposedLabel.block(labels)
        var block = Block(
            count: UInt32(bytes.count),
            hash: labels.reduce(0) { $0 &+ $1.hash },
            shape: shape
        )
        guard !bytes.isEmpty else { return block }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 1)
        bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
        block.bytes = UnsafeRawPointer(copy)
        byteCount += bytes.count
        return block
    }
    private func add(_ key: Key, _ added: Block) -> UInt32 {
        var block = added
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
        shapes.use(block.shape)
        return place
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
        shapes.disuse(blocks[Int(place)].shape)
        blocks[Int(place)] = Block()
        keys[Int(place)] = nil
        scopes.disuse(key.scope)
        free.append(place)
        return key
    }

    /// Whether a block has a label of this name.
    func has(_ name: String, in place: UInt32) -> Bool { shapes.has(name, in: blocks[Int(place)].shape) }
    /// Whether two blocks have no label name in common, so that they can stand in one label set.
    func areDisjoint(_ left: UInt32, _ right: UInt32) -> Bool {
        shapes.areDisjoint(blocks[Int(left)].shape, blocks[Int(right)].shape)
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
    /// What was asked for last: series of one scope come one after the other. Nil once a scope is let go.
    private var asked: (scope: Scope, number: UInt32)?

    mutating func number(of scope: Scope) -> UInt32 {
        if let asked, asked.scope == scope { return asked.number }
        let number = numbers[scope] ?? add(scope)
        asked = (scope, number)
        return number
    }
    private mutating func add(_ scope: Scope) -> UInt32 {
        last &+= 1
        (numbers[scope], held[last]) = (last, (scope, 0))
        return last
    }
    mutating func use(_ number: UInt32) { held[number]?.uses += 1 }
    mutating func disuse(_ number: UInt32) {
        guard let entry = held[number] else { return }
        held[number] = entry.uses > 1 ? (entry.scope, entry.uses - 1) : nil
        guard entry.uses <= 1 else { return }
        (numbers[entry.scope], asked) = (nil, nil)
    }
}
