/// Where the points of an input series go.
public enum Destination: Sendable, Equatable {
    /// Nowhere; `reason` is the node's own number for why, below `Reaggregator.maximumReasons`: greater ones count as the last.
    case drop(reason: Int)
    /// Into the series of the input's metric, or of another of the same kind, with these attributes, together with all
    /// others that go there.
    case output(metric: MetricIdentity? = nil, resource: AttributeSet, attributes: AttributeSet)
}

/// How the values of gauges that meet on one output become one value. Never silently a sum.
public enum GaugeMerge: String, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    case sum, avg, min, max, last

    /// What OpenTelemetry's semantic conventions let expect of a gauge: amounts add, all else shows the last.
    ///
    /// Non-monotonic sums are additive by their type and need no choice (data model, Sum).
    public static func conventional(for metric: String) -> GaugeMerge {
        let amounts: Set<String> = [
            "process.memory.usage", "process.memory.virtual", "process.threads", "process.thread.count",
            "process.open_file_descriptors", "process.open_file_descriptor.count",
            "process.unix.file_descriptor.count",
            "system.memory.usage", "system.filesystem.usage", "system.processes.count",
        ]
        if amounts.contains(metric) { return .sum }
        return metric.hasSuffix(".utilization") ? .avg : .last
    }
}
