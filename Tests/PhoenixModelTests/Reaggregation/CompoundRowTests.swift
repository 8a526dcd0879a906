import Testing

@testable import PhoenixModel

/// Totals in rows against the slow way, with a value for each of them: in place, with room made, at other scales.
@Suite struct CompoundRowTests {
    // MARK: Exponential ones

    /// What is added where nothing is done in place.
    private struct Reference {
        var buckets = ExponentialBuckets()
        var count: UInt64 = 0

        mutating func join(_ point: ExponentialPoint) { buckets.join(ExponentialBuckets(point)) }
        mutating func add(_ point: ExponentialPoint) {
            buckets.add(ExponentialBuckets(point))
            count += point.count
        }
        mutating func add(from old: ExponentialPoint, to new: ExponentialPoint) -> Bool {
            guard new.count >= old.count,
                let increase = ExponentialBuckets(new).increase(since: ExponentialBuckets(old))
            else { return false }
            buckets.add(increase)
            count += new.count - old.count
            return true
        }
        func isShown(by row: CompoundRow) -> Bool {
            let shown = ExponentialTotal.buckets(row)
            return row.head(ExponentialTotal.self).pointee.count == count && shown.scale == buckets.scale
                && shown.zeroCount == buckets.zeroCount && shown.zeroThreshold == buckets.zeroThreshold
                && Self.isEqual(shown.positive, buckets.positive)
                && Self.isEqual(shown.negative, buckets.negative)
        }
        private static func isEqual(_ left: ExponentialBuckets.Side, _ right: ExponentialBuckets.Side) -> Bool
        {
            guard let (low, high) = left.bounds, let other = right.bounds else {
                return left.isEmpty && right.isEmpty
            }
            return (low, high) == other && (low...high).allSatisfy { left[$0] == right[$0] }
        }
    }
    /// A stream whose buckets widen and now and then go to a lesser scale, or fall.
    private struct Sender {
        var buckets = ExponentialBuckets()
        var last = CompoundRow.none

