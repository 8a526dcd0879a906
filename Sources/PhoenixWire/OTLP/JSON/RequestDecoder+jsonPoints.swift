import PhoenixModel

/// The five kinds of points in OTLP/JSON.
extension RequestDecoder {
    private enum NumberField: String {
        case attributes, startTimeUnixNano, timeUnixNano, asDouble, asInt, exemplars, flags
    }
    private enum HistogramField: String {
        case attributes, startTimeUnixNano, timeUnixNano, count, sum, bucketCounts, explicitBounds, exemplars,
            flags
        case min, max, scale, zeroCount, positive, negative, zeroThreshold
    }
    private enum SideField: String { case offset, bucketCounts }
    private enum SummaryField: String {
        case attributes, startTimeUnixNano, timeUnixNano, count, sum, quantileValues, flags
    }
    private enum QuantileField: String { case quantile, value }
    private enum ExemplarField: String {
        case filteredAttributes, timeUnixNano, asDouble, asInt, spanId, traceId
    }

    /// The series of a point, whose attribute set is held until the series holds it.
    private mutating func series(_ context: PointContext, _ attributes: [Attribute]) -> SeriesID? {
        let set = table.intern(attributes)
        defer { withExtendedLifetime(set) {} }
        return series(context, set.slot)
    }

    mutating func decodeNumber(_ value: JSONValue, _ context: PointContext) throws(MalformedJSON) {
        let fields = try value.fields(NumberField.self)
        let (time, start) = (try fields.uint64(.timeUnixNano), try fields.uint64(.startTimeUnixNano))
        var flags = try Self.flags(fields[.flags])
        let number = try Self.number(
            fields.last(of: .asInt, .asDouble).map { ($0.field == .asInt, $0.value) },
            &flags
        )
        let attributes = try fields.attributes(.attributes)
        let exemplars = try exemplars(fields[.exemplars])
        guard context.hasTemporality else { return refusals.add(.temporality) }
        if let refusal = NumberRules.refusal(time: time, hasValue: number != nil, flags) {
            return refusals.add(refusal)
        }
        guard let id = series(context, attributes) else { return refusals.add(.seriesLimit) }
        builder.numbers.append(id, time: time, start: start, bits: number ?? 0, flags: flags)
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }

    mutating func decodeHistogram(_ value: JSONValue, _ context: PointContext) throws(MalformedJSON) {
        let fields = try value.fields(HistogramField.self)
        var flags = try Self.flags(fields[.flags])
        let draft = try Self.draft(fields, &flags)
        let attributes = try fields.attributes(.attributes)
        let exemplars = try exemplars(fields[.exemplars])
        var bounds: [Double] = []
        for bound in try fields.elements(.explicitBounds) { bounds.append(try bound.double()) }
        let bucketStart = builder.histograms.counts.count
        builder.histograms.counts.begin()
        for count in try fields.elements(.bucketCounts) {
            builder.histograms.counts.append(try count.uint64())
        }
        let bucketCount = builder.histograms.counts.count - bucketStart
        let refusal =
            context.hasTemporality
            ? HistogramRules.refusal(
                of: draft,
                flags,
                bucketCount: bucketCount,
                bucketSum: builder.histograms.counts.total(),
                bounds: bounds.count,
                areIncreasing: HistogramRules.areIncreasing(bounds)
            ) : .temporality
        if let refusal { return refuseHistogram(refusal, bucketStart) }
        guard let id = series(context, attributes) else { return refuseHistogram(.seriesLimit, bucketStart) }
        let layout = layout(of: bounds, bucketCount: bucketCount)
        builder.histograms.append(id, draft, flags, layout, bucketsFrom: bucketStart)
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }

    mutating func decodeExponential(_ value: JSONValue, _ context: PointContext) throws(MalformedJSON) {
        let fields = try value.fields(HistogramField.self)
        var flags = try Self.flags(fields[.flags])
        let draft = try Self.draft(fields, &flags)
        let attributes = try fields.attributes(.attributes)
        let exemplars = try exemplars(fields[.exemplars])
        let bucketStart = builder.exponentials.counts.count
        builder.exponentials.counts.begin()
        let point = ExponentialDraft(
            scale: try fields[.scale]?.int32() ?? 0,
            zeroCount: try fields.uint64(.zeroCount),
            zeroThreshold: try fields.double(.zeroThreshold),
            positive: try side(fields[.positive]),
            negative: try side(fields[.negative])
        )
        if refuses(draft, flags, point, context, bucketStart: bucketStart) { return }
        guard let id = series(context, attributes) else {
            return refuseExponential(.seriesLimit, bucketStart)
        }
        builder.exponentials.append(id, draft, flags, point)
        if !exemplars.isEmpty { attach(exemplars, to: id) }
    }

