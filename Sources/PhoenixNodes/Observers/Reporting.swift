import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// Reads what is linked to an observer until it ends, and reports meanwhile, at intervals and at the end.
///
/// Readers and reports must come back to the node: they enter it between two messages.
func reporting(
    every interval: Duration,
    _ time: any TimeSource,
    _ report: @escaping @Sendable () async throws -> Void,
    while readers: [@Sendable () async throws -> Void]
) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
        for reader in readers {
            group.addTask {
                try await reader()
                return true
            }
        }
        group.addTask {
            while !Task.isCancelled {
                try await time.sleep(for: interval)
                try await report()
            }
            return false
        }
        var left = readers.count
        while left > 0, let isReader = try await group.next() { if isReader { left -= 1 } }
        group.cancelAll()
        // A report that was cut short has nothing to say.
        while let result = await group.nextResult() { if case .success = result { continue } }
    }
    if !Task.isCancelled { try await report() }
}

/// The ports of observers.
enum ObserverPort {
    static let observations = OutputPort<Observation>("observations")
    /// The same as points, for an exporter.
    static let metrics = OutputPort<MetricBatch>("metrics")
}

/// An observer to which nothing is linked that it could observe.
struct NothingToObserve: Error, CustomStringConvertible {
    var node: String
    var ports: [String]
    var description: String {
        "`\(node)` observes nothing: link one of its inputs, as in `\(ports[0])`"
    }
}
