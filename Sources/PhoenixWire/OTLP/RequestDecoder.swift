import PhoenixModel

/// The state and the upper levels of decoding.
///
/// A struct, so that the hot path pays no check for exclusive access on each of its fields.
struct RequestDecoder {
    let table: SeriesTable
    var finder: SeriesFinder
    var builder = PointBuilder()
    var refusals = Refusals()

    var resources: AliasCache<AttributeSet>
    var scopes: AliasCache<Scope>
    var metrics: AliasCache<Metric>
    var attributeSets: AliasCache<AttributeSet>
    var layouts: AliasCache<BucketLayout>
    var templates: TemplateCache
    var cursors = Cursors()

    /// The entries seen last: where the guesses start from.
    struct Cursors {
        var resource: Int32 = -1
        var scope: Int32 = -1
        var metric: Int32 = -1
        var attributes: Int32 = -1
        var layout: Int32 = -1
    }

    init(table: SeriesTable, lane: String, maximumCacheBytes: Int) {
        self.table = table
        finder = SeriesFinder(table: table, lane: table.lane(lane))
        resources = AliasCache(maximumBytes: maximumCacheBytes / 2)
        scopes = AliasCache(maximumBytes: maximumCacheBytes / 32)
        metrics = AliasCache(maximumBytes: maximumCacheBytes / 16)
        attributeSets = AliasCache(maximumBytes: maximumCacheBytes / 4)
        layouts = AliasCache(maximumBytes: maximumCacheBytes / 32)
        templates = TemplateCache(maximumBytes: maximumCacheBytes / 16)
    }
    /// Gives the memory back; the value may not be used afterwards.
    mutating func free() {
        builder.free()
        resources.removeAll()
        scopes.removeAll()
        metrics.removeAll()
        attributeSets.removeAll()
        layouts.removeAll()
        templates.removeAll()
    }

    mutating func decode(_ request: UnsafeRawBufferPointer) throws(MalformedMessage) -> Refusals {
        guard let base = request.baseAddress, request.count > 0 else { return Refusals() }
        let start = base.assumingMemoryBound(to: UInt8.self)
        let mark = builder.mark
        refusals = Refusals()
        finder.beginBatch()
        do {
            var cursor = ProtobufCursor(start, start + request.count)
            while !cursor.isAtEnd {
                let tag = try cursor.tag()
                if tag == 0x0A { try decodeBlock(cursor.delimited()) } else { try cursor.skip(tag) }
            }
        } catch {
            builder.rollBack(to: mark)
            throw error
        }
        return refusals
    }

    // MARK: Envelopes

