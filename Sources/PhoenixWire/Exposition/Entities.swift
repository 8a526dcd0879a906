import PhoenixModel

/// The label sets of an exposition, each once: two blocks of labels, shared by all the metrics of a thing.
///
/// Two sets that read the same are the same entity, whatever they were made of: that is what keeps an exposition free of
/// duplicates.
final class Entities {
    struct Entity: BitwiseCopyable, Sendable {
        var head: UInt32
        var tail: UInt32
        var next: UInt32
        var uses: UInt32
    }
    private var entities = SlotMap<Entity>(vacant: Entity(head: 0, tail: 0, next: 0, uses: 0))
    private var given: UInt32 = 0
    private var free: [UInt32] = []
    private var index = ChainIndex()
    private var plan: LabelPlan
    let blocks = LabelBlocks()
    /// What was asked for last: the metrics of one thing come one after the other. Nil once an entity is let go.
    private var last: (series: Series, entity: UInt32)?
    var targets: TargetInfos
    var count: Int { Int(given) - free.count }

    init(_ options: ExpositionOptions) {
        plan = LabelPlan(options)
        targets = TargetInfos(keepsUTF8: options.strategy.keepsUTF8)
    }

    /// The entity of a series, made where there is none. Unused until `use`.
    func entity(_ series: Series) -> UInt32 {
        if let last, last.series.resource === series.resource, last.series.attributes === series.attributes,
            last.series.metric.scope == series.metric.scope,
            LabelPlan.Reserved(last.series.metric.kind) == LabelPlan.Reserved(series.metric.kind)
        {
            return last.entity
        }
        let entity = place(of: series)
        last = (series, entity)
        return entity
    }
    private func place(of series: Series) -> UInt32 {
        let scope = plan.options.addsScopeLabels ? series.metric.scope : nil
        let number = blocks.number(of: scope)
        let reserved = LabelPlan.Reserved(series.metric.kind)
        let head = head(series.resource, scope, number, reserved)
        let tail = tail(series.attributes, reserved)
        if blocks.areDisjoint(head, tail) { return entity(head, tail) }
        let key = LabelBlocks.Key(
            resource: series.resource,
            attributes: series.attributes,
            scope: number,
            reserved: reserved
        )
        let whole =
            blocks.find(key)
            ?? add(key) {
                plan.head(series.resource, scope ?? Scope()) + plan.attributes(series.attributes.attributes)
            }
        release(head)
        release(tail)
        return entity(whole, LabelBlocks.none)
    }
    private func head(
        _ resource: AttributeSet,
        _ scope: Scope?,
        _ number: UInt32,
        _ reserved: LabelPlan.Reserved
    ) -> UInt32 {
        var key = LabelBlocks.Key(resource: resource, scope: number)
        let plain = blocks.find(key) ?? add(key) { plan.head(resource, scope ?? Scope()) }
        guard let name = reserved.name, blocks.has(name, in: plain) else { return plain }
        key.reserved = reserved
        defer { release(plain) }
        return blocks.find(key) ?? add(key) { plan.head(resource, scope ?? Scope()) }
    }
    private func tail(_ attributes: AttributeSet, _ reserved: LabelPlan.Reserved) -> UInt32 {
        guard !attributes.isEmpty else { return LabelBlocks.none }
        var key = LabelBlocks.Key(attributes: attributes)
        let plain = blocks.find(key) ?? add(key) { plan.attributes(attributes.attributes) }
        guard let name = reserved.name, blocks.has(name, in: plain) else { return plain }
        key.reserved = reserved
        defer { release(plain) }
        return blocks.find(key) ?? add(key) { plan.attributes(attributes.attributes) }
    }
    private func add(_ key: LabelBlocks.Key, _ candidates: () -> [LabelPlan.Candidate]) -> UInt32 {
        if plan.options.exposesTargetInfo, let resource = key.resource { targets.add(resource) }
        return blocks.add(key, candidates)
    }
    /// Frees a block that nobody uses.
    private func release(_ block: UInt32) {
        guard block != LabelBlocks.none, blocks.blocks[Int(block)].uses == 0 else { return }
        blocks.use(block)
        letGo(block)
    }
    private func letGo(_ block: UInt32) {
        guard let key = blocks.disuse(block), let resource = key.resource else { return }
        if plan.options.exposesTargetInfo { targets.remove(resource) }
    }

