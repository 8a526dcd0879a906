/// The kinds as they are written.
extension RowKind {
    fileprivate var number: UInt64 {
        switch self {
        case .histogram, .histogramTotal: 1
        case .exponential, .exponentialTotal: 2
        case .summary, .summaryTotal: 3
        }
    }
}

extension CompoundRow {
    /// What a row holds, after a number that says of which kind it is; 0 where it is none.
    func write(to writer: inout StateWriter) {
        writer.write(kind?.number ?? 0)
        writeContent(to: &writer)
    }
    fileprivate func writeContent(to writer: inout StateWriter) {
        switch kind {
        case nil: break
        case .histogram: HistogramPoint(self).write(to: &writer)
        case .exponential: ExponentialPoint(self).write(to: &writer)
        case .summary: SummaryPoint(self).write(to: &writer)
        case .histogramTotal: HistogramTotal.write(self, to: &writer)
        case .exponentialTotal: ExponentialTotal.write(self, to: &writer)
        case .summaryTotal: SummaryTotal.write(self, to: &writer)
        }
    }
    /// A last point.
    static func point(from reader: inout StateReader) throws -> CompoundRow {
        try point(try reader.number(), from: &reader)
    }
    fileprivate static func point(_ kind: UInt64, from reader: inout StateReader) throws -> CompoundRow {
        switch kind {
        case 0: .none
        case 1: try HistogramPoint.row(from: &reader)
        case 2: try ExponentialPoint.row(from: &reader)
        case 3: try SummaryPoint.row(from: &reader)
        default: throw StateError.malformed(what: "a point is of no kind")
        }
    }
    static func total(from reader: inout StateReader) throws -> CompoundRow {
        switch try reader.number() {
        case 0: .none
        case 1: try HistogramTotal.row(from: &reader)
        case 2: try ExponentialTotal.row(from: &reader)
        case 3: try SummaryTotal.row(from: &reader)
        default: throw StateError.malformed(what: "a total is of no kind")
        }
    }
}

extension CompoundState {
    /// Puts a total that was read in the place of an output's.
    mutating func read(total number: UInt32, from reader: inout StateReader) throws {
        let total = try CompoundRow.total(from: &reader)
        totals.element(number).pointee.clear()
        totals.element(number).pointee = total
    }
    /// The same of an input's last point, and of those of other writers of its series.
    mutating func read(point slot: UInt32, from reader: inout StateReader) throws {
        let point = try CompoundRow.point(from: &reader)
        points.element(slot).pointee.clear()
        points.element(slot).pointee = point
        guard let kind = point.kind else { return }
        for _ in 0..<(try reader.count()) {
            let member = try Member(from: &reader)
            let twin = CompoundTwin(member: member, point: try CompoundRow.point(kind.number, from: &reader))
            twins[slot, default: []].append(twin)
        }
    }
}

extension [CompoundTwin] {
    /// Behind the point of the writer that is followed.
    func write(to writer: inout StateWriter) {
        writer.write(count)
        for twin in self {
            twin.member.write(to: &writer)
            twin.point.writeContent(to: &writer)
        }
    }
}

extension StateWriter {
    fileprivate mutating func write(_ run: CountRun) {
        write(run.count)
        for index in 0..<run.count { write(run[index]) }
    }
    fileprivate mutating func write(_ flags: PointFlags) { write(UInt64(flags.rawValue)) }
}
extension StateReader {
    fileprivate mutating func pointFlags() throws -> PointFlags {
        PointFlags(rawValue: UInt8(truncatingIfNeeded: try number()))
    }
    /// Bounds, and a count for each bucket.
    fileprivate mutating func buckets() throws -> (layout: BucketLayout, counts: [UInt64]) {
        let (layout, counts) = (try layout(), try numbers())
        guard counts.count == layout.bucketCount else {
            throw StateError.malformed(what: "buckets are missing")
        }
        // See `HistogramPoint`: one bucket of all is none.
        return layout.bounds.isEmpty ? (.none, []) : (layout, counts)
    }
}

