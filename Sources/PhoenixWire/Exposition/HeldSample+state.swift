import PhoenixModel

/// How what is held of a series is written for the next process.
extension HeldSample {
    private enum Form: UInt64 { case integer, double, histogram, exponential, summary }

    /// Without its age, which is the writer's to tell.
    func write(_ series: Series, to writer: inout StateWriter) {
        writer.write(series)
        writer.write(time)
        writer.write(start)
        switch value {
        case .number(let number):
            writer.write((number.isInteger ? Form.integer : .double).rawValue)
            if number.isInteger {
                writer.write(signed: number.integer)
            } else {
                writer.write(bits: number.bits)
            }
        case .compound(let point): write(point, to: &writer)
        }
    }
    private func write(_ point: CompoundPoint, to writer: inout StateWriter) {
        switch point.content {
        case .histogram(let layout, let buckets):
            writer.write(Form.histogram.rawValue)
            writer.write(layout)
            writer.write(buckets)
        case .exponential(let buckets):
            writer.write(Form.exponential.rawValue)
            writer.write(signed: Int64(buckets.scale))
            writer.write(buckets.zeroCount)
            writer.write(buckets.zeroThreshold)
            for side in [buckets.positive, buckets.negative] {
                writer.write(signed: Int64(side.offset))
                writer.write(side.counts)
            }
        case .summary(let quantiles, let values):
            writer.write(Form.summary.rawValue)
            writer.write(quantiles.count)
            for number in quantiles + values { writer.write(number) }
        }
        writer.write(point.count)
        writer.write(point.sum != nil)
        if let sum = point.sum { writer.write(sum) }
    }

    /// Reads one; nil where the table has no room for the series.
    static func read(_ reader: inout StateReader, _ table: SeriesTable) throws -> HeldSample? {
        let id = try reader.series(table)
        let (time, start) = (try reader.number(), try reader.number())
        guard let form = Form(rawValue: try reader.number()) else {
            throw StateError.malformed(what: "a point is of no kind")
        }
        let value: Value
        switch form {
        case .integer: value = .number(Number(try reader.signed()))
        case .double: value = .number(Number(bits: try reader.bits(), isInteger: false))
        case .histogram: value = .compound(try point(&reader, start, content: histogram(&reader)))
        case .exponential: value = .compound(try point(&reader, start, content: exponential(&reader)))
        case .summary: value = .compound(try point(&reader, start, content: summary(&reader)))
        }
        return id.map { HeldSample(id: $0, value: value, start: start, time: time, seen: 0) }
    }
    private static func point(
        _ reader: inout StateReader,
        _ start: UInt64,
        content: CompoundPoint.Content
    ) throws -> CompoundPoint {
        let count = try reader.number()
        let sum = try reader.flag() ? try reader.double() : nil
        return CompoundPoint(count: count, sum: sum, start: start, content: content)
    }
    private static func histogram(_ reader: inout StateReader) throws -> CompoundPoint.Content {
        let (layout, buckets) = (try reader.layout(), try reader.numbers())
        guard buckets.count == layout.bucketCount else {
            throw StateError.malformed(what: "buckets are missing")
        }
        return .histogram(layout: layout, buckets: buckets)
    }
    private static func exponential(_ reader: inout StateReader) throws -> CompoundPoint.Content {
        func side(_ reader: inout StateReader) throws -> ExponentialBuckets.Side {
            let offset = Int(try reader.signed())
            guard (-Int(Int32.max)...Int(Int32.max)).contains(offset) else {
                throw StateError.malformed(what: "a bucket lies too far out")
            }
            return .init(offset: offset, counts: try reader.numbers())
        }
        return .exponential(
            ExponentialBuckets(
                scale: Int(try reader.signed()),
                zeroCount: try reader.number(),
                zeroThreshold: try reader.double(),
                positive: try side(&reader),
                negative: try side(&reader)
            )
        )
    }
    private static func summary(_ reader: inout StateReader) throws -> CompoundPoint.Content {
        var (quantiles, values): ([Double], [Double]) = ([], [])
        let count = try reader.count()
        for _ in 0..<count { quantiles.append(try reader.double()) }
        for _ in 0..<count { values.append(try reader.double()) }
        return .summary(quantiles: quantiles, values: values)
    }
}
