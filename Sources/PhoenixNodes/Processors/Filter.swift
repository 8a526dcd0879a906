public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Lets some series pass and drops the others; every drop is counted.
public actor Filter: IdentityNode {
    public struct Config: NodeConfig {
        public var include: [Condition] = []
        public var exclude: [Condition] = []
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "include",
                \.include,
                live: true,
                "Only series for which one of these conditions holds pass; with none written, all do."
            ),
            Field(
                "exclude",
                \.exclude,
                live: true,
                "Series for which one of these conditions holds are dropped."
            ),
        ]
    }
    public static let type = NodeType(.processor, "filter")
    public static let summary = "Lets series pass by metric name and attributes, and drops the others."
    public static let ports = RelabelingPort.all

    private let work: Relabeling<Config>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context)
    }

    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        work.replace(with: Programs(settings) { $0 })
        return true
    }
}

extension Filter.Config: IdentityProgram {
    var merging: Merging { .never }

    func judge(_ subject: inout Subject) -> Verdict {
        if !include.isEmpty, !include.contains(where: { $0.holds(&subject) }) { return .drop(.notIncluded) }
        return exclude.contains { $0.holds(&subject) } ? .drop(.excluded) : .pass
    }
}