extension HistogramPoint {
    fileprivate func write(to writer: inout StateWriter) {
        writer.write(layout.object)
        writer.write(buckets)
        writer.write(count)
        for number in [sum, minimum, maximum] { writer.write(number) }
        writer.write(flags)
    }
    fileprivate static func row(from reader: inout StateReader) throws -> CompoundRow {
        let (layout, counts) = try reader.buckets()
        let count = try reader.number()
        let (sum, minimum, maximum) = (try reader.double(), try reader.double(), try reader.double())
        let flags = try reader.pointFlags()
        var row = CompoundRow.none
        counts.withRun {
            HistogramPoint(
                count: count,
                sum: sum,
                minimum: minimum,
                maximum: maximum,
                flags: flags,
                layout: KeptLayout(layout),
                buckets: $0
            )
            .keep(in: &row)
        }
        withExtendedLifetime(layout) {}
        return row
    }
}

extension HistogramTotal {
    fileprivate static func write(_ row: CompoundRow, to writer: inout StateWriter) {
        let head = row.head(Self.self).pointee
        writer.write(head.layout.object)
        writer.write(row.counts(behind: Self.self, head.width).run)
        writer.write(head.count)
        writer.write(head.points)
        head.extras.write(to: &writer)
    }
    fileprivate static func row(from reader: inout StateReader) throws -> CompoundRow {
        let (layout, counts) = try reader.buckets()
        let (count, points) = (try reader.number(), try reader.count())
        let extras = try CompoundExtras(from: &reader)
        let row = withExtendedLifetime(layout) { Self.row(KeptLayout(layout), extras) }
        (row.head(Self.self).pointee.count, row.head(Self.self).pointee.points) = (count, points)
        counts.withRun { row.counts(behind: Self.self, counts.count).set($0) }
        return row
    }
}

extension ExponentialPoint {
    fileprivate func write(to writer: inout StateWriter) {
        ExponentialBuckets(self).write(to: &writer)
        writer.write(count)
        for number in [sum, minimum, maximum] { writer.write(number) }
        writer.write(flags)
    }
    fileprivate static func row(from reader: inout StateReader) throws -> CompoundRow {
        let (buckets, count) = (try ExponentialBuckets(from: &reader), try reader.number())
        let (sum, minimum, maximum) = (try reader.double(), try reader.double(), try reader.double())
        let flags = try reader.pointFlags()
        var row = CompoundRow.none
        buckets.positive.counts.withRun { above in
            buckets.negative.counts.withRun { below in
                ExponentialPoint(
                    count: count,
                    sum: sum,
                    minimum: minimum,
                    maximum: maximum,
                    flags: flags,
                    scale: buckets.scale,
                    zeroCount: buckets.zeroCount,
                    zeroThreshold: buckets.zeroThreshold,
                    positive: Side(offset: buckets.positive.offset, counts: above),
                    negative: Side(offset: buckets.negative.offset, counts: below)
                )
                .keep(in: &row)
            }
        }
        return row
    }
}

extension ExponentialTotal {
    fileprivate static func write(_ row: CompoundRow, to writer: inout StateWriter) {
        let head = row.head(Self.self).pointee
        buckets(row).write(to: &writer)
        writer.write(head.count)
        writer.write(head.points)
        head.extras.write(to: &writer)
    }
    fileprivate static func row(from reader: inout StateReader) throws -> CompoundRow {
        let (buckets, count) = (try ExponentialBuckets(from: &reader), try reader.number())
        let points = try reader.count()
        var row = CompoundRow(Self(try CompoundExtras(from: &reader)), capacity: 0)
        (row.head(Self.self).pointee.count, row.head(Self.self).pointee.points) = (count, points)
        store(buckets, roomFor: nil, in: &row)
        return row
    }
}

extension SummaryPoint {
    fileprivate func write(to writer: inout StateWriter) {
        writer.write(count)
        writer.write(sum)
    }
    fileprivate static func row(from reader: inout StateReader) throws -> CompoundRow {
        CompoundRow(SummaryHead(count: try reader.number(), sum: try reader.double()), capacity: 0)
    }
}

extension SummaryTotal {
    fileprivate static func write(_ row: CompoundRow, to writer: inout StateWriter) {
        let (head, shown) = (row.head(Self.self).pointee, shown(row))
        writer.write(head.count)
        head.sum.write(to: &writer)
        writer.write(shown.quantiles)
        writer.write(shown.values)
    }
    fileprivate static func row(from reader: inout StateReader) throws -> CompoundRow {
        let head = SummaryTotal(count: try reader.number(), sum: try ExactSum(from: &reader))
        let (quantiles, values) = (try reader.doubles(), try reader.doubles())
        guard quantiles.count == values.count else {
            throw StateError.malformed(what: "quantiles are missing")
        }
        var row = CompoundRow(head, capacity: 0)
        show(quantiles[...], values[...], in: &row)
        return row
    }
}
