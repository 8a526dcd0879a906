import PhoenixModel

/// How a metric is exposed, or why it is not.
struct MetricPlan {
    let metric: Metric
    let family: ExposedFamily?
    let refusal: ExpositionDrop?
    let treatment: HeldSeries.Treatment
    /// Whether points are increments.
    let isDelta: Bool
    let law: CollisionMerge.Law
    /// How many held series are of the metric.
    var uses = 0
}
