import PhoenixGraph

/// The nodes of a graph with their edges, made and not yet running.
struct Assembly: Sendable {
    struct Part: Sendable {
        var vertex: Graph.Vertex
        var member: Supervision.Member
        var node: AnyNode
        var ends: EdgeEnds
        /// Nil for a node that is no source.
        let orders: SourceOrders?

        init(vertex: Graph.Vertex, member: Supervision.Member, node: AnyNode, ends: EdgeEnds) {
            (self.vertex, self.member, self.node, self.ends) = (vertex, member, node, ends)
            orders = SourceOrders(node)
        }
    }
    /// The ends that are linked now, by name.
    var ends: [NodeID: EdgeEnds] = [:]

    /// Makes the nodes of the given names, all or none; throws `StartError` for the first that cannot be made.
    func make(
        _ ids: [NodeID],
        of graph: Graph,
        from catalog: NodeCatalog,
        _ services: EngineServices
    ) throws(StartError) -> [Part] {
        let linked = [NodeID: [Graph.Link]](grouping: graph.links) { $0.to.node }
        var parts: [Part] = []
        for id in ids {
            guard let vertex = graph.vertices[id] else { continue }
            do {
                guard let factory = catalog[vertex.type] else { throw UnknownTypeError(type: vertex.type) }
                let ports = Set((linked[id] ?? []).map(\.to.port))
                var own = ends[id] ?? EdgeEnds()
                own.fit(factory.spec.ports, linked: ports, of: id, services)
                let node = try factory.make(vertex, services.context(for: id, own.wiring))
                let member = Self.member(id, factory, ports, in: graph)
                parts.append(Part(vertex: vertex, member: member, node: node, ends: own))
            } catch {
                throw StartError(node: id, mark: vertex.mark, cause: error)
            }
        }
        return parts
    }

    /// Links every outlet to what the graph says reads it.
    ///
    /// Nodes that the graph no longer has keep their edges: they still have to send what they took.
    func link(_ graph: Graph) {
        // While links move from one sender to another no queue may seem to have lost its last.
        let queues = ends.values.flatMap(\.queues.values)
        for queue in queues { queue.attach() }
        defer { for queue in queues { queue.detach() } }
        var readers: [Graph.Port: [any QueueEnd]] = [:]
        for link in graph.links.sorted(by: { "\($0.to)" < "\($1.to)" }) {
            guard let queue = ends[link.to.node]?.queues[link.to.port] else { continue }
            readers[link.from, default: []].append(queue)
        }
        for (id, own) in ends.sorted(by: { $0.key < $1.key }) where graph.vertices[id] != nil {
            for (port, outlet) in own.outlets {
                outlet.unseal()
                outlet.relink(toEnds: readers[Graph.Port(id, port)] ?? [])
            }
        }
    }

    static func member(
        _ id: NodeID,
        _ factory: NodeFactory,
        _ linked: Set<String>,
        in graph: Graph
    ) -> Supervision.Member {
        let inputs = factory.spec.ports.filter { $0.isInput && linked.contains($0.name) }
        let kind: Supervision.Member.Kind =
            if inputs.contains(where: { $0.kind == .metrics }) {
                .data
            } else if factory.isSource, !inputs.contains(where: { $0.kind == .observation }) {
                .source
            } else {
                .attendant
            }
        let dataPorts = Set(factory.spec.ports.filter { !$0.isInput && $0.kind == .metrics }.map(\.name))
        let fed = graph.links.filter { $0.from.node == id && dataPorts.contains($0.from.port) }
        return .init(id, kind, feeds: Set(fed.map(\.to.node)))
    }
}
