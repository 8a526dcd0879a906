import PhoenixGraph
import PhoenixModel

/// A queue without the type of its messages: what the supervisor may do with it.
protocol QueueEnd: AnyObject, Sendable {
    var isDrained: Bool { get }
    var count: Int { get }
    func returnInHand() -> Redelivery
    func stopReading()
    func resumeReading()
    func attach()
    func detach()
    func shut()
    func discard()
}
extension InletQueue: QueueEnd {}

/// An outlet without the type of its messages.
protocol OutletEnd: AnyObject, Sendable {
    func relink(toEnds: [any QueueEnd])
    func hold()
    func release()
}
extension Outlet: OutletEnd {
    func relink(toEnds ends: [any QueueEnd]) { relink(to: ends.compactMap { $0 as? InletQueue<Content> }) }
}

/// The edge ends of one node. They belong to its name: an heir gets the same, with what they hold.
struct EdgeEnds: Sendable {
    private(set) var queues: [String: any QueueEnd] = [:]
    private(set) var outlets: [String: any OutletEnd] = [:]
    private(set) var wiring = Wiring()
    /// The ports whose end decides when the node ends.
    private(set) var dataPorts: Set<String> = []

    init() {}

    /// Whether every data inlet has been read to its end.
    var isDrained: Bool { dataPorts.allSatisfy { queues[$0]?.isDrained ?? true } }

    /// Makes the ends of the ports that have none yet: of inputs those that are linked, of outputs all.
    mutating func extend(
        _ ports: [PortSpec],
        linked: Set<String>,
        of id: NodeID,
        _ services: EngineServices
    ) {
        for port in ports {
            switch port.kind {
            case .metrics: extend(port, linked: linked, of: id, services, MetricBatch.self)
            case .observation: extend(port, linked: linked, of: id, services, Observation.self)
            case .mode: extend(port, linked: linked, of: id, services, ModeChange.self)
            }
        }
    }
    private mutating func extend<Content: Message>(
        _ port: PortSpec,
        linked: Set<String>,
        of id: NodeID,
        _ services: EngineServices,
        _: Content.Type
    ) {
        let vitals = services.vitals.node(id)
        if port.isInput {
            guard linked.contains(port.name), queues[port.name] == nil else { return }
            let queue = InletQueue<Content>(limits: services.limits, account: services.gate.account("edges"))
            queues[port.name] = queue
            wiring.setInlet(Inlet(queue), port: port.name)
            vitals.watch(queue, port: port.name)
            if port.kind == .metrics { dataPorts.insert(port.name) }
        } else {
            guard outlets[port.name] == nil else { return }
            let outlet = Outlet<Content>("\(id).\(port.name)", time: services.time)
            outlets[port.name] = outlet
            wiring.setOutlet(outlet, port: port.name)
            vitals.watch(outlet, port: port.name)
        }
    }
}
