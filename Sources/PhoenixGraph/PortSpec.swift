public import PhoenixModel

/// An input port as its node type declares it: the key to the node's end of an edge.
public struct InputPort<Content: Message>: Sendable {
    public let name: String
    public let isRequired: Bool
    public init(_ name: String, required isRequired: Bool = false) {
        (self.name, self.isRequired) = (name, isRequired)
    }
}

/// An output port as its node type declares it.
public struct OutputPort<Content: Message>: Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }
}

/// A port without its type, for the loader to check links against.
public struct PortSpec: Sendable, Hashable {
    public let name: String
    public let kind: MessageKind
    public let isInput: Bool
    public let isRequired: Bool
    public init(name: String, kind: MessageKind, isInput: Bool, isRequired: Bool = false) {
        (self.name, self.kind, self.isInput, self.isRequired) = (name, kind, isInput, isRequired)
    }
    public static func input<Content>(_ port: InputPort<Content>) -> Self {
        .init(name: port.name, kind: Content.kind, isInput: true, isRequired: port.isRequired)
    }
    public static func output<Content>(_ port: OutputPort<Content>) -> Self {
        .init(name: port.name, kind: Content.kind, isInput: false, isRequired: false)
    }
}
