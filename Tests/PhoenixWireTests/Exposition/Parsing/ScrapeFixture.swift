import PhoenixModel

@testable import PhoenixWire

/// A decoder with a table, and its points as lines of text.
struct ScrapeFixture {
    let table = SeriesTable()
    let decoder: ScrapeDecoder
    var time: UInt64 = 1_000_000_000_000

    init(
        _ targetLabels: [String: String] = [:],
        honorsLabels: Bool = false,
        _ change: (inout ScrapeDecoder.Options) -> Void = { _ in }
    ) {
        let labels = LabelSet(targetLabels.map { (key: $0.key, value: $0.value) })
        var options = ScrapeDecoder.Options(ScrapeRewriting(labels, honorsLabels: honorsLabels))
        change(&options)
        decoder = ScrapeDecoder(table: table, lane: "test", options)
    }
    /// Decodes a text a second after the one before.
    mutating func scrape(_ text: String, _ syntax: ExpositionSyntax = .text) -> ScrapeOutcome {
        scrape(Array(text.utf8), syntax)
    }
    mutating func scrape(_ body: [UInt8], _ syntax: ExpositionSyntax) -> ScrapeOutcome {
        time += 1_000_000_000
        return body.withUnsafeBytes { decoder.decode($0, as: syntax, at: time) }
    }
    /// The points of a scrape that must succeed.
    mutating func points(_ text: String, _ syntax: ExpositionSyntax = .text) throws -> [String] {
        let outcome = scrape(text, syntax)
        if let failure = outcome.failure { throw failure }
        return lines(outcome.batches)
    }

    func lines(_ batches: [MetricBatch]) -> [String] {
        batches.flatMap { batch in
            numbers(batch.numbers) + histograms(batch.histograms) + exponentials(batch.exponentials)
                + summaries(batch.summaries)
        }
    }
    private func name(_ id: SeriesID) -> String {
        guard let series = table.series(id) else { return "unknown" }
        let metric = series.metric
        var words = [metric.name, "\(metric.kind)"]
        if metric.kind == .sum, !metric.isMonotonic { words.append("up-down") }
        if !metric.unit.isEmpty { words.append("[\(metric.unit)]") }
        if !metric.scope.name.isEmpty { words.append("scope=\(metric.scope.name)") }
        for (mark, set) in [("", series.attributes), ("resource.", series.resource)] {
            for attribute in set.attributes {
                words.append("\(mark)\(attribute.key)=\(attribute.value.text)")
            }
        }
        return words.joined(separator: " ")
    }
    private func moment(_ time: UInt64, _ start: UInt64) -> String {
        (time == self.time ? "" : " @\(time)") + (start == 0 ? "" : " since \(start)")
    }
    private func numbers(_ points: NumberPoints) -> [String] {
        (0..<points.count).map { index in
            let flags = points.flags[index]
            let number = Number(bits: points.values[index], isInteger: flags.contains(.isInteger))
            let value =
                flags.contains(.noRecordedValue)
                ? "ended" : number.isInteger ? "int \(number.integer)" : "\(number.double)"
            return
                "\(name(points.series[index])): \(value)\(moment(points.times[index], points.starts[index]))"
        }
    }
    private func histograms(_ points: HistogramPoints) -> [String] {
        (0..<points.count).map { index in
            let flags = points.flags[index]
            let layout = points.layouts[index]
            let counts = points.buckets[points.offsets[index]..<points.offsets[index] + layout.bucketCount]
            let sum = flags.contains(.hasSum) ? " sum \(points.sums[index])" : ""
            let value =
                flags.contains(.noRecordedValue)
                ? "ended" : "count \(points.counts[index])\(sum) \(layout.bounds) \(Array(counts))"
            return
                "\(name(points.series[index])): \(value)\(moment(points.times[index], points.starts[index]))"
        }
    }
    private func exponentials(_ points: ExponentialPoints) -> [String] {
        (0..<points.count).map { index in
            func side(_ side: ExponentialPoints.Side) -> String {
                "\(side.offset):\(Array(points.buckets[side.start..<side.start + side.count]))"
            }
            let sum = points.flags[index].contains(.hasSum) ? " sum \(points.sums[index])" : ""
            let value =
                points.flags[index].contains(.noRecordedValue)
                ? "ended"
                : "count \(points.counts[index])\(sum) scale \(points.scales[index]) zero "
                    + "\(points.zeroCounts[index]) below \(points.zeroThresholds[index]) "
                    + "positive \(side(points.positives[index])) negative \(side(points.negatives[index]))"
            return
                "\(name(points.series[index])): \(value)\(moment(points.times[index], points.starts[index]))"
        }
    }
    private func summaries(_ points: SummaryPoints) -> [String] {
        (0..<points.count).map { index in
            let range = points.quantileRange(index)
            let quantiles = range.map { "\(points.quantiles[$0])=\(points.values[$0])" }.joined(
                separator: " "
            )
            let value =
                points.flags[index].contains(.noRecordedValue)
                ? "ended" : "count \(points.counts[index]) sum \(points.sums[index]) \(quantiles)"
            return
                "\(name(points.series[index])): \(value)\(moment(points.times[index], points.starts[index]))"
        }
    }
}
