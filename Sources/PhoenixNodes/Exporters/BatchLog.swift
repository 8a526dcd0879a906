import PhoenixModel

/// A batch in words.
struct BatchLog {
    private let batch: MetricBatch
    private let table: SeriesTable
    init(_ batch: MetricBatch, _ table: SeriesTable) { (self.batch, self.table) = (batch, table) }

    /// A summary, and under it metrics or points as far as `most` lines go.
    func lines(_ verbosity: Debug.Verbosity, most: Int) -> [String] {
        let details: [String] =
            switch verbosity {
            case .basic: []
            case .normal: metrics
            case .detailed: points(atMost: most)
            }
        let total = verbosity == .detailed ? batch.count : details.count
        let left = total - min(total, most)
        return [summary] + details.prefix(most) + (left > 0 ? ["  and \(left) more"] : [])
    }

    private var summary: String {
        let kinds = [
            (batch.numbers.count, "numbers"), (batch.histograms.count, "histograms"),
            (batch.exponentials.count, "exponential histograms"), (batch.summaries.count, "summaries"),
            (batch.exemplars.count, "exemplars"),
        ]
        let counts = kinds.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(batch.count) points: " + (counts.isEmpty ? "none" : counts.joined(separator: ", "))
    }
    private var ids: [SeriesID] {
        batch.numbers.series + batch.histograms.series + batch.exponentials.series + batch.summaries.series
    }
    private var metrics: [String] {
        var counts: [String: Int] = [:]
        for id in ids { counts[table.series(id)?.metric.name ?? "(retired)", default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value) points" }
    }
    private func points(atMost limit: Int) -> [String] {
        let numbers = batch.numbers
        let values = numbers.series.indices.prefix(limit).map { index in
            let (flags, bits) = (numbers.flags[index], numbers.values[index])
            if flags.contains(.noRecordedValue) { return "(ended)" }
            return flags.contains(.isInteger) ? "\(Int64(bitPattern: bits))" : "\(Double(bitPattern: bits))"
        }
        let counts = batch.histograms.counts + batch.exponentials.counts + batch.summaries.counts
        let texts = values + counts.prefix(limit - values.count).map { "count \($0)" }
        return zip(ids, texts).map { "  \(name(of: $0)) \($1)" }
    }
    private func name(of id: SeriesID) -> String {
        guard let series = table.series(id) else { return "(retired)" }
        let attributes = series.resource.attributes + series.attributes.attributes
        return series.metric.name + "{"
            + attributes.map { "\($0.key)=\($0.value.text)" }.joined(separator: ", ") + "}"
    }
}
