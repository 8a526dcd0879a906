/// An exponential histogram as a scrape told it.
struct NativePoint {
    var count: UInt64
    var sum: Double?
    var scale: Int
    var zeroCount: UInt64
    var zeroThreshold: Double
    var positive: ExponentialBuckets.Side
    var negative: ExponentialBuckets.Side
}

/// The fields of a `Histogram` that make a native one; see `NativeBuckets`.
struct NativeFields {
    private struct Side {
        var spans: [NativeBuckets.Span] = []
        var deltas: [Int64] = []
    }
    var count: UInt64 = 0
    var sum: Double?
    private var schema: Int64 = 0
    private var zeroThreshold = 0.0
    private var zeroCount: UInt64 = 0
    private var positive = Side()
    private var negative = Side()
    /// Counts that are no whole numbers have fields of their own.
    private var isFractional = false
    /// So many buckets of a side are kept apart at most; more of them are joined, two by two.
    private static let maximumBuckets = 1 << 14

    /// Whether there is anything of a native histogram.
    var isNative: Bool {
        !positive.spans.isEmpty || !negative.spans.isEmpty || zeroThreshold > 0 || zeroCount > 0
            || isFractional
    }

    /// Reads a field of the message, or passes over it.
    mutating func read(_ tag: UInt32, _ cursor: inout ProtobufCursor) throws(MalformedMessage) {
        switch tag {
        // sample_count_float, zero_count_float, negative_count, positive_count
        case 0x21, 0x41:
            if try cursor.double() != 0 { isFractional = true }
        case 0x5A, 0x72:
            if try cursor.delimited().left > 0 { isFractional = true }
        case 0x28: schema = try cursor.zigzag()
        case 0x31: zeroThreshold = try cursor.double()
        case 0x38: zeroCount = try cursor.varint()
        case 0x4A: negative.spans.append(try Self.span(cursor.delimited()))
        case 0x50: negative.deltas.append(try cursor.zigzag())
        case 0x52: try Self.read(packed: cursor.delimited(), into: &negative.deltas)
        case 0x62: positive.spans.append(try Self.span(cursor.delimited()))
        case 0x68: positive.deltas.append(try cursor.zigzag())
        case 0x6A: try Self.read(packed: cursor.delimited(), into: &positive.deltas)
        default: try cursor.skip(tag)
        }
    }
    private static func read(
        packed message: ProtobufCursor,
        into deltas: inout [Int64]
    ) throws(MalformedMessage) {
        var cursor = message
        while !cursor.isAtEnd { deltas.append(try cursor.zigzag()) }
    }
    private static func span(_ message: ProtobufCursor) throws(MalformedMessage) -> NativeBuckets.Span {
        var (cursor, span) = (message, NativeBuckets.Span(offset: 0, length: 0))
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x08: span.offset = Int32(truncatingIfNeeded: try cursor.zigzag())
            case 0x10: span.length = UInt32(truncatingIfNeeded: try cursor.varint())
            case let tag: try cursor.skip(tag)
            }
        }
        return span
    }

    /// The point that it tells, or why it tells none.
    ///
    /// Observations that are no numbers are in no bucket, and are not counted: a point counts what its buckets do.
    var point: Result<NativePoint, ScrapeDrop> {
        if isFractional { return .failure(.fractionalCount) }
        guard NativeBuckets.schemas.contains(Int(clamping: schema)), zeroThreshold >= 0,
            zeroThreshold.isFinite,
            let positive = Self.buckets(positive), let negative = Self.buckets(negative)
        else { return .failure(.nativeBuckets) }
        var (count, scale) = (zeroCount, Int(schema))
        for (_, one) in positive + negative {
            let (sum, overflow) = count.addingReportingOverflow(one)
            if overflow { return .failure(.nativeBuckets) }
            count = sum
        }
        guard count <= self.count else { return .failure(.nativeBuckets) }
        var steps = 0
        while Self.width(positive, steps) > Self.maximumBuckets
            || Self.width(negative, steps) > Self.maximumBuckets
        {
            steps += 1
        }
        scale -= steps
        return .success(
            NativePoint(
                count: count,
                sum: sum,
                scale: scale,
                zeroCount: zeroCount,
                zeroThreshold: zeroThreshold == NativeBuckets.leastThreshold ? 0 : zeroThreshold,
                positive: Self.side(positive, steps),
                negative: Self.side(negative, steps)
            )
        )
    }
    /// The buckets that hold something, in order, by OpenTelemetry's indices; nil where spans and counts do not fit.
    private static func buckets(_ side: Side) -> [(index: Int, count: UInt64)]? {
        var (buckets, index, count, deltas): ([(Int, UInt64)], Int, Int64, ArraySlice<Int64>) = (
            [], -1, 0, side.deltas[...]
        )
        for (number, span) in side.spans.enumerated() {
            guard number == 0 || span.offset >= 0, Int(span.length) <= deltas.count else { return nil }
            index += Int(span.offset)
            for _ in 0..<span.length {
                let (sum, overflow) = count.addingReportingOverflow(deltas.removeFirst())
                guard !overflow, sum >= 0 else { return nil }
                count = sum
                if count > 0 { buckets.append((index, UInt64(count))) }
                index += 1
            }
            guard abs(index) <= Int(Int32.max) else { return nil }
        }
        return deltas.isEmpty ? buckets : nil
    }
    private static func width(_ buckets: [(index: Int, count: UInt64)], _ steps: Int) -> Int {
        guard let first = buckets.first, let last = buckets.last else { return 0 }
        return last.index >> steps - first.index >> steps + 1
    }
    private static func side(
        _ buckets: [(index: Int, count: UInt64)],
        _ steps: Int
    ) -> ExponentialBuckets.Side {
        guard let first = buckets.first else { return ExponentialBuckets.Side() }
        var side = ExponentialBuckets.Side(offset: first.index >> steps)
        side.counts = Array(repeating: 0, count: width(buckets, steps))
        for (index, count) in buckets { side.counts[index >> steps - side.offset] += count }
        return side
    }
}

extension ProtobufCursor {
    /// A `sint32` or `sint64`.
    mutating func zigzag() throws(MalformedMessage) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1 ^ (0 &- (value & 1)))
    }
}
