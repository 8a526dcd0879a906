public import PhoenixGraph

/// The node types that a build knows: one sorted line for each, and no switch.
public struct NodeCatalog: Sendable, ExpressibleByArrayLiteral {
    /// Every type, in the order given.
    public let factories: [NodeFactory]
    private let byType: [NodeType: NodeFactory]

    public init(arrayLiteral types: any Node.Type...) { self.init(types) }
    /// Of two types with one name the first counts; `duplicates` tells.
    public init(_ types: [any Node.Type]) { self.init(factories: types.map { Self.factory($0) }) }
    private init(factories: [NodeFactory]) {
        self.factories = factories
        byType = [NodeType: NodeFactory](factories.map { ($0.spec.type, $0) }) { first, _ in first }
    }
    private static func factory<Kind: Node>(_ type: Kind.Type) -> NodeFactory { NodeFactory(type) }

    public subscript(type: NodeType) -> NodeFactory? { byType[type] }
    /// What the loader checks graphs against.
    public var specs: [NodeSpec] { factories.map(\.spec) }
    /// Names borne by two types: a slip in the catalog.
    public var duplicates: [NodeType] {
        [NodeType: [NodeFactory]](grouping: factories) { $0.spec.type }.filter { $0.value.count > 1 }.keys
            .sorted()
    }
    /// Both: for a build that adds node types of its own.
    public static func + (left: Self, right: Self) -> Self {
        Self(factories: left.factories + right.factories)
    }
}

/// How nodes of one type are made, without naming the type.
public struct NodeFactory: Sendable {
    public let spec: NodeSpec
    /// Whether the type is a `Source`.
    public let isSource: Bool
    /// The type itself, for tests over a catalog.
    public let type: any Node.Type
    let make: @Sendable (Graph.Vertex, NodeContext) throws -> AnyNode
    /// What an heir with the second settings keeps of the state of a node with the first; for `plan`.
    public let inheritance: @Sendable (_ from: Graph.Vertex, _ to: Graph.Vertex) throws -> Inheritance

    public init<Kind: Node>(_ type: Kind.Type) {
        self.type = type
        spec = NodeSpec(Kind.type, Kind.summary, ports: Kind.ports, config: Kind.Config.self)
        isSource = type is any Source.Type
        make = { vertex, context in
            let settings = try Settings<Kind.Config>(of: vertex)
            return AnyNode(try Kind(settings, context), settings, context)
        }
        inheritance = { old, new in Kind.inheritance(from: try Settings(of: old), to: try Settings(of: new)) }
    }
}
