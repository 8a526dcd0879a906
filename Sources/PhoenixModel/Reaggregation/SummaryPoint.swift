/// A summary point where it lies, without its quantiles.
struct SummaryPoint: CompoundPoint {
    typealias Head = SummaryHead
    var count: UInt64
    var sum: Double

    init(_ points: SummaryPoints, _ index: Int) { (count, sum) = (points.counts[index], points.sums[index]) }
    init(_ row: CompoundRow) {
        let head = row.head(SummaryHead.self).pointee
        (count, sum) = (head.count, head.sum)
    }

    func keep(in row: inout CompoundRow) {
        let head = SummaryHead(count: count, sum: sum)
        if row.holds(SummaryHead.self) {
            row.head(SummaryHead.self).pointee = head
        } else {
            row.release()
            row = CompoundRow(head, capacity: 0)
        }
    }
    func join(_ total: inout CompoundRow) {}
    func add(to total: inout CompoundRow) {
        let head = total.head(SummaryTotal.self)
        head.pointee.count &+= count
        if sum.isFinite { head.pointee.sum.add(sum) }
    }
    func add(to total: inout CompoundRow, since last: CompoundRow) -> Bool {
        let (old, head) = (SummaryPoint(last), total.head(SummaryTotal.self))
        guard count >= old.count else { return false }
        head.pointee.count &+= count - old.count
        if sum.isFinite, old.sum.isFinite { head.pointee.sum.add(difference: sum, old.sum) }
        return true
    }
}

/// The last point of a summary's stream.
struct SummaryHead: RowHead {
    static var kind: RowKind { .summary }
    var count: UInt64
    var sum: Double
}

/// What is counted of a summary output. Behind it lie the quantiles of its only member, then their values, as bits.
struct SummaryTotal: RowHead {
    static var kind: RowKind { .summaryTotal }
    var count: UInt64 = 0
    var sum = ExactSum()
    var quantiles = 0

    static func clear(_ row: CompoundRow) { row.head(Self.self).pointee = Self() }
    static func show(_ quantiles: ArraySlice<Double>, _ values: ArraySlice<Double>, in row: inout CompoundRow)
    {
        row.head(Self.self).pointee.quantiles = quantiles.count
        if row.capacity < 2 * quantiles.count {
            let wider = CompoundRow(row.head(Self.self).pointee, capacity: 2 * quantiles.count)
            row.release()
            row = wider
        }
        let places = row.counts(behind: Self.self, 2 * quantiles.count)
        for (place, number) in (quantiles + values).enumerated() { places[place] = number.bitPattern }
    }
    /// The quantiles and their values.
    static func shown(_ row: CompoundRow) -> (quantiles: [Double], values: [Double]) {
        let count = row.head(Self.self).pointee.quantiles
        let places = row.counts(behind: Self.self, 2 * count)
        return (
            (0..<count).map { Double(bitPattern: places[$0]) },
            (count..<2 * count).map { Double(bitPattern: places[$0]) }
        )
    }

    static func emit(
        _ row: CompoundRow,
        _ output: Output,
        _ news: PointFlags,
        to points: inout SummaryPoints
    ) {
        let (head, shown) = (row.head(Self.self).pointee, shown(row))
        points.series.append(output.id)
        points.times.append(output.emitted)
        points.starts.append(output.start)
        points.flags.append(news.union(.hasSum))
        points.counts.append(head.count)
        points.sums.append(head.sum.double)
        points.offsets.append(points.quantiles.count)
        points.quantiles += shown.quantiles
        points.values += shown.values
    }
}
