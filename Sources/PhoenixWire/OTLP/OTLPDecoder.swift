public import PhoenixModel

/// Decodes `ExportMetricsServiceRequest`s in place into batches: no object for a message, no dictionary for a point.
///
/// Belongs to one event loop. Resources, scopes, metrics and attribute sets are recognised by their bytes; only those
/// not seen before are parsed. Requests may be collected into one batch; each is added whole or, when it is malformed,
/// not at all.
///
/// Source: opentelemetry-proto, collector/metrics/v1/metrics_service.proto and metrics/v1/metrics.proto.
public final class OTLPDecoder {
    let table: SeriesTable
    var finder: SeriesFinder
    var builder = PointBuilder()
    var refusals = Refusals()

    var resources: AliasCache<AttributeSet>
    var scopes: AliasCache<Scope>
    var metrics: AliasCache<Metric>
    var attributeSets: AliasCache<AttributeSet>
    var layouts: AliasCache<BucketLayout>
    var cursors = Cursors()
    /// Where a message whose parts lie apart is put together.
    var scratch: [UInt8] = []

    /// The entries seen last: where the guesses start from.
    struct Cursors {
        var resource: Int32 = -1
        var scope: Int32 = -1
        var metric: Int32 = -1
        var attributes: Int32 = -1
        var layout: Int32 = -1
    }

    /// A decoder whose new series go to a lane of their own; `maximumCacheBytes` bounds what it remembers of senders.
    public init(table: SeriesTable, lane: String, maximumCacheBytes: Int = 256 << 20) {
        self.table = table
        finder = SeriesFinder(table: table, lane: table.lane(lane))
        resources = AliasCache(maximumBytes: maximumCacheBytes / 2)
        scopes = AliasCache(maximumBytes: maximumCacheBytes / 32)
        metrics = AliasCache(maximumBytes: maximumCacheBytes / 16)
        attributeSets = AliasCache(maximumBytes: maximumCacheBytes / 4)
        layouts = AliasCache(maximumBytes: maximumCacheBytes / 32)
    }
    deinit {
        builder.numbers.free()
        resources.removeAll()
        scopes.removeAll()
        metrics.removeAll()
        attributeSets.removeAll()
        layouts.removeAll()
    }

    /// How many points wait to be taken.
    public var pendingPoints: Int { builder.count }

    /// Adds the points of one request; answers how many were refused and why. A malformed request adds nothing.
    public func decode(_ request: UnsafeRawBufferPointer) throws(MalformedMessage) -> Refusals {
        guard let base = request.baseAddress, request.count > 0 else { return Refusals() }
        let start = base.assumingMemoryBound(to: UInt8.self)
        let mark = builder.mark
        refusals = Refusals()
        finder.beginBatch()
        do {
            var cursor = ProtobufCursor(start, start + request.count)
            while !cursor.isAtEnd {
                let tag = try cursor.tag()
                if tag == 0x0A { try decodeResourceMetrics(cursor.delimited()) } else { try cursor.skip(tag) }
            }
        } catch {
            builder.rollBack(to: mark)
            throw error
        }
        return refusals
    }

    /// The batch of all requests decoded since the last one; nil where they held no points.
    public func takeBatch(epoch: UInt64) -> MetricBatch? { builder.take(epoch: epoch) }

    // MARK: Envelopes

