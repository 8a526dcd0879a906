import PhoenixModel

/// What has to be done to a running graph so that another runs: pure, and what `plan` prints.
///
/// Settings of nodes are compared as they are read, not as they are written: layout, comments, anchors, a default spelled out or
/// `60s` in place of `1m` are no change. A node whose neighbour is rewired is kept; only its links change.
public struct GraphDiff: Sendable, Equatable {
    /// What happens to a node.
    public enum Change: Sendable, Equatable {
        case keep
        /// Only live settings changed: it takes them in place, at a batch boundary.
        case reconfigure([String])
        /// It makes way for an heir, because of these settings or of its type.
        case replace([String])
        case add
        case remove
    }
    /// Every node of either graph.
    public var changes: [NodeID: Change]
    public var unlinked: Set<Graph.Link>
    public var linked: Set<Graph.Link>
    /// The engine-wide sections that are written otherwise: what they say is for whoever runs the engine to read.
    public var settings: Set<String>

    public init(from old: Graph, to new: Graph, _ specs: NodeSpecs) {
        changes = [:]
        for id in Set(old.vertices.keys).union(new.vertices.keys) {
            switch (old.vertices[id], new.vertices[id]) {
            case (let old?, let new?): changes[id] = Self.change(from: old, to: new, specs)
            case (nil, _): changes[id] = .add
            case (_, nil): changes[id] = .remove
            }
        }
        unlinked = old.links.subtracting(new.links)
        linked = new.links.subtracting(old.links)
        let names = Set(old.settings.keys).union(new.settings.keys)
        settings = names.filter { old.settings[$0] != new.settings[$0] }
        replaceRewired(old, new)
    }

    /// A node is given its inlets when it is made: one of whose inputs one is linked now or left bare is made anew.
    private mutating func replaceRewired(_ old: Graph, _ new: Graph) {
        func ports(_ graph: Graph) -> [NodeID: Set<String>] {
            [NodeID: [Graph.Link]](grouping: graph.links) { $0.to.node }.mapValues { Set($0.map(\.to.port)) }
        }
        let (before, after) = (ports(old), ports(new))
        for (id, change) in changes {
            let rewired = before[id, default: []].symmetricDifference(after[id, default: []])
            guard !rewired.isEmpty else { continue }
            switch change {
            case .keep: changes[id] = .replace(rewired.sorted())
            case .reconfigure(let names), .replace(let names):
                changes[id] = .replace(Set(names).union(rewired).sorted())
            case .add, .remove: continue
            }
        }
    }

    /// Whether nothing has to be done.
    public var isEmpty: Bool {
        unlinked.isEmpty && linked.isEmpty && settings.isEmpty && changes.values.allSatisfy { $0 == .keep }
    }

    private static func change(from old: Graph.Vertex, to new: Graph.Vertex, _ specs: NodeSpecs) -> Change {
        guard old.type == new.type else { return .replace(["type"]) }
        // What is written alike reads alike: most nodes of a change are.
        if old == new { return .keep }
        guard let spec = specs[new.type] else { return .replace([]) }
        var changed: Set<String> = []
        for mode in [Mode?.none] + Mode.allCases {
            let before = old.config(in: mode, exclusive: spec.exclusive)
            let after = new.config(in: mode, exclusive: spec.exclusive)
            changed.formUnion(spec.changes(before, after))
        }
        // What stands in the files that a node loads is a setting too.
        let files = Set(old.filePrints.keys).union(new.filePrints.keys)
        changed.formUnion(files.filter { old.filePrints[$0] != new.filePrints[$0] })
        if changed.isEmpty { return .keep }
        let live = Set(spec.fields.filter(\.isLive).map(\.name))
        return changed.isSubset(of: live) ? .reconfigure(changed.sorted()) : .replace(changed.sorted())
    }
}