        init(_ random: inout TestRandom) {
            buckets.scale = .random(in: 0...5, using: &random)
            buckets.positive = Self.side(&random)
            if Bool.random(using: &random) { buckets.negative = Self.side(&random) }
            if Int.random(in: 0..<6, using: &random) == 0 { buckets.zeroThreshold = 0.125 }
        }
        private static func side(_ random: inout TestRandom) -> ExponentialBuckets.Side {
            let width = Int.random(in: 0...(Bool.random(using: &random) ? 12 : 170), using: &random)
            let counts = (0..<width).map { _ in UInt64.random(in: 0...4, using: &random) }
            return .init(offset: .random(in: -90...60, using: &random), counts: counts)
        }
        mutating func advance(_ random: inout TestRandom) {
            switch Int.random(in: 0..<12, using: &random) {
            case 0: buckets.downscale(to: buckets.scale - .random(in: 1...2, using: &random))
            case 1:
                // A restart.
                self.buckets.positive = Self.side(&random)
            case 2:
                let low = buckets.positive.offset - .random(in: 0...3, using: &random)
                buckets.positive.cover(low, low + buckets.positive.counts.count + 4)
            case 3: buckets.zeroCount += .random(in: 0...3, using: &random)
            default: break
            }
            for index in buckets.positive.counts.indices {
                buckets.positive.counts[index] += .random(in: 0...2, using: &random)
            }
            for index in buckets.negative.counts.indices {
                buckets.negative.counts[index] += .random(in: 0...1, using: &random)
            }
        }
        func withPoint<Result>(_ body: (ExponentialPoint) -> Result) -> Result {
            let counts = buckets.positive.counts + buckets.negative.counts
            var points = ExponentialPoints()
            points.counts = [counts.reduce(buckets.zeroCount, +)]
            (points.sums, points.minima, points.maxima) = ([0], [0], [0])
            (points.flags, points.scales) = ([.hasSum], [buckets.scale])
            (points.zeroCounts, points.zeroThresholds) = ([buckets.zeroCount], [buckets.zeroThreshold])
            let positive = buckets.positive.counts.count
            points.positives = [.init(offset: Int32(buckets.positive.offset), start: 0, count: positive)]
            points.negatives = [
                .init(
                    offset: Int32(buckets.negative.offset),
                    start: positive,
                    count: buckets.negative.counts.count
                )
            ]
            points.buckets = counts
            return points.buckets.withUnsafeBufferPointer { body(ExponentialPoint(points, 0, $0)) }
        }
    }
    @Test func exponentialTotalsAreThoseOfTheSlowWay() async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            var (reference, row) = (
                Reference(), CompoundRow(ExponentialTotal(CompoundExtras(keepsExtremes: false)), capacity: 0)
            )
            var senders = (0..<3).map { _ in Sender(&random) }
            for step in 0..<Int.random(in: 2...25, using: &random) {
                let index = Int.random(in: 0..<3, using: &random)
                if !senders[index].last.isNone { senders[index].advance(&random) }
                var last = senders[index].last
                senders[index].withPoint { point in
                    switch Int.random(in: 0..<8, using: &random) {
                    case 0:
                        reference.join(point)
                        point.join(&row)
                    case 1...5 where !last.isNone:
                        let isExpected = reference.add(from: ExponentialPoint(last), to: point)
                        #expect(point.add(to: &row, since: last) == isExpected, "seed \(seed), step \(step)")
                    default:
                        reference.add(point)
                        point.add(to: &row)
                    }
                    point.keep(in: &last)
                    let kept = ExponentialBuckets(ExponentialPoint(last))
                    #expect(kept == ExponentialBuckets(point), "seed \(seed), step \(step)")
                }
                senders[index].last = last
                #expect(reference.isShown(by: row), "seed \(seed), step \(step)")
                if Int.random(in: 0..<15, using: &random) == 0 {
                    reference = Reference()
                    row.restart()
                }
            }
            for sender in senders { sender.last.release() }
            row.release()
        }
    }

    // MARK: Explicit ones

    private static let all: [Double] = [1, 2, 5, 10, 20, 50]
    /// What lies between all bounds there are, in the buckets of a layout.
    private func told(_ cells: [UInt64], in layout: BucketLayout) -> [UInt64] {
        var result = Array(repeating: UInt64(0), count: layout.bucketCount)
        guard layout.hasBuckets else { return result }
        for (index, count) in cells.enumerated() {
            let upper = index < Self.all.count ? Self.all[index] : .infinity
            result[layout.bounds.firstIndex { $0 >= upper } ?? layout.bounds.count] += count
        }
        return result
    }
    /// What a stream grew by of which the counts at these bounds are known, told on those of the output; nil where one fell.
    private func growth(
        from old: [UInt64],
        to new: [UInt64],
        knownAt bounds: [Double],
        on own: BucketLayout
    ) -> [UInt64]? {
        var (result, told) = (Array(repeating: UInt64(0), count: own.bucketCount), UInt64(0))
        for bound in bounds + [.infinity] {
            let end = (Self.all.firstIndex(of: bound) ?? Self.all.count) + 1
            let (then, now) = (old[..<end].reduce(0, +), new[..<end].reduce(0, +))
            guard now >= then + told else { return nil }
            if own.hasBuckets {
                result[own.bounds.firstIndex { $0 >= bound } ?? own.bounds.count] += now - then - told
            }
            told = now - then
        }
        return result
    }
    private func withPoint<Result>(
        _ layout: BucketLayout,
        _ buckets: [UInt64],
        of count: UInt64? = nil,
        _ body: (HistogramPoint) -> Result
    ) -> Result {
        var points = HistogramPoints()
        (points.counts, points.sums, points.flags) = ([count ?? buckets.reduce(0, +)], [0], [.hasSum])
        (points.minima, points.maxima, points.layouts) = ([0], [0], [layout])
        (points.offsets, points.buckets) = ([0], buckets)
        return points.layouts.withAddresses { layouts in
            points.buckets.withUnsafeBufferPointer { body(HistogramPoint(points, 0, layouts, $0)) }
        }
    }
    @Test func histogramTotalsAreThoseOfTheSlowWay() async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            func layout() -> BucketLayout {
                if Int.random(in: 0..<12, using: &random) == 0 { return .none }
                return BucketLayout(bounds: Self.all.filter { _ in Bool.random(using: &random) })
            }
            // To an output one bucket of all is none.
            let (drawn, width) = (layout(), Self.all.count + 1)
            let own = drawn.bounds.isEmpty ? BucketLayout.none : drawn
            var row = CompoundRow(
                HistogramTotal(
                    layout: KeptLayout(own),
                    width: own.bucketCount,
                    extras: CompoundExtras(keepsExtremes: false)
                ),
                capacity: own.bucketCount
            )
            var (expected, last) = (Array(repeating: UInt64(0), count: own.bucketCount), CompoundRow.none)
            var (cells, known) = (Array(repeating: UInt64(0), count: width), layout())
            for step in 0..<Int.random(in: 2...15, using: &random) {
                let (then, earlier) = (cells, known)
                if Int.random(in: 0..<4, using: &random) == 0 {
                    known = layout()
                } else if Bool.random(using: &random) {
                    // Equal bounds are equal layouts.
                    known = known.hasBuckets ? BucketLayout(bounds: known.bounds) : .none
                }
                for index in cells.indices { cells[index] += .random(in: 0...5, using: &random) }
                if Int.random(in: 0..<9, using: &random) == 0 {
                    cells[.random(in: 0..<width, using: &random)] = 0
                }
                let buckets = told(cells, in: known)
                withPoint(known, buckets, of: cells.reduce(0, +)) { point in
                    let isFitting = own.bounds.allSatisfy(known.bounds.contains)
                    #expect(own.fits(known) == isFitting, "seed \(seed), step \(step)")
                    if isFitting, last.isNone {
                        for (index, count) in told(cells, in: own).enumerated() { expected[index] += count }
                        point.add(to: &row)
                    } else if isFitting {
                        let bounds = known.bounds.filter(earlier.bounds.contains)
                        let grown = growth(from: then, to: cells, knownAt: bounds, on: own)
                        for (index, count) in (grown ?? []).enumerated() { expected[index] += count }
                        let isAdded = point.add(to: &row, since: last)
                        #expect(isAdded == (grown != nil), "seed \(seed), step \(step)")
                    }
                    point.keep(in: &last)
                    let kept = HistogramPoint(last).buckets.array
                    #expect(kept == (known.bounds.isEmpty ? [] : buckets), "seed \(seed), step \(step)")
                }
                let shown = row.counts(behind: HistogramTotal.self, own.bucketCount).run.array
                #expect(shown == expected, "seed \(seed), step \(step)")
            }
            last.release()
            row.deallocate()
        }
    }
    @Test func boundsGoWithTheirLastRow() {
        weak var layout: BucketLayout?
        do {
            let held = BucketLayout(bounds: [1, 2])
            layout = held
            var row = CompoundRow.none
            withPoint(held, [1, 2, 3]) { $0.keep(in: &row) }
            withPoint(held, [1, 2, 4]) { $0.keep(in: &row) }
            let copy = row.copy()
            let other = BucketLayout(bounds: [1, 3])
            withPoint(other, [1, 2, 4]) { $0.keep(in: &row) }
            #expect(HistogramPoint(copy).layout.object === held)
            #expect(HistogramPoint(row).layout.object === other)
            copy.release()
            row.release()
            withExtendedLifetime(held) {}
        }
        #expect(layout == nil)
    }
}
