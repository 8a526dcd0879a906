public import PhoenixModel

/// The section of a graph file that a node stands in; node types are keyed by role and name.
public enum Role: String, Sendable, Hashable, CaseIterable, Comparable {
    case receiver, processor, exporter, observer, controller
    /// The name of the section: `receivers`.
    public var section: String { rawValue + "s" }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The name of a node in a graph: unique over all sections, stable across edits.
public typealias NodeID = String

/// The name of a node type: a receiver and an exporter may both be called `prometheus`.
public struct NodeType: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var role: Role
    public var name: String
    public init(_ role: Role, _ name: String) { (self.role, self.name) = (role, name) }
    public var description: String { "\(role.rawValue) \(name)" }
    public static func < (left: Self, right: Self) -> Bool {
        (left.role, left.name) < (right.role, right.name)
    }
}

/// A graph as its author wrote it, resolved: parts included, overlays laid on, variables substituted.
///
/// Equal graphs run alike, wherever they were read from.
public struct Graph: Sendable, Equatable {
    public struct Vertex: Sendable, Equatable {
        public var id: NodeID
        public var type: NodeType
        /// The node's own settings, without `type`, links and `modes`.
        public var config: ConfigTree
        /// What each mode changes of the settings, unmerged.
        public var modes: [Mode: ConfigTree]
        /// Where the node's id stands.
        public var mark: Mark
        /// Where its `type` stands, for a node that has one.
        public var typeMark: Mark?
        /// A print of each file that the node loads when it is made, by setting: another print, another content. Prints are
        /// comparable within one process.
        public var filePrints: [String: Int] = [:]
        public init(id: NodeID, type: NodeType, config: ConfigTree, modes: [Mode: ConfigTree], mark: Mark) {
            (self.id, self.type, self.config, self.modes, self.mark) = (id, type, config, modes, mark)
        }
        public static func == (left: Self, right: Self) -> Bool {
            (left.id, left.type) == (right.id, right.type)
                && left.config == right.config && left.modes == right.modes
                && left.filePrints == right.filePrints
        }
    }
    public struct Port: Sendable, Hashable, CustomStringConvertible {
        public var node: NodeID
        public var port: String
        public init(_ node: NodeID, _ port: String) { (self.node, self.port) = (node, port) }
        public var description: String { "\(node).\(port)" }
    }
    public struct Link: Sendable, Hashable {
        public var from: Port
        public var to: Port
        public init(from: Port, to: Port) { (self.from, self.to) = (from, to) }
    }
    public var name: String
    /// Engine-wide settings: the sections of a graph file that are no nodes, by name (`engine`, `memory_limiter`).
    public var settings: [String: ConfigTree]
    public var vertices: [NodeID: Vertex]
    public var links: Set<Link>
    /// Where the links were written, for diagnostics; no part of what the graph says.
    public var linkMarks: [Link: Mark] = [:]
    public init(
        name: String = "",
        settings: [String: ConfigTree] = [:],
        vertices: [NodeID: Vertex] = [:],
        links: Set<Link> = []
    ) {
        (self.name, self.settings, self.vertices, self.links) = (name, settings, vertices, links)
    }
    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.settings == right.settings
            && left.vertices == right.vertices && left.links == right.links
    }
}
