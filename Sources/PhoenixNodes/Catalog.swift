public import PhoenixRuntime

extension NodeCatalog {
    /// The node types of Phoenix, sorted by role and name.
    public static let standard: NodeCatalog = [
        Manual.self,
        ModeController.self,
        Debug.self,
        ModeFileExporter.self,
        Prometheus.self,
        AnomalyWatch.self,
        Cardinality.self,
        Fidelity.self,
        PipelineKPIs.self,
        Aggregate.self,
        Attributes.self,
        Classify.self,
        CumulativeToDelta.self,
        DeltaToCumulative.self,
        Filter.self,
        Interval.self,
        Limit.self,
        ResourceDetection.self,
        Rollout.self,
        TopK.self,
        Transform.self,
        HostMetrics.self,
        ModeFileReceiver.self,
        OTLPReceiver.self,
        PrometheusReceiver.self,
        Synthetic.self,
    ]
}
