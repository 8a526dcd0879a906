import PhoenixModel

extension RequestDecoder {
    /// A `HistogramDataPoint`.
    mutating func decodeHistogram(_ message: ProtobufCursor, _ context: PointContext) throws(MalformedMessage)
    {
        var (cursor, draft, flags) = (message, HistogramDraft(), PointFlags())
        var hasExemplars = false
        var run = AttributeRun(message.position)
        let bucketStart = builder.histograms.counts.count
        builder.histograms.counts.begin()
        var bounds = BoundsRun(message.position)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            switch try cursor.tag() {
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
            case 0x32: try builder.histograms.counts.append(fixed: cursor.delimited())
            case 0x31: builder.histograms.counts.append(try cursor.fixed64())
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
        // Bounds that were seen before were found to be in order then.
        let known = bounds.packed.flatMap { knownLayout($0) }
        let bucketCount = builder.histograms.counts.count - bucketStart
        let refusal =
            context.hasTemporality
            ? HistogramRules.refusal(
                of: draft,
                flags,
                bucketCount: bucketCount,
                bucketSum: builder.histograms.counts.total(),
                bounds: bounds.count,
                areIncreasing: known != nil || bounds.areIncreasing
            ) : .temporality
        if let refusal { return refuseHistogram(refusal, bucketStart) }
        guard let id = series(context, attributes) else { return refuseHistogram(.seriesLimit, bucketStart) }
        // Nobody holds a layout anew where it is the one of the point before.
        let key = bucketCount == 0 ? -1 : known.map { layouts.age << 32 | Int($0) } ?? -1
        if !builder.histograms.appendAgain(id, draft, flags, key: key, bucketsFrom: bucketStart) {
            let layout = layout(of: bounds, known: known, bucketCount: bucketCount)
            builder.histograms.append(id, draft, flags, layout, key: key, bucketsFrom: bucketStart)
        }
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }

    mutating func refuseHistogram(_ reason: PointRefusal, _ bucketStart: Int) {
        refusals.add(reason)
        builder.histograms.truncate(to: builder.histograms.count, bucketStart)
    }

    /// The layout of these bounds, one object for all points that have it.
    @inline(__always)
    private mutating func layout(of bounds: BoundsRun, known: Int32?, bucketCount: Int) -> BucketLayout {
        if bucketCount == 0 { return .none }
        if let known { return layouts.meanings[Int(known)] }
        guard let packed = bounds.packed else { return BucketLayout(bounds: bounds.values) }
        return add(BucketLayout(bounds: bounds.values), packed)
    }
    /// The entry of bounds that were seen before.
    @inline(__always)
    private mutating func knownLayout(_ packed: ProtobufCursor) -> Int32? {
        let entry = layouts.find(packed.position, packed.left, context: 0, after: cursors.layout)
        if let entry { cursors.layout = entry }
        return entry
    }
    @inline(never)
    private mutating func add(_ layout: BucketLayout, _ packed: ProtobufCursor) -> BucketLayout {
        cursors.layout = layouts.add(packed.position, packed.left, context: 0, after: cursors.layout, layout)
        return layout
    }
    /// The layout of bounds that lie in an array, recognised by the same bytes as those of a message.
    mutating func layout(of bounds: [Double], bucketCount: Int) -> BucketLayout {
        if bucketCount == 0 { return .none }
        return bounds.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, !bounds.isEmpty else { return BucketLayout(bounds: []) }
            let start = base.assumingMemoryBound(to: UInt8.self)
            let packed = ProtobufCursor(start, start + bytes.count)
            if let known = knownLayout(packed) { return layouts.meanings[Int(known)] }
            return add(BucketLayout(bounds: bounds), packed)
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
