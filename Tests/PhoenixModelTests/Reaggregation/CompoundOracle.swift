import PhoenixModel

/// What histograms and summaries must come to, by the rules as they are written: every input's last point in full, every
/// cell a whole number.
struct CompoundOracle {
    struct Point {
        var name: Int
        var time: UInt64
        var start: UInt64
        /// As its sender tells it: where one of these falls, it began anew.
        var own: [UInt64]
        /// The same in the cells of the outputs.
        var cells: CompoundHistory.Cells

        /// Of points with unlike bounds the cells tell, which all bounds have.
        func isBelow(_ last: Point) -> Bool {
            if own.count == last.own.count { return zip(own, last.own).contains(where: <) }
            return (0..<3).contains { cells[$0] < last.cells[$0] }
        }
    }
    private struct Input {
        var destination: Int?
        var last: Point?
        /// Of windows the last time for which none came, and what came for it late. Other gaps are not remembered.
        var gap: (from: UInt64, to: UInt64) = (0, 0)
        var filled: [Point] = []
        /// The end of a window that may have been counted of one that was forgotten, and when it came.
        var doubtful: (end: UInt64, at: UInt64)?
        var seen: UInt64
    }
    private static let second: UInt64 = 1_000_000_000
    private var inputs: [Int: Input] = [:]
    private var horizon: UInt64
    private var hasForgotten = false
    private var sweptAt: UInt64
    private let memorySeconds: UInt64
    private let isDelta: Bool
    private(set) var totals: [Int: CompoundHistory.Cells] = [:]
    private(set) var resets: UInt64 = 0
    private(set) var late: UInt64 = 0

    init(watchingSince now: UInt64, memorySeconds: UInt64, isDelta: Bool) {
        (horizon, sweptAt) = (now, now / Self.second)
        (self.memorySeconds, self.isDelta) = (memorySeconds, isDelta)
    }
    mutating func beginBatch(now: UInt64) {
        if now / Self.second - sweptAt > 30 { sweep(now: now) }
    }
    mutating func sweep(now: UInt64) {
        sweptAt = now / Self.second
        for name in inputs.keys { forgetUnseen(name, now: now) }
    }
    private mutating func forgetUnseen(_ name: Int, now: UInt64) {
        guard let input = inputs[name], now / Self.second - input.seen > memorySeconds else { return }
        inputs[name] = nil
        if input.last != nil { hasForgotten = true }
        if let last = input.last {
            horizon = max(horizon, min(last.time, (input.seen + 1) * Self.second - 1))
        }
    }
    mutating func remap(_ resolve: (Int) -> Int?) {
        for name in inputs.keys { inputs[name]!.destination = resolve(name) }
    }

    mutating func apply(_ point: Point, now: UInt64, _ resolve: (Int) -> Int?) {
        forgetUnseen(point.name, now: now)
        var input = inputs[point.name] ?? Input(destination: resolve(point.name), seen: 0)
        input.seen = now / Self.second
        if isDelta {
            applyWindow(point, &input, now)
        } else {
            applyTotal(point, &input, now)
        }
        inputs[point.name] = input
    }
    private mutating func applyWindow(_ point: Point, _ input: inout Input, _ now: UInt64) {
        // A window is taken when it first comes. Where its stream goes nowhere then, it is dropped, and counted as that:
        // to count it when it comes once more would be to count it twice.
        var isNews = true
        if let last = input.last, point.time <= last.time {
            let isInGap = point.start != 0 && point.start >= input.gap.from && point.time <= input.gap.to
            isNews = isInGap && !input.filled.contains { $0.start < point.time && point.start < $0.time }
            if isNews { input.filled.append(point) }
        } else if let last = input.last {
            if point.start > last.time { (input.gap, input.filled) = ((last.time, point.start), []) }
            input.last = point
        } else {
            // What ended before may have been counted of one that was forgotten.
            let floor = hasForgotten ? horizon : 0
            if point.time > floor {
                (input.gap, input.last) = ((floor + Self.lead(point, now), point.start), point)
            } else if let before = input.doubtful, point.time > before.end, now > before.at,
                now - before.at >= (point.time - before.end) / 2
            {
                // They come as they are made, by a clock that is behind, and not all at once.
                (input.gap, input.last) = ((before.end, point.start), point)
            } else {
                isNews = false
                if point.time > input.doubtful?.end ?? 0 { input.doubtful = (point.time, now) }
            }
        }
        if isNews {
            book(point.cells, input.destination)
        } else if input.destination != nil {
            late += 1
        }
    }
    private mutating func applyTotal(_ point: Point, _ input: inout Input, _ now: UInt64) {
        if let last = input.last {
            guard point.time > last.time else {
                if input.destination != nil { late += 1 }
                return
            }
            let isNewStart = point.start > last.start && point.start >= last.time && point.start < point.time
            if isNewStart || point.isBelow(last) {
                if input.destination != nil { resets += 1 }
                book(point.cells, input.destination)
            } else {
                book(point.cells &- last.cells, input.destination)
            }
        } else {
            let start = point.start - min(point.start, Self.lead(point, now))
            let counts = point.start != 0 && point.start < point.time && start > horizon
            book(counts ? point.cells : .zero, input.destination)
        }
        input.last = point
    }
    /// How far the clock is ahead of ours by which a point was made.
    private static func lead(_ point: Point, _ now: UInt64) -> UInt64 {
        point.time > now ? point.time - now : 0
    }
    private mutating func book(_ cells: CompoundHistory.Cells, _ destination: Int?) {
        if let destination { totals[destination, default: .zero] &+= cells }
    }
}

