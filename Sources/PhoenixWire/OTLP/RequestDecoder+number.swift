import PhoenixModel

/// What a point's series is made of beside its attributes.
struct PointContext {
    var resource: UInt32
    var metric: UInt32
    /// False where the metric's temporality is unspecified, which refuses its points.
    var hasTemporality: Bool
}

/// The run of a point's attribute fields in its bytes.
struct AttributeRun {
    var start: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>
    /// False where other fields stand between them.
    var isContiguous = true

    @inline(__always)
    init(_ position: UnsafePointer<UInt8>) { (start, end) = (position, position) }

    /// Adds the field that begins at `fieldStart` and ends where the cursor stands.
    @inline(__always)
    mutating func extend(from fieldStart: UnsafePointer<UInt8>, to position: UnsafePointer<UInt8>) {
        if start == end {
            start = fieldStart
        } else if end != fieldStart {
            isContiguous = false
        }
        end = position
    }
}

extension RequestDecoder {
    /// A `NumberDataPoint`.
    @inline(__always)
    mutating func decodeNumber(_ message: ProtobufCursor, _ context: PointContext) throws(MalformedMessage) {
        var cursor = message
        var (time, start, bits): (UInt64, UInt64, UInt64) = (0, 0, 0)
        var (flags, hasValue, hasExemplars) = (PointFlags(), false, false)
        var run = AttributeRun(message.position)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            switch try cursor.tag() {
            case 0x11: start = try cursor.fixed64()
            case 0x19: time = try cursor.fixed64()
            case 0x21:
                bits = try cursor.fixed64()
                flags.remove(.isInteger)
                hasValue = true
            case 0x31:
                bits = try cursor.fixed64()
                flags.insert(.isInteger)
                hasValue = true
            case 0x3A:
                _ = try cursor.delimited()
                run.extend(from: fieldStart, to: cursor.position)
            case 0x40: try readFlags(&cursor, &flags)
            case 0x2A:
                _ = try cursor.delimited()
                hasExemplars = true
            case let tag: try cursor.skip(tag)
            }
        }
        let attributes = try attributeSlot(run, message, tag: 0x3A)
        let exemplars = hasExemplars ? try parseExemplars(message, tag: 0x2A) : []
        guard context.hasTemporality else { return refusals.add(.temporality) }
        if let refusal = NumberRules.refusal(time: time, hasValue: hasValue, flags) {
            return refusals.add(refusal)
        }
        guard let id = series(context, attributes) else { return refusals.add(.seriesLimit) }
        builder.numbers.append(id, time: time, start: start, bits: bits, flags: flags)
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }

    @inline(__always)
    func readFlags(_ cursor: inout ProtobufCursor, _ flags: inout PointFlags) throws(MalformedMessage) {
        if try cursor.varint() & 1 != 0 {
            flags.insert(.noRecordedValue)
        } else {
            flags.remove(.noRecordedValue)
        }
    }

    @inline(__always)
    mutating func series(_ context: PointContext, _ attributes: UInt32) -> SeriesID? {
        finder.find(resource: context.resource, metric: context.metric, attributes: attributes)
    }

    /// The slot of the set that a point's attribute fields make.
    @inline(__always)
    mutating func attributeSlot(
        _ run: AttributeRun,
        _ message: ProtobufCursor,
        tag: UInt32
    ) throws(MalformedMessage) -> UInt32 {
        if run.start == run.end { return SeriesTable.emptySetSlot }
        if run.isContiguous {
            return try attributeSlot(ProtobufCursor(run.start, run.end), tag: tag)
        }
        let joined = try JoinedFields([tag], in: message)
        defer { withExtendedLifetime(joined) {} }
        return try attributeSlot(joined.cursor, tag: tag)
    }
    private mutating func attributeSlot(_ run: ProtobufCursor, tag: UInt32) throws(MalformedMessage) -> UInt32
    {
        let (start, count) = (run.position, run.left)
        // The tag is in the bytes already, but bytes of two kinds of points may agree by chance: hence the context.
        if let entry = attributeSets.find(start, count, context: UInt64(tag), after: cursors.attributes) {
            cursors.attributes = entry
            return attributeSets.slot(of: entry)
        }
        let set = table.intern(try run.attributes(tag: tag, depth: 5))
        cursors.attributes = attributeSets.add(
            start,
            count,
            context: UInt64(tag),
            after: cursors.attributes,
            set,
            slot: set.slot
        )
        return set.slot
    }

    // MARK: Exemplars

    /// An exemplar whose series is not known yet.
    struct LooseExemplar {
        var time: UInt64 = 0
        /// The bits of its value; one without is none (OTLP, Exemplar).
        var bits: UInt64?
        var flags = PointFlags()
        var traceID: [UInt8] = []
        var spanID: [UInt8] = []
        var attributes: [Attribute] = []
    }
    func parseExemplars(_ message: ProtobufCursor, tag: UInt32) throws(MalformedMessage) -> [LooseExemplar] {
        var cursor = message
        var found: [LooseExemplar] = []
        while !cursor.isAtEnd {
            let next = try cursor.tag()
            if next == tag {
                found.append(try parseExemplar(cursor.delimited()))
            } else {
                try cursor.skip(next)
            }
        }
        return found
    }
    private func parseExemplar(_ message: ProtobufCursor) throws(MalformedMessage) -> LooseExemplar {
        var (cursor, exemplar) = (message, LooseExemplar())
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x11: exemplar.time = try cursor.fixed64()
            case 0x19:
                exemplar.bits = try cursor.fixed64()
                exemplar.flags.remove(.isInteger)
            case 0x31:
                exemplar.bits = try cursor.fixed64()
                exemplar.flags.insert(.isInteger)
            case 0x22: exemplar.spanID = try cursor.delimited().asBytes()
            case 0x2A: exemplar.traceID = try cursor.delimited().asBytes()
            case 0x3A: exemplar.attributes.append(try cursor.delimited().keyValue(depth: 7))
            case let tag: try cursor.skip(tag)
            }
        }
        return exemplar
    }
    /// Of many exemplars on one point the last count: as many as a scrape could show of one series.
    static var maximumExemplars: Int { 16 }

    mutating func attach(_ exemplars: [LooseExemplar], to series: SeriesID) {
        /// Trace context: an id of nothing but zeros is none.
        func id(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
            bytes.count == count && bytes.contains { $0 != 0 } ? bytes : []
        }
        for loose in exemplars.lazy.filter({ $0.bits != nil }).suffix(Self.maximumExemplars) {
            builder.exemplars.append(
                Exemplar(
                    series: series,
                    timeUnixNano: loose.time,
                    bits: loose.bits ?? 0,
                    flags: loose.flags,
                    traceID: id(loose.traceID, 16),
                    spanID: id(loose.spanID, 8),
                    filteredAttributes: AttributeSet(loose.attributes)
                )
            )
        }
    }
}
