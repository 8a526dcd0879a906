import PhoenixModel

/// Points of every kind through the engine of every merge: what one of a histogram costs beside one of a counter.
enum Aggregation {
    private static let series = 30_000
    private static let perBatch = 1500
    private static let perOutput = 10
    private static let began: UInt64 = 1_700_000_000_000_000_000
    private static let second: UInt64 = 1_000_000_000
    private static let bounds: [Double] = [
        5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
    ]

    static func run() {
        let counter = time("aggregate, counters of integers", .sum) { id, round, parts in
            parts.numbers.append(id, time: time(round), start: began + 1, bits: round * 7, flags: .isInteger)
        }
        let real = time("aggregate, counters of doubles", .sum) { id, round, parts in
            let bits = (Double(round) * 0.7).bitPattern
            parts.numbers.append(id, time: time(round), start: began + 1, bits: bits, flags: [])
        }
        let gauge = time("aggregate, gauges", .gauge) { id, round, parts in
            parts.numbers.append(id, time: time(round), start: 0, bits: round * 7, flags: .isInteger)
        }
        let layout = BucketLayout(bounds: bounds)
        let histogram = time("aggregate, histograms of \(bounds.count + 1) buckets", .histogram) {
            id,
            round,
            parts in
            parts.histograms.append(id, layout, round)
        }
        let exponential = time("aggregate, exponential ones of 40 buckets", .exponentialHistogram) {
            id,
            round,
            parts in parts.exponentials.append(id, round)
        }
        judge()
        let number = (counter + real + gauge) / 3
        print(
            "a histogram point costs \(ratio(histogram, number)) number points (mark: 4), an exponential one "
                + "\(ratio(exponential, number)); counters of integers, of doubles and gauges in equal parts"
        )
    }
    /// What it costs a stream of counters to be judged: one side of the `fidelity` observer.
    private static func judge() {
        let table = SeriesTable(capacity: 1 << 17)
        let identity = MetricIdentity(name: "m", kind: .sum, temporality: .cumulative, isMonotonic: true)
        let metric = table.metric(identity)
        let ids = (0..<series).compactMap { number in
            table.id(
                resource: table.intern([Attribute("n", .int(Int64(number)))]),
                metric: metric,
                attributes: table.intern([])
            )
        }
        var ledger = WindowLedger(
            table: table,
            lane: "ledger",
            windowLength: 10,
            forgetAfterSeconds: 900,
            watchingSince: began
        ) { _ in false }
        var best = Double.infinity
        for round in UInt64(1)...6 {
            let batches = stride(from: 0, to: series, by: perBatch).map { first in
                var parts = MetricBatch.Parts()
                for id in ids[first..<first + perBatch] {
                    parts.numbers.append(
                        id,
                        time: time(round),
                        start: began + 1,
                        bits: round * 7,
                        flags: .isInteger
                    )
                }
                return MetricBatch(parts, epoch: round)
            }
            let start = Micro.cpuSeconds
            for batch in batches { ledger.book(batch, now: time(round)) }
            if round > 1 { best = min(best, Micro.cpuSeconds - start) }
        }
        Micro.report("fidelity, one stream of counters", best, per: series)
    }
    private static func ratio(_ left: Double, _ right: Double) -> Double {
        (left / right * 100).rounded() / 100
    }
    fileprivate static func time(_ round: UInt64) -> UInt64 { began + round * second }

    @discardableResult
    private static func time(
        _ name: String,
        _ kind: PointKind,
        _ append: (SeriesID, UInt64, inout MetricBatch.Parts) -> Void
    ) -> Double {
        let table = SeriesTable(capacity: 1 << 17)
        let metric = table.metric(
            MetricIdentity(
                name: "m",
                kind: kind,
                temporality: kind == .gauge ? .unspecified : .cumulative,
                isMonotonic: kind == .sum
            )
        )
        let ids = (0..<series).compactMap { number in
            table.id(
                resource: table.intern([Attribute("host.name", "host-\(number / perOutput)")]),
                metric: metric,
                attributes: table.intern([Attribute("n", .int(Int64(number)))])
            )
        }
        precondition(ids.count == series)
        var reaggregator = Reaggregator(table: table, lane: "out", watchingSince: began)
        let rounds: ClosedRange<UInt64> = 1...6
        var (best, emitted) = (Double.infinity, 0)
        for round in rounds {
            let batches = stride(from: 0, to: series, by: perBatch).map { first in
                var parts = MetricBatch.Parts()
                for id in ids[first..<first + perBatch] { append(id, round, &parts) }
                return MetricBatch(parts)
            }
            let start = Micro.cpuSeconds
            for batch in batches {
                let changed = reaggregator.apply(batch, now: time(round)) {
                    .output(resource: $0.resource, attributes: .empty)
                }
                emitted += changed?.count ?? 0
            }
            // In the first round every series is new.
            if round > rounds.lowerBound { best = min(best, Micro.cpuSeconds - start) }
        }
        precondition(emitted == rounds.count * series / perOutput)
        Micro.report(name, best, per: series)
        return best
    }
}

extension HistogramPoints {
    fileprivate mutating func append(_ id: SeriesID, _ layout: BucketLayout, _ round: UInt64) {
        series.append(id)
        times.append(Aggregation.time(round))
        starts.append(1_700_000_000_000_000_001)
        flags.append(.hasSum)
        counts.append(round * UInt64(layout.bucketCount))
        sums.append(Double(round) * 3.5)
        minima.append(0)
        maxima.append(0)
        layouts.append(layout)
        offsets.append(buckets.count)
        buckets += Array(repeating: round, count: layout.bucketCount)
    }
}

extension ExponentialPoints {
    fileprivate mutating func append(_ id: SeriesID, _ round: UInt64) {
        series.append(id)
        times.append(Aggregation.time(round))
        starts.append(1_700_000_000_000_000_001)
        flags.append(.hasSum)
        counts.append(round * 40)
        sums.append(Double(round) * 3.5)
        minima.append(0)
        maxima.append(0)
        scales.append(3)
        zeroCounts.append(0)
        zeroThresholds.append(0)
        positives.append(Side(offset: 10, start: buckets.count, count: 40))
        negatives.append(Side())
        buckets += Array(repeating: round, count: 40)
    }
}
