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
        var cells: [Int128]
    }
    private struct Input {
        var destination: String?
        var last: Point?
        /// Of windows the last time for which none came, and what came for it late. Other gaps are not remembered.
        var gap: (from: UInt64, to: UInt64) = (0, 0)
        var filled: [Point] = []
        var seen: UInt64
    }
    private static let second: UInt64 = 1_000_000_000
    private var inputs: [Int: Input] = [:]
    private var horizon: UInt64
    private var hasForgotten = false
    private var sweptAt: UInt64
    private let memorySeconds: UInt64
    private let isDelta: Bool
    private(set) var totals: [String: [Int128]] = [:]
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
    mutating func remap(_ resolve: (Int) -> String?) {
        for name in inputs.keys { inputs[name]!.destination = resolve(name) }
    }

    mutating func apply(_ point: Point, now: UInt64, _ resolve: (Int) -> String?) {
        forgetUnseen(point.name, now: now)
        var input = inputs[point.name] ?? Input(destination: resolve(point.name), seen: 0)
        input.seen = now / Self.second
        if isDelta {
            applyWindow(point, &input)
        } else {
            applyTotal(point, &input)
        }
        inputs[point.name] = input
    }
    private mutating func applyWindow(_ point: Point, _ input: inout Input) {
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
            isNews = point.time > floor
            if isNews { (input.gap, input.last) = ((floor, point.start), point) }
        }
        if isNews {
            book(point.cells, input.destination)
        } else if input.destination != nil {
            late += 1
        }
    }
    private mutating func applyTotal(_ point: Point, _ input: inout Input) {
        if let last = input.last {
            guard point.time > last.time else {
                if input.destination != nil { late += 1 }
                return
            }
            let isNewStart = point.start > last.start && point.start >= last.time && point.start < point.time
            if isNewStart || zip(point.own, last.own).contains(where: <) {
                if input.destination != nil { resets += 1 }
                book(point.cells, input.destination)
            } else {
                book(zip(point.cells, last.cells).map { $0 - $1 }, input.destination)
            }
        } else {
            let counts = point.start != 0 && point.start < point.time && point.start > horizon
            book(counts ? point.cells : point.cells.map { _ in 0 }, input.destination)
        }
        input.last = point
    }
    private mutating func book(_ cells: [Int128], _ destination: String?) {
        guard let destination else { return }
        let before = totals[destination] ?? cells.map { _ in 0 }
        totals[destination] = zip(before, cells).map { $0 + $1 }
    }
}

/// Adds up what came out as any reader would: windows as they are, totals by what they grew by since their start.
struct CompoundLedger {
    private var shown: [String: (time: UInt64, start: UInt64, cells: [Int128])] = [:]
    private(set) var totals: [String: [Int128]] = [:]
    private(set) var complaints: [String] = []

    mutating func note(_ batch: MetricBatch?, _ table: SeriesTable) {
        guard let batch else { return }
        let numbers = batch.numbers
        for index in 0..<numbers.count {
            let bits = numbers.values[index]
            let isInteger = numbers.flags[index].contains(.isInteger)
            note(
                table.series(numbers.series[index]),
                (numbers.times[index], numbers.starts[index]),
                [],
                0,
                isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
            )
        }
        let (histograms, exponentials, summaries) = (batch.histograms, batch.exponentials, batch.summaries)
        for index in 0..<histograms.count {
            let offset = histograms.offsets[index]
            let buckets = histograms.buckets[offset..<offset + histograms.layouts[index].bucketCount]
            note(
                table.series(histograms.series[index]),
                (histograms.times[index], histograms.starts[index]),
                Array(buckets),
                histograms.counts[index],
                histograms.sums[index]
            )
        }
        for index in 0..<exponentials.count {
            let (side, scale) = (exponentials.positives[index], exponentials.scales[index])
            var buckets: [UInt64] = [0, 0, 0]
            for place in 0..<side.count {
                buckets[(Int(side.offset) + place) >> Int(scale)] += exponentials.buckets[side.start + place]
            }
            note(
                table.series(exponentials.series[index]),
                (exponentials.times[index], exponentials.starts[index]),
                buckets,
                exponentials.counts[index],
                exponentials.sums[index]
            )
        }
        for index in 0..<summaries.count {
            note(
                table.series(summaries.series[index]),
                (summaries.times[index], summaries.starts[index]),
                [summaries.counts[index]],
                summaries.counts[index],
                summaries.sums[index]
            )
        }
    }
    private mutating func note(
        _ series: Series?,
        _ span: (time: UInt64, start: UInt64),
        _ buckets: [UInt64],
        _ count: UInt64,
        _ sum: Double
    ) {
        guard let series, case .string(let place)? = series.attributes["group"] else {
            return complaints.append("a point of no group")
        }
        let group = "\(series.metric.name) \(place)"
        // Siblings of unlike bounds are series of their own, of one whole.
        var name = group
        if case .string(let mark)? = series.attributes[Reaggregator.layoutAttribute] { name += " " + mark }
        if buckets.reduce(0, +) != count { complaints.append("\(name): buckets \(buckets) for \(count)") }
        // Finer bounds are told in the coarser ones.
        let places = buckets.count == 5 ? [0, 0, 1, 1, 2] : Array(buckets.indices)
        var cells = Array(repeating: Int128(0), count: CompoundHistory.cells)
        for (place, bucket) in zip(places, buckets) { cells[place] += Int128(bucket) }
        cells[CompoundHistory.cells - 1] = Int128((sum * 4).rounded())
        var before: [Int128]?
        if let last = shown[name] {
            if span.time <= last.time { complaints.append("\(name) shows \(span.time) after \(last.time)") }
            // The start of windows may be unknown.
            if span.start != last.start, span.start != 0, span.start < last.time {
                complaints.append("\(name) moved its start back")
            }
            if series.metric.temporality != .delta, span.start == last.start {
                before = last.cells
                // A sum falls where somebody observes what is negative.
                if zip(cells, last.cells).dropLast().contains(where: <) { complaints.append("\(name) fell") }
            }
        }
        shown[name] = (span.time, span.start, cells)
        let increase = before.map { zip(cells, $0).map { $0 - $1 } } ?? cells
        let total = totals[group] ?? cells.map { _ in 0 }
        totals[group] = zip(total, increase).map { $0 + $1 }
    }
}
