public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// What every node type promises, checked over a whole catalog.
public struct NodeContract: Sendable {
    private let catalog: NodeCatalog
    public init(_ catalog: NodeCatalog) { self.catalog = catalog }

    /// What is wrong with the declarations, one line for each slip.
    public var flaws: [String] {
        catalog.duplicates.map { "\($0): two types bear this name; rename one" }
            + catalog.factories.flatMap { flaws(of: $0.spec) }
            + unsorted
    }

    private var unsorted: [String] {
        let types = catalog.specs.map(\.type)
        return zip(types, types.dropFirst()).filter { $0 > $1 }.map {
            "\($1) stands after \($0): sort the catalog"
        }
    }

    private func flaws(of spec: NodeSpec) -> [String] {
        var flaws: [String] = []
        let type = spec.type
        if type.name.isEmpty { flaws.append("\(type): it has no name") }
        if spec.summary.isEmpty || !spec.summary.hasSuffix(".") {
            flaws.append("\(type): its summary is no sentence: end it with a full stop")
        }
        if spec.ports.isEmpty { flaws.append("\(type): it declares no port") }
        if Set(spec.ports.map { [$0.name, "\($0.isInput)"] }).count != spec.ports.count {
            flaws.append("\(type): two ports bear one name")
        }
        for field in spec.fields where field.doc.isEmpty {
            flaws.append("\(type): `\(field.name)` has no documentation")
        }
        if Set(spec.fields.map(\.name)).count != spec.fields.count {
            flaws.append("\(type): two settings bear one name")
        }
        return flaws
    }

    /// Runs a graph for a moment of its own time and drains it: throws unless every node ends in time, and is gone.
    public static func drains(
        _ graph: Graph,
        _ catalog: NodeCatalog,
        services: EngineServices,
        after moment: Duration = .seconds(5),
        within deadline: Duration = .seconds(30)
    ) async throws {
        let report = try await lives(graph, catalog, services, for: moment, then: deadline)
        try require(report.isClean, "not drained in \(deadline): \(report.cutOff)")
    }

    /// Runs a graph for a moment and cancels it: throws unless every node returns.
    public static func cancels(
        _ graph: Graph,
        _ catalog: NodeCatalog,
        services: EngineServices,
        after moment: Duration = .seconds(5)
    ) async throws {
        let report = try await lives(graph, catalog, services, for: moment, then: .zero)
        try require(report.stuck.isEmpty, "cancelled, and still running: \(report.stuck)")
    }

    private static func lives(
        _ graph: Graph,
        _ catalog: NodeCatalog,
        _ services: EngineServices,
        for moment: Duration,
        then deadline: Duration
    ) async throws -> DrainReport {
        let supervisor = Supervisor(catalog: catalog, services: services)
        return try await withThrowingTaskGroup(of: DrainReport?.self) { group in
            group.addTask {
                try await supervisor.run(graph)
                return nil
            }
            group.addTask {
                try await services.time.sleep(for: moment)
                return await supervisor.drain(within: deadline)
            }
            var report: DrainReport?
            for try await result in group { report = result ?? report }
            return report ?? DrainReport()
        }
    }
}
