/// The readings that join observers and controllers: `pipeline_kpis` sends them, `mode` reads them.
///
/// Both sides take the names from here, so that neither can drift.
enum KPIName {
    /// Series that the current plan of a pipeline lets out and whose inputs live; labels: `pipeline`.
    static let admitted = "phoenix_pipeline_admitted_series"
    /// What a pipeline would let out in a mode that does not hold; labels: `pipeline`, `mode`.
    static let wouldAdmit = "phoenix_pipeline_would_admit_series"
    /// Series that the endpoint of a pipeline shows, those that expire soon included; labels: `pipeline`.
    static let exposed = "phoenix_pipeline_exposed_series"
    /// Live series at the intake, before any pipeline.
    static let intake = "phoenix_intake_series"
    /// How the intake grew over the observer's window: 1 is no growth, 2 is twice as many.
    static let intakeGrowth = "phoenix_intake_series_growth_ratio"
    /// Processes whose series grow as if without end.
    static let highRisk = "phoenix_high_risk_process_count"
    /// The share of the machine's processors that the process uses, 0 to 1.
    static let cpuUtilization = "phoenix_cpu_utilization_ratio"
    /// The share of its memory limit that the process uses, 0 to 1.
    static let memoryUtilization = "phoenix_memory_utilization_ratio"

    /// The label that names a pipeline.
    static let pipelineLabel = "pipeline"
    /// The label that names a mode.
    static let modeLabel = "mode"
    /// The alert that forces the strongest reduction.
    static let explosionAlert = "cardinality_explosion"
}

/// The pipelines by the names that readings, endpoints and `ModeChange.exposure` use.
enum PipelineName {
    static let full = "full_fidelity"
    static let optimized = "optimized"
    static let experimental = "experimental_topk"
    static let all = [full, optimized, experimental]
}