    private func entity(_ head: UInt32, _ tail: UInt32) -> UInt32 {
        let hash = hash(head, tail)
        var place = index.first(hash)
        while place != ChainIndex.end {
            let entity = entities[place]
            if self.hash(entity.head, entity.tail) == hash, reads(entity, like: head, tail) {
                // Blocks made for nothing, because the set was known in another shape.
                if entity.head != head { release(head) }
                if entity.tail != tail { release(tail) }
                return place
            }
            place = entity.next
        }
        blocks.use(head)
        blocks.use(tail)
        if index.isFull { rebuild() }
        let new = free.popLast() ?? given
        if new == given { given += 1 }
        let next = index.insert(new, hash: hash)
        entities.element(new).pointee = Entity(head: head, tail: tail, next: next, uses: 0)
        return new
    }
    private func hash(_ head: UInt32, _ tail: UInt32) -> UInt64 {
        blocks.blocks[Int(head)].hash &+ blocks.blocks[Int(tail)].hash
    }
    private func reads(_ entity: Entity, like head: UInt32, _ tail: UInt32) -> Bool {
        if entity.head == head, entity.tail == tail { return true }
        return labels(entity.head, entity.tail) == labels(head, tail)
    }
    private func labels(_ head: UInt32, _ tail: UInt32) -> [ExposedLabel] {
        (blocks.labels(head) + blocks.labels(tail)).map { ExposedLabel($0.name, $0.value) }.sorted()
    }
    private func rebuild() {
        for element in index.grow(next: { entities[$0].next }) {
            let entity = entities[element]
            entities.element(element).pointee.next = index.insert(
                element,
                hash: hash(entity.head, entity.tail)
            )
        }
    }

    func use(_ place: UInt32) { entities.element(place).pointee.uses += 1 }
    /// Lets go of an entity, and of its blocks with the last use; `sweep` is for one that was never used.
    func disuse(_ place: UInt32) {
        entities.element(place).pointee.uses -= 1
        sweep(place)
    }
    func sweep(_ place: UInt32) {
        let entity = entities[place]
        guard entity.uses == 0 else { return }
        last = nil
        index.remove(
            place,
            hash: hash(entity.head, entity.tail),
            next: { entities[$0].next },
            link: { entities.element($0).pointee.next = $1 }
        )
        letGo(entity.head)
        letGo(entity.tail)
        free.append(place)
    }
}

extension Entities {
    /// The entities while nothing changes: few look-ups and no more for the scrape's loop.
    struct Rendered {
        let entities: SlotMap<Entity>.Reader
        let blocks: UnsafeBufferPointer<LabelBlocks.Block>
        let templates: UnsafeBufferPointer<LabelTemplate>
        let scratch: UnsafeMutablePointer<EncodedValue>
        @inline(__always)
        subscript(place: UInt32) -> RenderedLabels {
            let entity = entities[place]
            return RenderedLabels(head: blocks[Int(entity.head)], tail: blocks[Int(entity.tail)], self)
        }
    }
    func withRendered<Result>(_ body: (Rendered) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: EncodedValue.self, capacity: LabelTemplate.maximumValues) {
            scratch in
            blocks.blocks.withUnsafeBufferPointer { blocks in
                self.blocks.templates.templates.withUnsafeBufferPointer { templates in
                    body(
                        Rendered(
                            entities: entities.reader,
                            blocks: blocks,
                            templates: templates,
                            scratch: scratch.baseAddress!
                        )
                    )
                }
            }
        }
    }
    /// What entities and blocks hold in memory, in bytes, estimated.
    var byteCount: Int { entities.byteCount + blocks.byteCount + blocks.blocks.count * 72 }
}
