public import PhoenixGraph
import PhoenixModel

/// What a change of the running graph will do, node by node: pure. What `plan` prints of it is its `listing`.
public struct Plan: Sendable, Equatable {
    public enum Action: String, Sendable, Decodable {
        case keep, reconfigure
        case replaceWithState = "replace with state"
        case replaceWithoutState = "replace without state"
        case add, remove
    }
    public struct Step: Sendable, Equatable {
        public var node: NodeID
        /// The type that it will have, or had.
        public var type: NodeType
        public var action: Action
        /// The settings and ports that make it so, sorted.
        public var settings: [String]
        /// What will be forgotten, and why; empty where nothing is.
        public var forgets = ""
    }
    /// An address and a path on it.
    public struct Listening: Sendable, Hashable, Comparable {
        public var address: String
        public var path: String
        public static func < (left: Self, right: Self) -> Bool {
            (left.address, left.path) < (right.address, right.path)
        }
    }
    public let diff: GraphDiff
    /// Every node of either graph, sorted by name.
    public let steps: [Step]
    /// The paths that will be served, and those that will not be any more.
    public let opened: [Listening]
    public let closed: [Listening]

    public init(from old: Graph, to new: Graph, _ catalog: NodeCatalog) {
        let diff = GraphDiff(from: old, to: new, NodeSpecs(catalog.specs))
        self.diff = diff
        steps = diff.changes.sorted { $0.key < $1.key }.compactMap { id, change in
            Self.step(id, change, old.vertices[id], new.vertices[id], catalog)
        }
        // What is kept takes the same as before.
        let changed = diff.changes.filter { $0.value != .keep }.keys
        let (before, after) = (Self.claims(old, changed, catalog), Self.claims(new, changed, catalog))
        opened = after.subtracting(before).sorted()
        closed = before.subtracting(after).sorted()
    }

    /// Whether nothing has to be done.
    public var isEmpty: Bool { diff.isEmpty }
    /// The plan for people: what changes, a line each, and a summary.
    public var text: String { listing.text }
    /// The plan for programs.
    public var json: String { tree.written() }
    package var tree: JSONText { listing.tree }

    private static func step(
        _ id: NodeID,
        _ change: GraphDiff.Change,
        _ old: Graph.Vertex?,
        _ new: Graph.Vertex?,
        _ catalog: NodeCatalog
    ) -> Step? {
        guard let type = new?.type ?? old?.type else { return nil }
        var step = Step(node: id, type: type, action: .keep, settings: [])
        switch change {
        case .keep: break
        case .reconfigure(let names): (step.action, step.settings) = (.reconfigure, names)
        case .add: step.action = .add
        case .remove:
            step.action = .remove
            if let old, remembers(old, catalog) {
                step.forgets = "all that it remembers, for the graph has it no more"
            }
        case .replace(let names):
            step.settings = names
            guard let old, let new else { return step }
            switch inheritance(from: old, to: new, catalog) {
            case .everything: step.action = .replaceWithState
            case .part(let lost): (step.action, step.forgets) = (.replaceWithState, lost)
            case .nothing(let why):
                step.action = .replaceWithoutState
                if remembers(old, catalog) { step.forgets = why }
            }
        }
        return step
    }
    private static func inheritance(
        from old: Graph.Vertex,
        to new: Graph.Vertex,
        _ catalog: NodeCatalog
    ) -> Inheritance {
        guard old.type == new.type else {
            return .nothing("a \(old.type) cannot leave anything to a \(new.type)")
        }
        guard let factory = catalog[new.type] else { return .nothing("this build has no \(new.type)") }
        do { return try factory.inheritance(old, new) } catch {
            return .nothing("its settings cannot be read: \(error)")
        }
    }
    /// Whether the node has anything that could be forgotten.
    static func remembers(_ vertex: Graph.Vertex, _ catalog: NodeCatalog) -> Bool {
        if case .nothing = inheritance(from: vertex, to: vertex, catalog) { false } else { true }
    }

    private static func claims(
        _ graph: Graph,
        _ nodes: some Sequence<NodeID>,
        _ catalog: NodeCatalog
    ) -> Set<Listening> {
        var result: Set<Listening> = []
        for vertex in nodes.compactMap({ graph.vertices[$0] }) {
            guard let spec = catalog[vertex.type]?.spec else { continue }
            var report = Report()
            for case .listen(let address, _, let path) in spec.validate(vertex.config, vertex.mark, &report) {
                result.insert(Listening(address: address, path: path))
            }
        }
        return result
    }
}
