import PhoenixModel

extension RequestDecoder {
    /// A `HistogramDataPoint`.
    mutating func decodeHistogram(_ message: ProtobufCursor, _ context: PointContext) throws(MalformedMessage)
    {
        var (cursor, draft, flags) = (message, HistogramDraft(), PointFlags())
        var hasExemplars = false
        var run = AttributeRun(message.position)
        let bucketStart = builder.histograms.buckets.count
        var bounds = BoundsRun(message.position)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            switch try cursor.tag() {
            case 0x11: draft.start = try cursor.fixed64()
            case 0x19: draft.time = try cursor.fixed64()
            case 0x21: draft.count = try cursor.fixed64()
            case 0x29:
                draft.sum = try cursor.double()
                flags.insert(.hasSum)
            case 0x32: try appendFixed(cursor.delimited(), to: &builder.histograms.buckets)
            case 0x31: builder.histograms.buckets.append(try cursor.fixed64())
            case 0x3A: bounds.add(packed: try cursor.delimited())
            case 0x39: bounds.add(single: try cursor.double())
            case 0x42:
                _ = try cursor.delimited()
                hasExemplars = true
            case 0x4A:
                _ = try cursor.delimited()
                run.extend(from: fieldStart, to: cursor.position)
            case 0x50: try readFlags(&cursor, &flags)
            case 0x59:
                draft.minimum = try cursor.double()
                flags.insert(.hasMinimum)
            case 0x61:
                draft.maximum = try cursor.double()
                flags.insert(.hasMaximum)
            case let tag: try cursor.skip(tag)
            }
        }
        guard bounds.isWhole else { throw MalformedMessage(.truncated) }
        let attributes = try attributeSlot(run, message, tag: 0x4A)
        let exemplars = hasExemplars ? try parseExemplars(message, tag: 0x42) : []
        let refusal = check(draft, flags, context, bucketStart: bucketStart, bounds: bounds)
        if let refusal { return refuseHistogram(refusal, bucketStart) }
        guard let id = series(context, attributes) else { return refuseHistogram(.seriesLimit, bucketStart) }
        append(
            draft,
            flags,
            id,
            layout(of: bounds, bucketCount: builder.histograms.buckets.count - bucketStart),
            bucketStart
        )
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }

    mutating func refuseHistogram(_ reason: PointRefusal, _ bucketStart: Int) {
        refusals.add(reason)
        builder.histograms.buckets.removeSubrange(bucketStart...)
    }
    mutating func append(
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        _ id: SeriesID,
        _ layout: BucketLayout,
        _ bucketStart: Int
    ) {
        builder.histograms.series.append(id)
        builder.histograms.times.append(draft.time)
        builder.histograms.starts.append(draft.start)
        builder.histograms.flags.append(flags)
        builder.histograms.counts.append(draft.count)
        builder.histograms.sums.append(draft.sum)
        builder.histograms.minima.append(draft.minimum)
        builder.histograms.maxima.append(draft.maximum)
        builder.histograms.layouts.append(layout)
        builder.histograms.offsets.append(bucketStart)
    }
    private func check(
        _ draft: HistogramDraft,
        _ flags: PointFlags,
        _ context: PointContext,
        bucketStart: Int,
        bounds: BoundsRun
    ) -> PointRefusal? {
        guard context.hasTemporality else { return .temporality }
        let buckets = builder.histograms.buckets
        return HistogramRules.refusal(
            of: draft,
            flags,
            bucketCount: buckets.count - bucketStart,
            bucketSum: { HistogramRules.sum(buckets[bucketStart...]) },
            bounds: bounds.count,
            areIncreasing: bounds.areIncreasing
        )
    }

    /// The layout of these bounds, one object for all points that have it.
    private mutating func layout(of bounds: BoundsRun, bucketCount: Int) -> BucketLayout {
        if bucketCount == 0 { return .none }
        guard let packed = bounds.packed else { return BucketLayout(bounds: bounds.values) }
        return layout(of: packed) { bounds.values }
    }

    /// The layout of bounds that lie in an array, recognised by the same bytes as those of a message.
    mutating func layout(of bounds: [Double], bucketCount: Int) -> BucketLayout {
        if bucketCount == 0 { return .none }
        return bounds.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, !bounds.isEmpty else { return BucketLayout(bounds: []) }
            let start = base.assumingMemoryBound(to: UInt8.self)
            return layout(of: ProtobufCursor(start, start + bytes.count)) { bounds }
        }
    }
    private mutating func layout(of packed: ProtobufCursor, values: () -> [Double]) -> BucketLayout {
        let (start, count) = (packed.position, packed.left)
        if let entry = layouts.find(start, count, context: 0, after: cursors.layout) {
            cursors.layout = entry
            return layouts.meanings[Int(entry)]
        }
        let layout = BucketLayout(bounds: values())
        cursors.layout = layouts.add(start, count, context: 0, after: cursors.layout, layout)
        return layout
    }

    /// Appends packed words. The column grows by doubling: to reserve what this point needs would copy what all points
    /// before it needed.
    func appendFixed(_ packed: ProtobufCursor, to column: inout [UInt64]) throws(MalformedMessage) {
        guard packed.left % 8 == 0 else { throw MalformedMessage(.truncated) }
        let (start, count) = (column.count, packed.left / 8)
        let words = UnsafeRawPointer(packed.position)
        column.append(contentsOf: repeatElement(0, count: count))
        column.withUnsafeMutableBufferPointer { column in
            for index in 0..<count {
                let word = words.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                column[start + index] = UInt64(littleEndian: word)
            }
        }
    }
}

/// The explicit bounds of a point while it is read: packed in one field nearly always, and then left where they are.
struct BoundsRun {
    /// The one packed field that holds them all.
    private(set) var packed: ProtobufCursor?
    private var loose: [Double] = []
    /// Whether each packed field held whole doubles.
    private(set) var isWhole = true

    init(_ position: UnsafePointer<UInt8>) {}

    mutating func add(packed field: ProtobufCursor) {
        guard field.left % 8 == 0 else {
            isWhole = false
            return
        }
        if packed == nil, loose.isEmpty {
            packed = field
        } else {
            loose = values + Self.doubles(field)
            packed = nil
        }
    }
    mutating func add(single bound: Double) {
        loose = values + [bound]
        packed = nil
    }
    var count: Int { packed.map { $0.left / 8 } ?? loose.count }
    var values: [Double] { packed.map(Self.doubles) ?? loose }

    /// Whether each bound is greater than the one before; NaN is not.
    var areIncreasing: Bool {
        guard let packed else { return HistogramRules.areIncreasing(loose) }
        var previous = -Double.infinity
        for index in 0..<packed.left / 8 {
            let bound = UnsafeRawPointer(packed.position).loadUnaligned(
                fromByteOffset: index * 8,
                as: Double.self
            )
            guard bound > previous || (index == 0 && bound == previous) else { return false }
            previous = bound
        }
        return true
    }
    private static func doubles(_ field: ProtobufCursor) -> [Double] {
        (0..<field.left / 8).map {
            UnsafeRawPointer(field.position).loadUnaligned(fromByteOffset: $0 * 8, as: Double.self)
        }
    }
}