    /// A `ResourceMetrics`: by a template where there is one.
    @inline(__always)
    private mutating func decodeBlock(_ message: ProtobufCursor) throws(MalformedMessage) {
        if try decodeByTemplate(message) { return }
        let (mark, refused) = (builder.mark, refusals.total)
        try decodeResourceMetrics(message)
        learn(message, since: mark, refused: refused)
    }
    private mutating func decodeResourceMetrics(_ message: ProtobufCursor) throws(MalformedMessage) {
        var (resource, parts) = (ProtobufCursor(message.end, message.end), 0)
        var cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x0A {
                let part = try cursor.delimited()
                resource = parts == 0 ? part : resource
                parts += 1
            } else if tag == 0x1A {
                try cursor.delimited().checkText()
            } else {
                try cursor.skip(tag)
            }
        }
        let slot: UInt32
        if parts <= 1 {
            slot = try resourceSlot(resource)
        } else {
            let joined = try JoinedFields(contentsOf: 0x0A, in: message)
            slot = try resourceSlot(joined.cursor)
            withExtendedLifetime(joined) {}
        }
        cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x12 {
                try decodeScopeMetrics(cursor.delimited(), resource: slot)
            } else {
                try cursor.skip(tag)
            }
        }
    }
    mutating func resourceSlot(_ message: ProtobufCursor) throws(MalformedMessage) -> UInt32 {
        let (start, count) = (message.position, message.left)
        if let entry = resources.find(start, count, context: 0, after: cursors.resource) {
            cursors.resource = entry
            return resources.slot(of: entry)
        }
        try checkEntities(of: message)
        let set = table.intern(try message.attributes(tag: 0x0A, depth: 2))
        cursors.resource = resources.add(
            start,
            count,
            context: 0,
            after: cursors.resource,
            set,
            slot: set.slot
        )
        return set.slot
    }

    /// References to entities (3) are not used, but hold strings that must be well-formed.
    private func checkEntities(of resource: ProtobufCursor) throws(MalformedMessage) {
        var cursor = resource
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            guard tag == 0x1A else {
                try cursor.skip(tag)
                continue
            }
            var reference = try cursor.delimited()
            while !reference.isAtEnd {
                switch try reference.tag() {
                case 0x0A, 0x12, 0x1A, 0x22: try reference.delimited().checkText()
                case let tag: try reference.skip(tag)
                }
            }
        }
    }

    private mutating func decodeScopeMetrics(
        _ message: ProtobufCursor,
        resource: UInt32
    ) throws(MalformedMessage) {
        var (scope, parts, hasSchema) = (ProtobufCursor(message.end, message.end), 0, false)
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A:
                let part = try cursor.delimited()
                scope = parts == 0 ? part : scope
                parts += 1
            case 0x1A:
                hasSchema = try cursor.delimited().left > 0 || hasSchema
            case let tag: try cursor.skip(tag)
            }
        }
        let entry: Int32
        if parts <= 1, !hasSchema {
            entry = try scopeEntry(scope, context: 0, in: message)
        } else {
            // The identity of a scope has its schema URL, which lies outside the scope's own bytes: key by both.
            let key = try JoinedFields([0x0A, 0x1A], in: message)
            entry = try scopeEntry(key.cursor, context: 1, in: message)
            withExtendedLifetime(key) {}
        }
        cursors.scope = entry
        let context = UInt64(UInt32(bitPattern: entry)) << 16
        cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x12 {
                try decodeMetric(
                    cursor.delimited(),
                    Surroundings(resource: resource, scope: entry, context: context)
                )
            } else {
                try cursor.skip(tag)
            }
        }
    }
    private mutating func scopeEntry(
        _ key: ProtobufCursor,
        context: UInt64,
        in message: ProtobufCursor
    ) throws(MalformedMessage) -> Int32 {
        if let entry = scopes.find(key.position, key.left, context: context, after: cursors.scope) {
            return entry
        }
        var (cursor, schemaURL) = (message, "")
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x1A { schemaURL = try cursor.text() } else { try cursor.skip(tag) }
        }
        let whole = try JoinedFields(contentsOf: 0x0A, in: message)
        let scope = try parseScope(whole.cursor, schemaURL: schemaURL)
        withExtendedLifetime(whole) {}
        let age = scopes.age
        let entry = scopes.add(key.position, key.left, context: context, after: cursors.scope, scope)
        if scopes.age != age {
            // Metrics are known by the number of their scope's entry, and the numbers begin anew.
            metrics.removeAll()
            cursors.metric = -1
        }
        return entry
    }
    private func parseScope(_ message: ProtobufCursor, schemaURL: String) throws(MalformedMessage) -> Scope {
        var (cursor, scope) = (message, Scope(schemaURL: schemaURL))
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A: scope.name = try cursor.text()
            case 0x12: scope.version = try cursor.text()
            case let tag: try cursor.skip(tag)
            }
        }
        scope.attributes = table.intern(try message.attributes(tag: 0x1A, depth: 3))
        return scope
    }

    /// What a metric stands in.
    struct Surroundings {
        var resource: UInt32
        var scope: Int32
        var context: UInt64
    }
}
