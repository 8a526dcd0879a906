import PhoenixModel

extension RequestDecoder {
    /// A `SummaryDataPoint`.
    mutating func decodeSummary(_ message: ProtobufCursor, _ context: PointContext) throws(MalformedMessage) {
        var (cursor, flags) = (message, PointFlags.hasSum)
        var (time, start, count, sum): (UInt64, UInt64, UInt64, Double) = (0, 0, 0, 0)
        var (quantiles, values): ([Double], [Double]) = ([], [])
        var run = AttributeRun(message.position)
        while !cursor.isAtEnd {
            let fieldStart = cursor.position
            switch try cursor.tag() {
            case 0x11: start = try cursor.fixed64()
            case 0x19: time = try cursor.fixed64()
            case 0x21: count = try cursor.fixed64()
            case 0x29: sum = try cursor.double()
            case 0x32:
                let (quantile, value) = try quantileValue(cursor.delimited())
                quantiles.append(quantile)
                values.append(value)
            case 0x3A:
                _ = try cursor.delimited()
                run.extend(from: fieldStart, to: cursor.position)
            case 0x40: try readFlags(&cursor, &flags)
            case let tag: try cursor.skip(tag)
            }
        }
        let attributes = try attributeSlot(run, message, tag: 0x3A)
        // A summary has no temporality to lack, but may stand where it is read for its form alone.
        guard context.hasTemporality else { return refusals.add(.temporality) }
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
    private func quantileValue(_ message: ProtobufCursor) throws(MalformedMessage) -> (Double, Double) {
        var (cursor, quantile, value) = (message, 0.0, 0.0)
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x09: quantile = try cursor.double()
            case 0x11: value = try cursor.double()
            case let tag: try cursor.skip(tag)
            }
        }
        return (quantile, value)
    }
}

extension SummaryPoints {
    mutating func append(
        _ id: SeriesID,
        time: UInt64,
        start: UInt64,
        flags pointFlags: PointFlags,
        count: UInt64,
        sum: Double,
        quantiles pointQuantiles: [Double],
        values pointValues: [Double]
    ) {
        series.append(id)
        times.append(time)
        starts.append(start)
        flags.append(pointFlags)
        counts.append(count)
        sums.append(sum)
        offsets.append(quantiles.count)
        quantiles += pointQuantiles
        values += pointValues
    }
}
