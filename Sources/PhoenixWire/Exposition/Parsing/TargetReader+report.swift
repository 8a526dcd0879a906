import PhoenixModel

extension TargetReader {
    /// Gauges of the target itself, under its resource and labels.
    mutating func report(_ reported: [ScrapeFigure], at time: UInt64) -> MetricBatch {
        var parts = MetricBatch.Parts()
        for figure in reported {
            guard let id = id(of: figure) else { continue }
            if let old = figures[figure.name], old != id { parts.appendEnd(of: old, .gauge, at: time) }
            parts.numbers.append(id, time: time, start: 0, bits: figure.value.bitPattern, flags: [])
            figures[figure.name] = id
        }
        return MetricBatch(parts, epoch: time / 1_000_000_000)
    }
    private func id(of figure: ScrapeFigure) -> SeriesID? {
        let labels = options.rewriting.targetLabels.labels.filter { !["job", "instance"].contains($0.name) }
        let metric = table.metric(
            MetricIdentity(name: figure.name, unit: figure.unit, kind: .gauge),
            description: figure.help
        )
        // The set of the target's resource is held by `resources`.
        guard
            let id = table.id(
                resource: resources.resources[ScrapedResources.target].set,
                metric: metric,
                attributes: table.intern(labels.map { Attribute($0.name, $0.value) })
            )
        else { return nil }
        table.touch(id)
        return id
    }
    /// The ends of what was reported; nil where nothing was.
    mutating func endReport(at time: UInt64) -> MetricBatch? {
        guard !figures.isEmpty else { return nil }
        var parts = MetricBatch.Parts()
        for (_, id) in figures.sorted(by: { $0.key < $1.key }) {
            parts.appendEnd(of: id, .gauge, at: time)
        }
        figures = [:]
        return MetricBatch(parts, epoch: time / 1_000_000_000)
    }
}
