import PhoenixModel

@testable import PhoenixWire

/// What the decoder made of a request, told by its batch and its table alone.
struct Observed {
    let table: SeriesTable
    let decoder: OTLPDecoder

    init(capacity: Int = 1 << 20, idleSeconds: UInt32 = 900, maximumCacheBytes: Int = 256 << 20) {
        table = SeriesTable(capacity: capacity, idleSeconds: idleSeconds)
        decoder = OTLPDecoder(table: table, lane: "test", maximumCacheBytes: maximumCacheBytes)
    }

    /// How many resource blocks the decoder knew by a template.
    var recognised: Int { decoder.templateHits }

    func verdict(of body: [UInt8]) -> Verdict {
        verdict { try body.withUnsafeBytes { try decoder.decode($0) } }
    }
    func verdict(ofJSON body: [UInt8]) -> Verdict {
        verdict { try body.withUnsafeBytes { try decoder.decodeJSON($0) } }
    }

    private func verdict(_ decode: () throws -> Refusals) -> Verdict {
        guard let refusals = try? decode() else {
            // All or nothing: a malformed request may leave no point behind.
            return decoder.takeBatch(epoch: 0) == nil ? .malformed : Verdict(refused: ["left behind": 1])
        }
        var verdict = Verdict()
        for reason in PointRefusal.allCases where refusals[reason] > 0 {
            verdict.refused[reason.label] = refusals[reason]
        }
        if let batch = decoder.takeBatch(epoch: 0) { write(batch, into: &verdict) }
        return verdict
    }

    private func write(_ batch: MetricBatch, into verdict: inout Verdict) {
        let numbers = batch.numbers
        for index in 0..<numbers.count {
            var text = start(
                numbers.series[index],
                numbers.times[index],
                numbers.starts[index],
                numbers.flags[index]
            )
            text.number(numbers.values[index])
            if numbers.flags[index].contains(.isInteger) { text.mark("i") }
            verdict.numbers.append(text.line)
        }
        let histograms = batch.histograms
        for index in 0..<histograms.count {
            let flags = histograms.flags[index]
            var text = start(
                histograms.series[index],
                histograms.times[index],
                histograms.starts[index],
                flags
            )
            text.number(histograms.counts[index])
            optional(&text, flags, histograms.sums[index], histograms.minima[index], histograms.maxima[index])
            let layout = histograms.layouts[index]
            text.mark(" bounds")
            for bound in layout.bounds { text.number(bound) }
            text.mark(" buckets")
            let from = histograms.offsets[index]
            for count in histograms.buckets[from..<from + layout.bucketCount] { text.number(count) }
            verdict.histograms.append(text.line)
        }
        let exponentials = batch.exponentials
        for index in 0..<exponentials.count {
            let flags = exponentials.flags[index]
            var text = start(
                exponentials.series[index],
                exponentials.times[index],
                exponentials.starts[index],
                flags
            )
            text.number(exponentials.counts[index])
            optional(
                &text,
                flags,
                exponentials.sums[index],
                exponentials.minima[index],
                exponentials.maxima[index]
            )
            text.number(Int64(exponentials.scales[index]))
            text.number(exponentials.zeroCounts[index])
            text.number(exponentials.zeroThresholds[index])
            for side in [exponentials.positives[index], exponentials.negatives[index]] {
                text.mark(" side")
                text.number(Int64(side.offset))
                for count in exponentials.buckets[side.start..<side.start + side.count] { text.number(count) }
            }
            verdict.exponentials.append(text.line)
        }
        write(batch.summaries, into: &verdict)
        for exemplar in batch.exemplars { verdict.exemplars.append(line(exemplar)) }
    }
    private func write(_ summaries: SummaryPoints, into verdict: inout Verdict) {
        for index in 0..<summaries.count {
            var text = start(
                summaries.series[index],
                summaries.times[index],
                summaries.starts[index],
                summaries.flags[index]
            )
            text.number(summaries.counts[index])
            text.number(summaries.sums[index])
            for place in summaries.quantileRange(index) {
                text.mark(" at")
                text.number(summaries.quantiles[place])
                text.number(summaries.values[place])
            }
            verdict.summaries.append(text.line)
        }
    }
    private func line(_ exemplar: Exemplar) -> [UInt8] {
        var text = PointText()
        identity(exemplar.series, &text)
        text.number(exemplar.timeUnixNano)
        text.number(exemplar.bits)
        if exemplar.flags.contains(.isInteger) { text.mark("i") }
        text.bytes(exemplar.traceID)
        text.bytes(exemplar.spanID)
        attributes(exemplar.filteredAttributes, &text)
        return text.line
    }
    private func optional(
        _ text: inout PointText,
        _ flags: PointFlags,
        _ sum: Double,
        _ minimum: Double,
        _ maximum: Double
    ) {
        if flags.contains(.hasSum) { text.mark(" sum"); text.number(sum) }
        if flags.contains(.hasMinimum) { text.mark(" min"); text.number(minimum) }
        if flags.contains(.hasMaximum) { text.mark(" max"); text.number(maximum) }
    }
    private func start(_ id: SeriesID, _ time: UInt64, _ start: UInt64, _ flags: PointFlags) -> PointText {
        var text = PointText()
        identity(id, &text)
        text.number(time)
        text.number(start)
        if flags.contains(.noRecordedValue) { text.mark(" gone") }
        return text
    }
    private func identity(_ id: SeriesID, _ text: inout PointText) {
        guard let series = table.series(id) else { return text.mark("stale") }
        let identity = series.metric.identity
        attributes(series.resource, &text)
        text.text(identity.scope.name)
        text.text(identity.scope.version)
        text.text(identity.scope.schemaURL)
        attributes(identity.scope.attributes, &text)
        text.text(identity.name)
        text.text(identity.unit)
        text.number(UInt64(identity.kind.rawValue))
        text.number(UInt64(identity.temporality.rawValue))
        if identity.isMonotonic { text.mark(" up") }
        attributes(series.attributes, &text)
    }
    private func attributes(_ set: AttributeSet, _ text: inout PointText) {
        attributes(set.attributes, &text)
    }
    private func attributes(_ list: [Attribute], _ text: inout PointText) {
        text.attributes(list.map { ($0.key, $0.value) }, value)
    }
    private func value(_ text: inout PointText, _ value: AttributeValue) {
        switch value {
        case .empty: text.mark("-")
        case .string(let string): text.text(string)
        case .bool(let flag): text.mark(flag ? "true" : "false")
        case .int(let number): text.mark("i"); text.number(number)
        case .double(let bits): text.mark("d"); text.number(bits)
        case .bytes(let content): text.bytes(content)
        case .array(let values):
            text.mark("[")
            for element in values { self.value(&text, element) }
            text.mark("]")
        case .map(let entries): attributes(entries, &text)
        }
    }
}
