import PhoenixModel

extension RequestDecoder {
    /// An `ExponentialHistogramDataPoint`.
    mutating func decodeExponential(
        _ message: ProtobufCursor,
        _ context: PointContext
    ) throws(MalformedMessage) {
        var (cursor, draft, flags) = (message, HistogramDraft(), PointFlags())
        var (scale, zeroCount, zeroThreshold): (Int32, UInt64, Double) = (0, 0, 0)
        var (hasExemplars, positive, negative) = (false, SideDraft(), SideDraft())
        var run = AttributeRun(message.position)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            switch try cursor.tag() {
            case 0x0A:
                _ = try cursor.delimited()
                run.extend(from: fieldStart, to: cursor.position)
            case 0x11: draft.start = try cursor.fixed64()
            case 0x19: draft.time = try cursor.fixed64()
            case 0x21: draft.count = try cursor.fixed64()
            case 0x29:
                draft.sum = try cursor.double()
                flags.insert(.hasSum)
            case 0x30: scale = Self.zigzag(try cursor.varint())
            case 0x39: zeroCount = try cursor.fixed64()
            case 0x42: try positive.read(cursor.delimited())
            case 0x4A: try negative.read(cursor.delimited())
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
        let attributes = try attributeSlot(run, message, tag: 0x0A)
        let exemplars = hasExemplars ? try parseExemplars(message, tag: 0x5A) : []
        let point = ExponentialDraft(
            scale: scale,
            zeroCount: zeroCount,
            zeroThreshold: zeroThreshold,
            positive: positive,
            negative: negative
        )
        guard context.hasTemporality else { return refusals.add(.temporality) }
        if let refusal = point.refusal(draft, flags) { return refusals.add(refusal) }
        guard let id = series(context, attributes) else { return refusals.add(.seriesLimit) }
        builder.exponentials.append(id, draft, flags, point)
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }
    static func zigzag(_ value: UInt64) -> Int32 {
        let bits = UInt32(truncatingIfNeeded: value)
        return Int32(bitPattern: bits >> 1 ^ (0 &- (bits & 1)))
    }
}

/// One side of an exponential histogram's buckets while it is read.
struct SideDraft {
    var offset: Int32 = 0
    var counts: [UInt64] = []

    /// Reads `Buckets`; a second message of the same field goes on where the first ended.
    mutating func read(_ message: ProtobufCursor) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: offset = RequestDecoder.zigzag(try cursor.varint())
            case 0x12:
                var packed = try cursor.delimited()
                while !packed.isAtEnd { counts.append(try packed.varint()) }
            case 0x10: counts.append(try cursor.varint())
            case let tag: try cursor.skip(tag)
            }
        }
    }
}

/// What an exponential histogram point has beside the fields of every histogram.
struct ExponentialDraft {
    var scale: Int32
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: SideDraft
    var negative: SideDraft

    func refusal(_ draft: HistogramDraft, _ flags: PointFlags) -> PointRefusal? {
        if flags.contains(.noRecordedValue) { return nil }
        if draft.time == 0 { return .noTime }
        guard HistogramRules.sum([zeroCount] + positive.counts + negative.counts) == draft.count else {
            return .count
        }
        guard HistogramRules.isInRange(scale: scale, offset: positive.offset, count: positive.counts.count),
            HistogramRules.isInRange(scale: scale, offset: negative.offset, count: negative.counts.count)
        else { return .range }
        return nil
    }
}

extension ExponentialPoints {
    mutating func append(
        _ id: SeriesID,
        _ draft: HistogramDraft,
        _ pointFlags: PointFlags,
        _ point: ExponentialDraft
    ) {
        series.append(id)
        times.append(draft.time)
        starts.append(draft.start)
        flags.append(pointFlags)
        counts.append(draft.count)
        sums.append(draft.sum)
        minima.append(draft.minimum)
        maxima.append(draft.maximum)
        scales.append(point.scale)
        zeroCounts.append(point.zeroCount)
        zeroThresholds.append(point.zeroThreshold)
        positives.append(append(point.positive))
        negatives.append(append(point.negative))
    }
    private mutating func append(_ side: SideDraft) -> Side {
        let start = buckets.count
        buckets += side.counts
        return Side(offset: side.offset, start: start, count: side.counts.count)
    }
}
