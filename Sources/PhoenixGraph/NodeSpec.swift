/// A node type as the loader and the reference see it.
public struct NodeSpec: Sendable {
    public var type: NodeType
    public var summary: String
    public var ports: [PortSpec]
    public var fields: [FieldSpec]
    /// Groups of fields of which only one may hold.
    public var exclusive: [[String]]
    /// Reads and checks a node's settings without building the node; answers what it claims.
    public var validate: @Sendable (_ config: ConfigTree, _ node: Mark, inout Report) -> [Claim]
    /// The fields in which two settings differ once they are read; layout and spelled-out defaults are no difference.
    public var changes: @Sendable (_ from: ConfigTree, _ to: ConfigTree) -> [String]

    public init(
        type: NodeType,
        summary: String,
        ports: [PortSpec],
        fields: [FieldSpec],
        exclusive: [[String]] = [],
        validate: @escaping @Sendable (ConfigTree, Mark, inout Report) -> [Claim],
        changes: @escaping @Sendable (ConfigTree, ConfigTree) -> [String] = NodeSpec.writtenChanges
    ) {
        (self.type, self.summary, self.ports, self.fields) = (type, summary, ports, fields)
        (self.exclusive, self.validate, self.changes) = (exclusive, validate, changes)
    }

    /// Describes a node type by its ports and the fields of its `Config`.
    public init<Config: NodeConfig>(
        _ type: NodeType,
        _ summary: String,
        ports: [PortSpec],
        config: Config.Type
    ) {
        let otherKeys = ["type"] + Self.linkKeys(ports)
        self.init(
            type: type,
            summary: summary,
            ports: ports,
            fields: Config.fields.specs(of: Config()),
            exclusive: Config.exclusive,
            validate: { tree, mark, report in
                Config.decode(tree, at: mark, besides: otherKeys, &report)?.claims ?? []
            },
            changes: { old, new in
                var report = Report()
                let mark = old.mark
                guard let old = Config.decode(old, at: mark, &report),
                    let new = Config.decode(new, at: mark, &report)
                else { return Self.writtenChanges(old, new) }
                return Config.fields.filter { !$0.isEqual(old, new) }.map(\.name)
            }
        )
    }

    /// The keys whose values differ as they are written.
    public static let writtenChanges: @Sendable (ConfigTree, ConfigTree) -> [String] = { old, new in
        Set((old.entries + new.entries).map(\.key)).filter { old[$0] != new[$0] }.sorted()
    }

    /// The keys of a node that are links or belong to them: `from` for the port `in`, else the port's name.
    static func linkKeys(_ ports: [PortSpec]) -> [String] {
        let inputs = ports.filter(\.isInput)
        return inputs.map(\.linkKey) + (inputs.contains { $0.kind == .mode } ? ["modes"] : [])
    }

    /// The input ports, in the order of declaration.
    public var inputs: [PortSpec] { ports.filter(\.isInput) }
    /// The output ports, in the order of declaration.
    public var outputs: [PortSpec] { ports.filter { !$0.isInput } }
}

extension PortSpec {
    /// The key under which a graph file links this input: `from` for `in`, else the port's name.
    public var linkKey: String { name == "in" ? "from" : name }
}

/// An engine-wide section of a graph file (`engine`, `memory_limiter`): named settings without a node.
public struct SettingsSpec: Sendable {
    public var name: String
    public var summary: String
    public var fields: [FieldSpec]
    /// Reads and checks the section, or its defaults where the graph file has none; answers what the engine claims.
    public var validate: @Sendable (_ config: ConfigTree?, inout Report) -> [Claim]

    /// Describes a section by the fields of its `Config`.
    public init<Config: NodeConfig>(_ name: String, _ summary: String, config: Config.Type) {
        (self.name, self.summary) = (name, summary)
        fields = Config.fields.specs(of: Config())
        validate = { tree, report in
            guard let tree else { return Config().claims }
            // Decoding reports; what it yields is read again by whoever starts the engine.
            return Config.decode(tree, at: tree.mark, &report)?.claims ?? []
        }
    }
}

/// Every node type and settings section that a graph file may name.
public struct NodeSpecs: Sendable {
    public private(set) var types: [NodeType: NodeSpec] = [:]
    public private(set) var settings: [String: SettingsSpec] = [:]

    public init(_ specs: [NodeSpec], settings: [SettingsSpec] = []) {
        for spec in specs { types[spec.type] = spec }
        for spec in settings { self.settings[spec.name] = spec }
    }

    public subscript(type: NodeType) -> NodeSpec? { types[type] }
    /// All types, sorted by role and name.
    public var sorted: [NodeSpec] { types.values.sorted { $0.type < $1.type } }
    /// The names of the types of a role, sorted.
    public func names(of role: Role) -> [String] { sorted.filter { $0.type.role == role }.map(\.type.name) }
    /// The roles that know a type of this name.
    public func roles(of name: String) -> [Role] { sorted.filter { $0.type.name == name }.map(\.type.role) }

    /// What is wrong with the types themselves, for a test over a catalog: names that a graph file could not tell apart.
    public var flaws: [String] {
        sorted.flatMap { spec in
            let keys = ["type", "modes"] + spec.inputs.map(\.linkKey) + spec.fields.map(\.name)
            let names = Dictionary(grouping: keys) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
            return names.map { "\(spec.type): `\($0)` names two things" }
                + spec.fields.filter { $0.doc.isEmpty }.map { "\(spec.type): `\($0.name)` has no doc" }
                + spec.exclusive.joined().filter { name in !spec.fields.contains { $0.name == name } }
                .map { "\(spec.type): `\($0)` is exclusive and no field" }
        }
    }
}