    mutating func decodeSummary(_ value: JSONValue, _ context: PointContext) throws(MalformedJSON) {
        let fields = try value.fields(SummaryField.self)
        let flags = try Self.flags(fields[.flags]).union(.hasSum)
        let (time, start) = (try fields.uint64(.timeUnixNano), try fields.uint64(.startTimeUnixNano))
        let (count, sum) = (try fields.uint64(.count), try fields.double(.sum))
        let attributes = try fields.attributes(.attributes)
        var (quantiles, values): ([Double], [Double]) = ([], [])
        for element in try fields.elements(.quantileValues) {
            let pair = try element.fields(QuantileField.self)
            quantiles.append(try pair.double(.quantile))
            values.append(try pair.double(.value))
        }
        guard time != 0 || flags.contains(.noRecordedValue) else { return refusals.add(.noTime) }
        guard let id = series(context, attributes) else { return refusals.add(.seriesLimit) }
        builder.summaries.append(
            id,
            time: time,
            start: start,
            flags: flags,
            count: count,
            sum: sum,
            quantiles: quantiles,
            values: values
        )
    }

    // MARK: Parts of points

    private static func flags(_ value: JSONValue?) throws(MalformedJSON) -> PointFlags {
        guard let value, try value.uint32() & 1 != 0 else { return [] }
        return .noRecordedValue
    }
    /// The bits of `asInt` or `asDouble`, whichever comes last; nil where neither is there.
    private static func number(
        _ chosen: (isInteger: Bool, value: JSONValue)?,
        _ flags: inout PointFlags
    ) throws(MalformedJSON) -> UInt64? {
        guard let chosen else { return nil }
        guard chosen.isInteger else { return try chosen.value.double().bitPattern }
        flags.insert(.isInteger)
        return UInt64(bitPattern: try chosen.value.int64())
    }
    private static func draft(
        _ fields: JSONFields<HistogramField>,
        _ flags: inout PointFlags
    ) throws(MalformedJSON) -> HistogramDraft {
        if fields[.sum] != nil { flags.insert(.hasSum) }
        if fields[.min] != nil { flags.insert(.hasMinimum) }
        if fields[.max] != nil { flags.insert(.hasMaximum) }
        return HistogramDraft(
            time: try fields.uint64(.timeUnixNano),
            start: try fields.uint64(.startTimeUnixNano),
            count: try fields.uint64(.count),
            sum: try fields.double(.sum),
            minimum: try fields.double(.min),
            maximum: try fields.double(.max)
        )
    }
    private mutating func side(_ value: JSONValue?) throws(MalformedJSON) -> ExponentialPoints.Side {
        var side = ExponentialPoints.Side(start: builder.exponentials.counts.count)
        guard let fields = try value?.fields(SideField.self) else { return side }
        side.offset = try fields[.offset]?.int32() ?? 0
        for count in try fields.elements(.bucketCounts) {
            builder.exponentials.counts.append(try count.uint64())
        }
        side.count = builder.exponentials.counts.count - side.start
        return side
    }
    private func exemplars(_ value: JSONValue?) throws(MalformedJSON) -> [LooseExemplar] {
        guard let value else { return [] }
        var exemplars: [LooseExemplar] = []
        for element in try value.elements() {
            let fields = try element.fields(ExemplarField.self)
            var exemplar = LooseExemplar()
            exemplar.time = try fields.uint64(.timeUnixNano)
            let chosen = fields.last(of: .asInt, .asDouble).map { ($0.field == .asInt, $0.value) }
            exemplar.bits = try Self.number(chosen, &exemplar.flags)
            exemplar.traceID = try fields[.traceId]?.hex() ?? []
            exemplar.spanID = try fields[.spanId]?.hex() ?? []
            exemplar.attributes = try fields.attributes(.filteredAttributes)
            exemplars.append(exemplar)
        }
        return exemplars
    }
}
