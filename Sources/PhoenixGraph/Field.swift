/// A type that a setting may have: how it is read, shown and described.
public protocol FieldValue: Sendable, Equatable {
    /// What the reference pages and the JSON Schema say of the type.
    static var shape: Shape { get }
    /// Reads the value; on failure reports every reason with its place and answers nil.
    static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self?
    /// The value as one would write it in a graph file, for defaults in the reference; `***` for a secret.
    var text: String { get }
}

/// The problems found while settings are read; all of them, not the first.
public struct Report: Sendable {
    public private(set) var diagnostics: [Diagnostic] = []
    public init() {}
    public mutating func add(at mark: Mark, _ message: String, mend remedy: String) {
        diagnostics.append(Diagnostic(at: mark, message, mend: remedy))
    }
}

/// What may be written for a setting.
public indirect enum Shape: Sendable, Hashable {
    case boolean
    case integer(minimum: Int?, maximum: Int?)
    case number(minimum: Double?, maximum: Double?)
    /// Text; `format` names what it must look like: `duration`, `bytes`, `regex`, `address`, `secret`.
    case string(format: String?)
    case choice([String])
    case list(Shape)
    /// Any keys, values of one shape.
    case map(Shape)
    /// Named settings of their own.
    case object([FieldSpec])
    case either([Shape])
}

/// A field without its Config's type: for reference pages, the schema, suggestions and the diff.
public struct FieldSpec: Sendable, Hashable {
    public var name: String
    public var doc: String
    public var shape: Shape
    public var isRequired: Bool
    /// Whether it is changed in place, at a batch boundary; otherwise a change replaces the node.
    public var isLive: Bool
    public var defaultText: String?
    public init(name: String, doc: String, shape: Shape, isRequired: Bool, isLive: Bool, defaultText: String?) {
        (self.name, self.doc, self.shape) = (name, doc, shape)
        (self.isRequired, self.isLive, self.defaultText) = (isRequired, isLive, defaultText)
    }
}

/// One setting of a node type: the single source of its name, meaning, type, default and place in the schema.
public struct Field<Config: Sendable & Equatable>: Sendable {
    public let name: String
    public let doc: String
    public let shape: Shape
    public let isRequired: Bool
    public let isLive: Bool
    /// Reads the setting into `config`; false when it did not fit (and the report says why).
    public let read: @Sendable (ConfigTree, inout Config, inout Report) -> Bool
    public let isEqual: @Sendable (Config, Config) -> Bool
    public let text: @Sendable (Config) -> String

    public init<Value: FieldValue>(
        _ name: String,
        _ path: any WritableKeyPath<Config, Value> & Sendable,
        required: Bool = false,
        live: Bool = false,
        _ doc: String
    ) {
        (self.name, self.doc, shape, isRequired, isLive) = (name, doc, Value.shape, required, live)
        read = { tree, config, report in
            guard let value = Value.decode(tree, &report) else { return false }
            config[keyPath: path] = value
            return true
        }
        isEqual = { $0[keyPath: path] == $1[keyPath: path] }
        text = { $0[keyPath: path].text }
    }
}

/// A node's settings: `init()` holds the defaults, `fields` names every stored property exactly once.
public protocol NodeConfig: Sendable, Equatable {
    init()
    static var fields: [Field<Self>] { get }
    /// What only several settings together can get wrong; `marks` tells where each written field stands.
    func check(_ marks: FieldMarks, _ report: inout Report)
    /// What of the world outside the node takes for itself: addresses and files.
    var claims: [Claim] { get }
}
extension NodeConfig {
    public func check(_ marks: FieldMarks, _ report: inout Report) {}
    public var claims: [Claim] { [] }
}

/// Where the written fields of a node stand: the key's mark, or the node's where the field was left out.
public struct FieldMarks: Sendable {
    public var node: Mark
    public var fields: [String: Mark]
    public init(node: Mark, fields: [String: Mark]) { (self.node, self.fields) = (node, fields) }
    public subscript(field: String) -> Mark { fields[field] ?? node }
}

/// Something outside that two nodes may not both take.
public enum Claim: Sendable, Hashable {
    /// A path on an address. Nodes may share an address when they speak one protocol and their paths are disjoint.
    case listen(address: String, protocol: String, path: String)
    case readsFile(String)
    case writesFile(String)
}

/// A node type as the loader and the reference see it.
public struct NodeSpec: Sendable {
    public var type: NodeType
    public var summary: String
    public var ports: [PortSpec]
    public var fields: [FieldSpec]
    /// Reads and checks a node's settings without building the node; answers what it claims.
    public var validate: @Sendable (_ config: ConfigTree, _ node: Mark, inout Report) -> [Claim]
    public init(
        type: NodeType,
        summary: String,
        ports: [PortSpec],
        fields: [FieldSpec],
        validate: @escaping @Sendable (ConfigTree, Mark, inout Report) -> [Claim]
    ) {
        (self.type, self.summary, self.ports) = (type, summary, ports)
        (self.fields, self.validate) = (fields, validate)
    }
}
