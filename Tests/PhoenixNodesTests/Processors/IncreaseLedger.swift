import PhoenixModel

/// Adds up what came out as any reader would: the increases of counters, an output's first value counted from 0 at its own
/// start; and of gauges what is shown now.
struct IncreaseLedger: Sendable {
    /// By metric.
    private(set) var totals: [String: Double] = [:]
    /// How often an output began anew or fell.
    private(set) var resets = 0
    private var last: [SeriesID: (value: Double, start: UInt64)] = [:]
    private var gauges: [SeriesID: (metric: String, value: Double)] = [:]

    mutating func book(_ batch: MetricBatch, _ table: SeriesTable) {
        let points = batch.numbers
        for index in points.series.indices {
            let id = points.series[index]
            guard let metric = table.series(id)?.metric else { continue }
            let bits = points.values[index]
            let value =
                points.flags[index].contains(.isInteger)
                ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
            guard metric.isMonotonic else {
                let isEnd = points.flags[index].contains(.noRecordedValue)
                gauges[id] = isEnd ? nil : (metric.name, value)
                continue
            }
            let start = points.starts[index]
            let known = last[id].flatMap { $0.start == start && $0.value <= value ? $0.value : nil }
            if last[id] != nil, known == nil { resets += 1 }
            totals[metric.name, default: 0] += value - (known ?? 0)
            last[id] = (value, start)
        }
    }
    /// The sum of what all series of a gauge show.
    func shown(_ metric: String) -> Double {
        gauges.values.reduce(0) { $1.metric == metric ? $0 + $1.value : $0 }
    }
}
