import PhoenixModel

extension RequestDecoder {
    /// An `ExponentialHistogramDataPoint`.
    mutating func decodeExponential(
        _ message: ProtobufCursor,
        _ context: PointContext
    ) throws(MalformedMessage) {
        var (cursor, draft, flags) = (message, HistogramDraft(), PointFlags())
        var (scale, zeroCount, zeroThreshold): (Int32, UInt64, Double) = (0, 0, 0)
        var (hasExemplars, above, below) = (false, SideRun(), SideRun())
        var run = AttributeRun(message.position)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            switch try cursor.tag() {
            case 0x0A:
                _ = try cursor.delimited()
                run.extend(from: fieldStart, to: cursor.position)
            case 0x11:
                if draft.readInRow(&cursor) {
                    flags.insert(.hasSum)
                } else {
                    draft.start = try cursor.fixed64()
                }
            case 0x19: draft.time = try cursor.fixed64()
            case 0x21: draft.count = try cursor.fixed64()
            case 0x29:
                draft.sum = try cursor.double()
                flags.insert(.hasSum)
            case 0x30: scale = Self.zigzag(try cursor.varint())
            case 0x39: zeroCount = try cursor.fixed64()
            case 0x42: above.add(try cursor.delimited())
            case 0x4A: below.add(try cursor.delimited())
            case 0x50: try readFlags(&cursor, &flags)
            case 0x5A:
                _ = try cursor.delimited()
                hasExemplars = true
            case 0x61:
                draft.minimum = try cursor.double()
                flags.insert(.hasMinimum)
            case 0x69:
                draft.maximum = try cursor.double()
                flags.insert(.hasMaximum)
            case 0x71: zeroThreshold = try cursor.double()
            case let tag: try cursor.skip(tag)
            }
        }
        let bucketStart = builder.exponentials.counts.count
        builder.exponentials.counts.begin()
        let positive = try readSide(above, message, tag: 0x42)
        let negative = try readSide(below, message, tag: 0x4A)
        let attributes = try attributeSlot(run, message, tag: 0x0A)
        let exemplars = hasExemplars ? try parseExemplars(message, tag: 0x5A) : []
        let point = ExponentialDraft(
            scale: scale,
            zeroCount: zeroCount,
            zeroThreshold: zeroThreshold,
            positive: positive,
            negative: negative
        )
        if refuses(draft, flags, point, context, bucketStart: bucketStart) { return }
        guard let id = series(context, attributes) else {
            return refuseExponential(.seriesLimit, bucketStart)
        }
        builder.exponentials.append(id, draft, flags, point)
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }
    /// Whether a point is refused whose counts stand in the column from `bucketStart` on, where it began; it is counted then.
    @inline(__always)
    mutating func refuses(
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        _ point: ExponentialDraft,
        _ context: PointContext,
        bucketStart: Int
    ) -> Bool {
        let refusal =
            context.hasTemporality ? point.refusal(draft, flags, builder.exponentials.counts) : .temporality
        if let refusal { refuseExponential(refusal, bucketStart) }
        return refusal != nil
    }
    @inline(never)
    mutating func refuseExponential(_ reason: PointRefusal, _ bucketStart: Int) {
        refusals.add(reason)
        builder.exponentials.truncate(to: builder.exponentials.count, bucketStart)
    }
    static func zigzag(_ value: UInt64) -> Int32 {
        let bits = UInt32(truncatingIfNeeded: value)
        return Int32(bitPattern: bits >> 1 ^ (0 &- (bits & 1)))
    }
    /// Reads one side of a point into the column, where its counts stand in a row however many parts it came in.
    @inline(__always)
    private mutating func readSide(
        _ run: SideRun,
        _ message: ProtobufCursor,
        tag: UInt32
    ) throws(MalformedMessage) -> ExponentialPoints.Side {
        var side = ExponentialPoints.Side(start: builder.exponentials.counts.count)
        if run.parts == 1 { try readBuckets(run.last, &side) }
        if run.parts > 1 { try readParts(message, tag, &side) }
        side.count = builder.exponentials.counts.count - side.start
        return side
    }
    @inline(never)
    private mutating func readParts(
        _ message: ProtobufCursor,
        _ wanted: UInt32,
        _ side: inout ExponentialPoints.Side
    ) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            if tag == wanted { try readBuckets(cursor.delimited(), &side) } else { try cursor.skip(tag) }
        }
    }
    /// Reads `Buckets`; a second message of the same field goes on where the first ended.
    @inline(__always)
    private mutating func readBuckets(
        _ message: ProtobufCursor,
        _ side: inout ExponentialPoints.Side
    ) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: side.offset = Self.zigzag(try cursor.varint())
            case 0x12: try builder.exponentials.counts.append(varints: cursor.delimited())
            case 0x10: builder.exponentials.counts.append(try cursor.varint())
            case let tag: try cursor.skip(tag)
            }
        }
    }
}

/// The messages of one side of a point while it is read: one nearly always, and then it is not looked for again.
private struct SideRun {
    private(set) var parts = 0
    private var part: ProtobufCursor?
    mutating func add(_ part: ProtobufCursor) {
        (self.part, parts) = (part, parts + 1)
    }
    /// The last one; there must be one.
    var last: ProtobufCursor { part.unsafelyUnwrapped }
}

/// What an exponential histogram point has beside the fields of every histogram.
struct ExponentialDraft {
    var scale: Int32
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: ExponentialPoints.Side
    var negative: ExponentialPoints.Side

    /// Why a point cannot be taken whose counts were appended to `counts` last.
    @inline(__always)
    func refusal(_ draft: HistogramDraft, _ flags: PointFlags, _ counts: CountColumn) -> PointRefusal? {
        if flags.contains(.noRecordedValue) { return nil }
        if draft.time == 0 { return .noTime }
        guard counts.total(and: zeroCount) == draft.count else { return .count }
        guard HistogramRules.isInRange(scale: scale, offset: positive.offset, count: positive.count),
            HistogramRules.isInRange(scale: scale, offset: negative.offset, count: negative.count)
        else { return .range }
        return nil
    }
}
