import Logging
import PhoenixGraph
import PhoenixRuntime

/// A source of targets that change while the graph runs.
protocol TargetDiscovery: Sendable {
    /// How long to wait between two looks.
    var interval: Duration { get }
    /// Looks; nil where nothing is different from what the last look gave. Trouble is told, and keeps what was known.
    mutating func look(_ world: DiscoveryWorld) async throws -> [ScrapeGroup]?
}

/// What a discovery may touch.
struct DiscoveryWorld: Sendable {
    var client: any ScrapeClient
    var context: NodeContext
    var stop: StopSignal

    func warn(_ problem: String) {
        context.vitals.counter(
            "phoenix_scrape_discovery_failures_total",
            [:],
            "Looks for targets that failed; what was known stays."
        ).add()
        context.logger.warning("targets: \(problem)", metadata: ["node": "\(context.id)"])
    }
}

extension DiscoveryWorld {
    /// The next groups that differ, and the discovery as it is then; nil when the node is stopped.
    func next(
        of discovery: any TargetDiscovery,
        isFirst: Bool
    ) async throws -> (groups: [ScrapeGroup], then: any TargetDiscovery)? {
        var discovery = discovery
        var waits = !isFirst
        while true {
            if waits, try await !stop.sleep(for: discovery.interval, context.time) { return nil }
            if stop.isRaised { return nil }
            waits = true
            if let groups = try await discovery.look(self) { return (groups, discovery) }
        }
    }
}
