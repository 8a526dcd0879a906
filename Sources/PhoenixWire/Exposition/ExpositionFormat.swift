/// The format of an exposition.
public enum ExpositionFormat: Sendable, Hashable, CaseIterable {
    /// Prometheus text format, 0.0.4 or 1.0.0.
    case text
    /// OpenMetrics 1.0.0.
    case openMetrics
    /// Messages `io.prometheus.client.MetricFamily`, each behind its length: the only one that has native histograms.
    case protobuf
}