/// Adds up what came out as any reader would: windows as they are, totals by what they grew by since their start.
struct CompoundLedger {
    private typealias Cells = CompoundHistory.Cells
    /// A series that came out: siblings of unlike bounds are series of their own, of one whole.
    private struct Name: Hashable {
        var place: Int
        var mark: AttributeValue?
        var isDelta: Bool
    }
    private var names: [SeriesID: Name] = [:]
    private var shown: [Name: (time: UInt64, start: UInt64, cells: Cells)] = [:]
    private(set) var totals: [Int: CompoundHistory.Cells] = [:]
    private(set) var complaints: [String] = []

    mutating func note(_ batch: MetricBatch?, _ table: SeriesTable) {
        guard let batch else { return }
        let numbers = batch.numbers
        for index in 0..<numbers.count {
            let bits = numbers.values[index]
            let isInteger = numbers.flags[index].contains(.isInteger)
            let value = isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
            note(
                numbers.series[index],
                (numbers.times[index], numbers.starts[index]),
                .zero,
                value,
                of: 0,
                table
            )
        }
        let (histograms, exponentials, summaries) = (batch.histograms, batch.exponentials, batch.summaries)
        for index in 0..<histograms.count {
            let (offset, width) = (histograms.offsets[index], histograms.layouts[index].bucketCount)
            var cells = Cells.zero
            // Finer bounds are told in the coarser ones.
            for place in 0..<width {
                cells[width > 3 ? place >> 1 : place] += Int64(histograms.buckets[offset + place])
            }
            note(
                histograms.series[index],
                (histograms.times[index], histograms.starts[index]),
                cells,
                histograms.sums[index],
                of: histograms.counts[index],
                table
            )
        }
        for index in 0..<exponentials.count {
            let (side, scale) = (exponentials.positives[index], exponentials.scales[index])
            var cells = Cells.zero
            for place in 0..<side.count {
                cells[(Int(side.offset) + place) >> Int(scale)] += Int64(
                    exponentials.buckets[side.start + place]
                )
            }
            note(
                exponentials.series[index],
                (exponentials.times[index], exponentials.starts[index]),
                cells,
                exponentials.sums[index],
                of: exponentials.counts[index],
                table
            )
        }
        for index in 0..<summaries.count {
            note(
                summaries.series[index],
                (summaries.times[index], summaries.starts[index]),
                [Int64(summaries.counts[index]), 0, 0, 0],
                summaries.sums[index],
                of: summaries.counts[index],
                table
            )
        }
    }
    private mutating func name(_ id: SeriesID, _ table: SeriesTable) -> Name? {
        if let name = names[id] { return name }
        guard let series = table.series(id), let place = Groups.place(of: series),
            let kind = CompoundHistory.Kind(rawValue: series.metric.name)
        else { return nil }
        let name = Name(
            place: kind.index * Groups.placeCount + place,
            mark: series.attributes[Reaggregator.layoutAttribute],
            isDelta: series.metric.temporality == .delta
        )
        names[id] = name
        return name
    }
    private mutating func note(
        _ id: SeriesID,
        _ span: (time: UInt64, start: UInt64),
        _ buckets: CompoundHistory.Cells,
        _ sum: Double,
        of count: UInt64,
        _ table: SeriesTable
    ) {
        guard let name = self.name(id, table) else { return complaints.append("a point of no group") }
        if buckets.wrappedSum() != Int64(count) { complaints.append("\(name): \(buckets) for \(count)") }
        var cells = buckets
        cells[3] = Int64((sum * 4).rounded())
        var increase = cells
        if let last = shown[name] {
            if span.time <= last.time { complaints.append("\(name) shows \(span.time) after \(last.time)") }
            // The start of windows may be unknown.
            if span.start != last.start, span.start != 0, span.start < last.time {
                complaints.append("\(name) moved its start back")
            }
            if !name.isDelta, span.start == last.start {
                increase = cells &- last.cells
                // A sum falls where somebody observes what is negative.
                if min(increase[0], increase[1], increase[2]) < 0 { complaints.append("\(name) fell") }
            }
        }
        shown[name] = (span.time, span.start, cells)
        totals[name.place, default: .zero] &+= increase
    }
}
