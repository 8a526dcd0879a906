import PhoenixModel

/// Reads KPIs out of scraped metrics: the readings that `pipeline_kpis` and the endpoints of another process expose.
///
/// An exporter puts its namespace before a name: whatever stands before a known name, with an underscore, is overlooked; the
/// namespaces of the shipped endpoints tell the pipeline where no label does.
struct ScrapedReadings {
    private enum Meaning { case unknown, reading(String, [String: String]) }
    /// A metric and its attributes are looked at once for each series.
    private var meanings: [SeriesID: Meaning] = [:]
    private static let maximumSeries = 1 << 16

    private static let known = [
        KPIName.admitted, KPIName.wouldAdmit, KPIName.exposed, KPIName.intake, KPIName.intakeGrowth,
        KPIName.highRisk, KPIName.cpuUtilization, KPIName.memoryUtilization,
        KPIBoard.exposedByEndpoint, KPIBoard.received, KPIBoard.dropped, KPIBoard.latency,
        KPIBoard.latencyByEndpoint, KPIBoard.cpuSeconds, KPIBoard.residentBytes, KPIBoard.explosionCount,
    ]
    /// Metrics that are one pipeline's by their name.
    private static let active = [
        "phoenix_full_output_ts_active": PipelineName.full,
        "phoenix_optimised_output_ts_active": PipelineName.optimized,
        "phoenix_experimental_output_ts_active": PipelineName.experimental,
    ]
    private static let namespaces = [
        "phoenix_full_final_output_": PipelineName.full, "phoenix_opt_final_output_": PipelineName.optimized,
        "phoenix_exp_final_output_": PipelineName.experimental,
    ]

    /// The readings of a batch, and those that ended with it: of these the value is nil.
    mutating func readings(
        _ batch: MetricBatch,
        _ table: SeriesTable
    ) -> [(reading: Observation.Reading, isOver: Bool)] {
        if meanings.count > Self.maximumSeries { meanings.removeAll() }
        let points = batch.numbers
        return points.series.indices.compactMap { index in
            let id = points.series[index]
            let meaning = meanings[id] ?? table.series(id).map(Self.meaning) ?? .unknown
            meanings[id] = meaning
            guard case .reading(let name, let labels) = meaning else { return nil }
            let isInteger = points.flags[index].contains(.isInteger)
            let bits = points.values[index]
            let value = isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
            return (
                Observation.Reading(name, value, labels), points.flags[index].contains(.noRecordedValue)
            )
        }
    }

    private static func meaning(_ series: Series) -> Meaning {
        var labels: [String: String] = [:]
        for attribute in series.attributes.attributes { labels[attribute.key] = attribute.value.text }
        let name = series.metric.name
        if let pipeline = namespaces.first(where: { name.hasPrefix($0.key) })?.value {
            labels[KPIName.pipelineLabel] = labels[KPIName.pipelineLabel] ?? pipeline
        }
        if let (_, pipeline) = active.first(where: { isNamed(name, $0.key) }) {
            return .reading(KPIName.exposed, [KPIName.pipelineLabel: pipeline])
        }
        guard let known = known.first(where: { isNamed(name, $0) }) else { return .unknown }
        return .reading(known, labels)
    }
    /// Whether a metric bears a known name, behind a namespace or without its `_total`.
    private static func isNamed(_ name: String, _ known: String) -> Bool {
        func isNamed(_ known: String) -> Bool { name == known || name.hasSuffix("_" + known) }
        return isNamed(known) || (known.hasSuffix("_total") && isNamed(String(known.dropLast(6))))
    }
}
