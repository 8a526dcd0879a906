public import PhoenixGraph

/// The edge ends given to one node, read by the ports it declared.
public struct Wiring: Sendable {
    private var inlets: [String: any Sendable] = [:]
    private var outlets: [String: any Sendable] = [:]

    public init() {}

    /// The end of the edges into a port; nil where nothing is linked to it.
    public subscript<Content>(port: InputPort<Content>) -> Inlet<Content>? {
        get { inlets[port.name] as? Inlet<Content> }
        set { inlets[port.name] = newValue }
    }
    /// The end of the edges out of a port. A port that nobody reads still has one: it counts what it drops.
    public subscript<Content>(port: OutputPort<Content>) -> Outlet<Content> {
        get { outlets[port.name] as? Outlet<Content> ?? Outlet(port.name) }
        set { outlets[port.name] = newValue }
    }
    mutating func setInlet(_ inlet: any Sendable, port: String) { inlets[port] = inlet }
    mutating func setOutlet(_ outlet: any Sendable, port: String) { outlets[port] = outlet }
}
