public import PhoenixRuntime

extension NodeCatalog {
    /// The node types of Phoenix, sorted by role and name.
    public static let standard: NodeCatalog = [
        OTLPReceiver.self,
        Synthetic.self,
        Attributes.self,
        Classify.self,
        Filter.self,
        ResourceDetection.self,
        Debug.self,
        Prometheus.self,
        Manual.self,
    ]
}