    private func decodeResourceMetrics(_ message: ProtobufCursor) throws(MalformedMessage) {
        var (resource, parts) = (ProtobufCursor(message.end, message.end), 0)
        var cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x0A {
                let part = try cursor.delimited()
                resource = parts == 0 ? part : resource
                parts += 1
            } else {
                try cursor.skip(tag)
            }
        }
        let slot: UInt32
        if parts <= 1 {
            slot = try resourceSlot(resource)
        } else {
            slot = try withJoined(message, tag: 0x0A) { joined throws(MalformedMessage) in
                try self.resourceSlot(joined)
            }
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
    private func resourceSlot(_ message: ProtobufCursor) throws(MalformedMessage) -> UInt32 {
        let (start, count) = (message.position, message.left)
        if let entry = resources.find(start, count, context: 0, after: cursors.resource) {
            cursors.resource = entry
            return resources.slot(of: entry)
        }
        let set = table.intern(try message.attributes(tag: 0x0A, depth: 3))
        cursors.resource = resources.add(start, count, context: 0, after: cursors.resource, set, slot: set.slot)
        return set.slot
    }

    private func decodeScopeMetrics(_ message: ProtobufCursor, resource: UInt32) throws(MalformedMessage) {
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
            entry = try scopeEntry(scope, context: 0) { cursor throws(MalformedMessage) in
                try self.parseScope(cursor, schemaURL: "")
            }
        } else {
            // The identity of a scope has its schema URL, which lies outside the scope's own bytes: key by both.
            entry = try withJoined(message, tags: [0x0A, 0x1A]) { joined throws(MalformedMessage) in
                try self.scopeEntry(joined, context: 1) { _ throws(MalformedMessage) in try self.parseScope(in: message) }
            }
        }
        cursors.scope = entry
        let context = UInt64(UInt32(bitPattern: entry)) << 16 | UInt64(scopes.age & 0xFFFF) << 48
        cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x12 {
                try decodeMetric(cursor.delimited(), Surroundings(resource: resource, scope: entry, context: context))
            } else {
                try cursor.skip(tag)
            }
        }
    }
    private func scopeEntry(
        _ key: ProtobufCursor,
        context: UInt64,
        _ parse: (ProtobufCursor) throws(MalformedMessage) -> Scope
    ) throws(MalformedMessage) -> Int32 {
        if let entry = scopes.find(key.position, key.left, context: context, after: cursors.scope) { return entry }
        return scopes.add(key.position, key.left, context: context, after: cursors.scope, try parse(key))
    }
    private func parseScope(in message: ProtobufCursor) throws(MalformedMessage) -> Scope {
        var (cursor, schemaURL) = (message, "")
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == 0x1A { schemaURL = try cursor.text() } else { try cursor.skip(tag) }
        }
        return try withJoined(message, tag: 0x0A) { joined throws(MalformedMessage) in
            try self.parseScope(joined, schemaURL: schemaURL)
        }
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
        scope.attributes = table.intern(try message.attributes(tag: 0x1A, depth: 4))
        return scope
    }

    // MARK: Messages in parts

    /// What a metric stands in.
    struct Surroundings {
        var resource: UInt32
        var scope: Int32
        var context: UInt64
    }

    /// The contents of all fields of a tag one after the other: what protobuf says that a message in parts means.
    func withJoined<Result>(
        _ message: ProtobufCursor,
        tag: UInt32,
        _ body: (ProtobufCursor) throws(MalformedMessage) -> Result
    ) throws(MalformedMessage) -> Result {
        var joined: [UInt8] = []
        var cursor = message
        while !cursor.isAtEnd {
            let found = try cursor.tag()
            if found == tag { joined += try cursor.delimited().asBytes() } else { try cursor.skip(found) }
        }
        return try withCursor(over: joined, body)
    }
    /// The fields of some tags, tags included, one after the other.
    func withJoined<Result>(
        _ message: ProtobufCursor,
        tags: [UInt32],
        _ body: (ProtobufCursor) throws(MalformedMessage) -> Result
    ) throws(MalformedMessage) -> Result {
        var joined: [UInt8] = []
        var cursor = message
        while !cursor.isAtEnd {
            let start = cursor.position
            let found = try cursor.tag()
            try cursor.skip(found)
            if tags.contains(found) { joined += ProtobufCursor(start, cursor.position).asBytes() }
        }
        return try withCursor(over: joined, body)
    }
    private func withCursor<Result>(
        over bytes: [UInt8],
        _ body: (ProtobufCursor) throws(MalformedMessage) -> Result
    ) throws(MalformedMessage) -> Result {
        // One byte more, so that an empty run has an address too.
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
        defer { copy.deallocate() }
        for (index, byte) in bytes.enumerated() { copy[index] = byte }
        return try body(ProtobufCursor(copy, copy + bytes.count))
    }
}
