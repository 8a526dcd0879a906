public import PhoenixGraph

/// What becomes of the values of several gauges that share one output.
public enum GaugeMerge: String, ChoiceValue, Hashable {
    case sum, avg, min, max, last

    /// By the semantic conventions: what a process has adds up; of anything else the newest value is shown.
    static let byConvention: [String: GaugeMerge] = [
        "process.memory.usage": .sum, "process.memory.virtual": .sum, "process.threads": .sum,
        "process.thread.count": .sum, "process.open_file_descriptors": .sum,
        "process.open_file_descriptor.count": .sum, "process.cpu.utilization": .sum,
    ]
}
