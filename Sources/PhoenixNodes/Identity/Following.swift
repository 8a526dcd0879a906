import PhoenixModel
import PhoenixRuntime

/// Does a node's work while another task hears the controller that it follows, if it follows any.
///
/// The work runs on the node, the changes enter at its `await`s: between two batches.
func following(
    _ modes: Inlet<ModeChange>?,
    _ enter: @escaping @Sendable (ModeChange) async throws -> Void,
    while work: () async throws -> Void
) async throws {
    guard let modes else { return try await work() }
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { for await change in modes.messages { try await enter(change) } }
        try await work()
        group.cancelAll()
    }
}

extension NodeVitals {
    /// Counts the points that a plan dropped.
    func drop(_ dropped: [DropReason: Int]) {
        for (reason, count) in dropped { drop(count, reason: reason.name) }
    }
}
