import PhoenixModel

/// Writes the points of a batch as lines.
struct PointTextPrinter {
    let batch: MetricBatch
    let table: SeriesTable

    var lines: [String] { numbers + histograms + exponentials + summaries }

    private var numbers: [String] {
        let points = batch.numbers
        return points.series.indices.map { index in
            let flags = points.flags[index]
            let value =
                if flags.contains(.noRecordedValue) { "none" } else if flags.contains(.isInteger) {
                    "\(Int64(bitPattern: points.values[index]))"
                } else { Self.number(Double(bitPattern: points.values[index])) }
            return head(points.series[index], points.starts[index], points.times[index]) + value
        }
    }
    private var histograms: [String] {
        let points = batch.histograms
        return points.series.indices.map { index in
            var text = head(points.series[index], points.starts[index], points.times[index])
            let flags = points.flags[index]
            if flags.contains(.noRecordedValue) { return text + "none" }
            text += "count=\(points.counts[index])"
            if flags.contains(.hasSum) { text += " sum=\(Self.number(points.sums[index]))" }
            let layout = points.layouts[index]
            if layout.hasBuckets {
                let buckets = points.buckets[
                    points.offsets[index]..<points.offsets[index] + layout.bucketCount
                ]
                text +=
                    " bounds=\(Self.list(layout.bounds.map(Self.number))) buckets=\(Self.list(buckets.map(\.description)))"
            }
            return text + extremes(flags, points.minima[index], points.maxima[index])
        }
    }
    private var exponentials: [String] {
        let points = batch.exponentials
        func side(_ side: ExponentialPoints.Side) -> String {
            "\(side.offset):"
                + Self.list(points.buckets[side.start..<side.start + side.count].map(\.description))
        }
        return points.series.indices.map { index in
            var text = head(points.series[index], points.starts[index], points.times[index])
            let flags = points.flags[index]
            if flags.contains(.noRecordedValue) { return text + "none" }
            text += "count=\(points.counts[index])"
            if flags.contains(.hasSum) { text += " sum=\(Self.number(points.sums[index]))" }
            text += " scale=\(points.scales[index]) zero=\(points.zeroCounts[index])"
            if points.zeroThresholds[index] != 0 {
                text += " threshold=\(Self.number(points.zeroThresholds[index]))"
            }
            text += " positive=\(side(points.positives[index])) negative=\(side(points.negatives[index]))"
            return text + extremes(flags, points.minima[index], points.maxima[index])
        }
    }
    private var summaries: [String] {
        let points = batch.summaries
        return points.series.indices.map { index in
            let text = head(points.series[index], points.starts[index], points.times[index])
            if points.flags[index].contains(.noRecordedValue) { return text + "none" }
            let quantiles = points.quantileRange(index).map {
                "\(Self.number(points.quantiles[$0])): \(Self.number(points.values[$0]))"
            }
            return text + "count=\(points.counts[index]) sum=\(Self.number(points.sums[index]))"
                + (quantiles.isEmpty ? "" : " quantiles=\(Self.list(quantiles))")
        }
    }

    private func extremes(_ flags: PointFlags, _ minimum: Double, _ maximum: Double) -> String {
        (flags.contains(.hasMinimum) ? " min=\(Self.number(minimum))" : "")
            + (flags.contains(.hasMaximum) ? " max=\(Self.number(maximum))" : "")
    }

    /// Everything up to the value, with a space behind.
    private func head(_ id: SeriesID, _ start: UInt64, _ time: UInt64) -> String {
        guard let series = table.series(id) else { return "stale(\(id)) " }
        let resource = series.resource.attributes.map(Self.pair).joined(separator: ", ")
        let point = series.attributes.attributes.map(Self.pair).joined(separator: ", ")
        let metric = series.metric
        var text = metric.name + "{" + (resource.isEmpty ? "" : "resource: \(resource)")
        text += (point.isEmpty ? "" : (resource.isEmpty ? "; " : "; ") + point) + "}"
        text += metric.kind == .exponentialHistogram ? " exponential" : " \(metric.kind)"
        if metric.temporality != .unspecified { text += " \(metric.temporality)" }
        if metric.isMonotonic { text += " monotonic" }
        if !metric.unit.isEmpty { text += " unit=\(metric.unit)" }
        if !metric.scope.name.isEmpty { text += " scope=\(metric.scope.name)" }
        if start != 0 { text += " start=\(Self.time(start))" }
        return text + " time=\(Self.time(time)) "
    }

    private static func pair(_ attribute: Attribute) -> String {
        let value =
            switch attribute.value {
            case .int(let number): "int(\(number))"
            case .bool(let flag): "bool(\(flag))"
            case .double: "double(\(attribute.value.text))"
            case .string(let text) where text.contains(where: { ",;{}\"= ".contains($0) }) || text.isEmpty:
                "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
            default: attribute.value.text
            }
        return attribute.key + "=" + value
    }
    private static func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }
    private static func number(_ value: Double) -> String { value.description }

    private static func time(_ nanoseconds: UInt64) -> String {
        let since = Int64(bitPattern: nanoseconds &- PointText.origin)
        if since % 1_000_000_000 == 0 { return "\(since / 1_000_000_000)s" }
        if since % 1_000_000 == 0 { return "\(since / 1_000_000)ms" }
        return "\(since)ns"
    }
}
