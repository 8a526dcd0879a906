import PhoenixGraph
import PhoenixModel

/// A queue without the type of its messages: what the supervisor may do with it.
protocol QueueEnd: AnyObject, Sendable {
    /// Whether the reader has been told the end: nothing is left, or what is left is an heir's.
    var isReadOut: Bool { get }
    var count: Int { get }
    /// The points taken by readers so far.
    var pointsRead: Int { get }
    func returnInHand() -> Redelivery
    func stopReading()
    func whenDrained(_ call: @escaping @Sendable () -> Void)
    func resumeReading()
    func attach()
    func detach()
    func shut()
    func discard() -> Int
}
extension InletQueue: QueueEnd {
    var pointsRead: Int { tally.points }
}

/// An outlet without the type of its messages.
protocol OutletEnd: AnyObject, Sendable {
    func relink(toEnds: [any QueueEnd])
    func seal()
    func unseal()
    func hold()
    func release()
}
extension Outlet: OutletEnd {
    func relink(toEnds ends: [any QueueEnd]) { relink(to: ends.compactMap { $0 as? InletQueue<Content> }) }
}

/// The edge ends of one node. They belong to its name: an heir gets the same where the port is the same, with what they
/// hold.
struct EdgeEnds: Sendable {
    private struct End<Kind: Sendable>: Sendable {
        var kind: MessageKind
        var end: Kind
        var wire: @Sendable (inout Wiring) -> Void
    }
    /// Every queue that the name ever had, so that what was counted goes on counting when a port is linked again.
    private var allQueues: [String: End<any QueueEnd>] = [:]
    private var allOutlets: [String: End<any OutletEnd>] = [:]
    /// The input ports that are linked now.
    private var linked: Set<String> = []

    init() {}

    /// The queues of the ports that are linked.
    var queues: [String: any QueueEnd] {
        allQueues.filter { linked.contains($0.key) }.mapValues(\.end)
    }
    var outlets: [String: any OutletEnd] { allOutlets.mapValues(\.end) }
    /// What the node is given.
    var wiring: Wiring {
        var wiring = Wiring()
        for (port, end) in allQueues where linked.contains(port) { end.wire(&wiring) }
        for end in allOutlets.values { end.wire(&wiring) }
        return wiring
    }
    /// Whether every data inlet has been read to its end, or is left to an heir.
    var isDrained: Bool {
        allQueues.allSatisfy { port, queue in
            queue.kind != .metrics || !linked.contains(port) || queue.end.isReadOut
        }
    }
    /// The queues that both read.
    func shared(with other: EdgeEnds) -> [any QueueEnd] {
        let theirs = other.queues.values.map { ObjectIdentifier($0) }
        return queues.values.filter { theirs.contains(ObjectIdentifier($0)) }
    }
    /// The queues that the other does not read.
    func queues(besides other: EdgeEnds) -> [any QueueEnd] {
        let theirs = other.queues.values.map { ObjectIdentifier($0) }
        return queues.values.filter { !theirs.contains(ObjectIdentifier($0)) }
    }
    /// The data inlets that the other does not read.
    func dataPorts(besides other: EdgeEnds) -> Set<String> {
        let theirs = other.queues.values.map { ObjectIdentifier($0) }
        let own = allQueues.filter { port, queue in
            queue.kind == .metrics && linked.contains(port) && !theirs.contains(ObjectIdentifier(queue.end))
        }
        return Set(own.keys)
    }
    /// A data queue that the other does not read and that has not been read to its end; nil where there is none.
    func unread(besides other: EdgeEnds) -> (any QueueEnd)? {
        let theirs = other.queues.values.map { ObjectIdentifier($0) }
        return allQueues.first { port, queue in
            queue.kind == .metrics && linked.contains(port) && !queue.end.isReadOut
                && !theirs.contains(ObjectIdentifier(queue.end))
        }?.value.end
    }
    /// The outlets that the other does not have.
    func outlets(besides other: EdgeEnds) -> [any OutletEnd] {
        let theirs = other.outlets.values.map { ObjectIdentifier($0) }
        return outlets.values.filter { !theirs.contains(ObjectIdentifier($0)) }
    }

    /// The ends for a node with these ports: of inputs those that are linked, of outputs all; those of the same kind are
    /// kept, others made.
    mutating func fit(
        _ ports: [PortSpec],
        linked: Set<String>,
        of id: NodeID,
        _ services: EngineServices
    ) {
        self.linked = linked.intersection(ports.filter(\.isInput).map(\.name))
        let outputs = Set(ports.filter { !$0.isInput }.map(\.name))
        allOutlets = allOutlets.filter { outputs.contains($0.key) }
        for port in ports {
            switch port.kind {
            case .metrics: fit(port, of: id, services, MetricBatch.self)
            case .observation: fit(port, of: id, services, Observation.self)
            case .mode: fit(port, of: id, services, ModeChange.self)
            }
        }
    }
    private mutating func fit<Content: Message>(
        _ port: PortSpec,
        of id: NodeID,
        _ services: EngineServices,
        _: Content.Type
    ) {
        let (vitals, name) = (services.vitals.node(id), port.name)
        if port.isInput {
            guard linked.contains(name), allQueues[name]?.kind != port.kind else { return }
            let queue = InletQueue<Content>(limits: services.limits, account: services.gate.account("edges"))
            allQueues[name] = End(kind: port.kind, end: queue) { $0.setInlet(Inlet(queue), port: name) }
            vitals.watch(queue, port: name)
        } else {
            guard allOutlets[name]?.kind != port.kind else { return }
            let outlet = Outlet<Content>("\(id).\(name)", time: services.time)
            allOutlets[name] = End(kind: port.kind, end: outlet) { $0.setOutlet(outlet, port: name) }
            vitals.watch(outlet, port: name)
        }
    }
}
