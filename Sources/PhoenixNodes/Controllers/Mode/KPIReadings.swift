import PhoenixModel

/// The newest snapshot of each observer, and what they say together.
struct KPIReadings: Sendable, Equatable {
    /// More observers than these are not heard: nobody links so many to one controller.
    private static let maximumSources = 64
    private struct Key: Hashable {
        var name: String
        var pipeline: String?
        var mode: String?
    }
    private var sources: [String: [Key: Double]] = [:]

    /// Takes a snapshot: it replaces all that its source said before.
    mutating func take(_ observation: Observation) {
        guard sources[observation.source] != nil || sources.count < Self.maximumSources else { return }
        var readings: [Key: Double] = [:]
        for reading in observation.readings where reading.value.isFinite {
            let labels = reading.attributes
            let key = Key(
                name: reading.name,
                pipeline: labels[KPIName.pipelineLabel],
                mode: labels[KPIName.modeLabel]
            )
            readings[key] = reading.value
        }
        sources[observation.source] = readings
    }

    /// Whether a snapshot says how many series a pipeline has.
    static func counts(_ pipeline: String, _ observation: Observation) -> Bool {
        observation.readings.contains {
            ($0.name == KPIName.admitted || $0.name == KPIName.exposed)
                && $0.attributes[KPIName.pipelineLabel] == pipeline
        }
    }

    /// The largest that any observer says: of two that see different parts, the cautious answer.
    private func value(_ name: String, _ pipeline: String? = nil, _ mode: Mode? = nil) -> Double? {
        let key = Key(name: name, pipeline: pipeline, mode: mode?.rawValue)
        return sources.values.compactMap { $0[key] }.max()
    }
    /// What a pipeline lets out; where nobody knows, what its endpoint shows, which lags by one expiry.
    func count(of pipeline: String) -> Double? {
        value(KPIName.admitted, pipeline) ?? value(KPIName.exposed, pipeline)
    }
    func forecast(of pipeline: String, in mode: Mode) -> Double? {
        value(KPIName.wouldAdmit, pipeline, mode)
    }
    /// The most series that any mode could let out.
    var everything: Double? { value(KPIName.intake) ?? count(of: PipelineName.full) }

    var kpis: ControlKPIs {
        ControlKPIs(
            fullSeries: count(of: PipelineName.full),
            optimizedSeries: count(of: PipelineName.optimized),
            experimentalSeries: count(of: PipelineName.experimental),
            intakeSeries: value(KPIName.intake),
            intakeGrowth: value(KPIName.intakeGrowth),
            highRiskProcesses: value(KPIName.highRisk),
            cpuUtilization: value(KPIName.cpuUtilization),
            memoryUtilization: value(KPIName.memoryUtilization)
        )
    }
}
