import Logging
public import PhoenixGraph

/// Why a graph was not taken over; the one that ran runs on undisturbed.
public enum ReloadError: Error, Sendable, Equatable, CustomStringConvertible {
    case notRunning
    /// One at a time.
    case busy
    public var description: String {
        switch self {
        case .notRunning: "nothing is running that could be changed; start the engine first"
        case .busy: "another change is under way; try again when it is done"
        }
    }
}

/// A running graph is changed: what did not change goes on undisturbed.
extension Supervisor {
    /// New nodes that are made and whose addresses are open, with the graph that they are for.
    struct Reload: Sendable {
        var graph: Graph
        var assembly: Assembly
        var added: [Assembly.Part]
        var replaced: [Assembly.Part]
        var kept: [Supervision.Member]
        var removed: [NodeID]
        var deadline: Duration
    }

    /// Changes the running graph into another; answers what was done, once every heir runs.
    ///
    /// All new nodes are made and their addresses opened first; an error there leaves everything as it was. Then links
    /// move, the nodes that go drain and hand over, and their heirs read on from the same queues. A node that has not
    /// handed over by the deadline is cancelled, and hands over what it remembers then.
    public func reload(
        to graph: Graph,
        handOverWithin deadline: Duration = .seconds(30)
    ) async throws -> GraphDiff {
        guard phase == .running else { throw ReloadError.notRunning }
        guard !isReloading else { throw ReloadError.busy }
        isReloading = true
        defer { isReloading = false }
        var diff = GraphDiff(from: self.graph, to: graph, NodeSpecs(catalog.specs))
        replaceRewired(&diff, graph)
        try await reconfigure(&diff, graph)
        let reload = try await prepare(diff, graph, deadline)
        guard phase == .running else { throw ReloadError.notRunning }
        await withCheckedContinuation { continuation in
            reloadWaiter = continuation
            signal.yield(.reload(reload))
        }
        return diff
    }

    /// A node is given its inlets when it is made: one whose ports are linked or left bare is made anew.
    private func replaceRewired(_ diff: inout GraphDiff, _ new: Graph) {
        func ports(_ graph: Graph, _ id: NodeID) -> Set<String> {
            Set(graph.links.filter { $0.to.node == id }.map(\.to.port))
        }
        for (id, change) in diff.changes {
            switch change {
            case .keep, .reconfigure:
                let changed = ports(graph, id).symmetricDifference(ports(new, id))
                if !changed.isEmpty { diff.changes[id] = .replace(changed.sorted()) }
            case .replace, .add, .remove: continue
            }
        }
    }

    /// Live settings first: what a node does not take in place makes it go.
    private func reconfigure(_ diff: inout GraphDiff, _ graph: Graph) async throws {
        for (id, change) in diff.changes.sorted(by: { $0.key < $1.key }) {
            guard case .reconfigure(let names) = change, let vertex = graph.vertices[id] else { continue }
            guard let node = living[id]?.part.node else { throw ReloadError.notRunning }
            if try await !node.reconfigure(vertex) { diff.changes[id] = .replace(names) }
        }
    }

    private func prepare(_ diff: GraphDiff, _ graph: Graph, _ deadline: Duration) async throws -> Reload {
        var reload = Reload(
            graph: graph,
            assembly: assembly,
            added: [],
            replaced: [],
            kept: [],
            removed: [],
            deadline: deadline
        )
        var (added, replaced): ([NodeID], [NodeID]) = ([], [])
        for (id, change) in diff.changes.sorted(by: { $0.key < $1.key }) {
            switch change {
            case .add: added.append(id)
            // One that has ended by itself leaves nothing to inherit.
            case .replace: if living[id] == nil { added.append(id) } else { replaced.append(id) }
            case .remove: reload.removed.append(id)
            case .keep, .reconfigure:
                guard let vertex = graph.vertices[id], let factory = catalog[vertex.type] else { continue }
                let ports = Set(graph.links.filter { $0.to.node == id }.map(\.to.port))
                reload.kept.append(Assembly.member(id, factory, ports, in: graph))
            }
        }
        do {
            reload.added = try reload.assembly.make(added, of: graph, from: catalog, services)
            reload.replaced = try reload.assembly.make(replaced, of: graph, from: catalog, services)
            for id in replaced + reload.removed { services.listeners.detach(id) }
            try await services.listeners.commit()
        } catch {
            services.listeners.abandon()
            throw Self.placed(error, in: graph)
        }
        return reload
    }

    func apply(_ reload: Reload, _ group: inout DiscardingTaskGroup) {
        guard phase == .running else {
            reloadWaiter.take()?.resume()
            return
        }
        // Nodes that have ended while the new ones were made must not come back with their edges.
        let made = Set((reload.added + reload.replaced).map(\.member.id))
        assembly.adopt(reload.assembly, made)
        for part in reload.added { living[part.member.id] = Living(part: part) }
        for part in reload.replaced { heirs[part.member.id] = part }
        assembly.link(reload.graph)
        graph = reload.graph
        for member in reload.kept {
            guard let vertex = reload.graph.vertices[member.id] else { continue }
            living[member.id]?.part.vertex = vertex
            living[member.id]?.part.member = member
        }
        var actions = supervision.handle(.made(reload.added.map(\.member)))
        for part in reload.replaced { actions += supervision.handle(.retire(part.member.id, hasHeir: true)) }
        for id in reload.removed { actions += supervision.handle(.retire(id, hasHeir: false)) }
        actions += supervision.handle(.relinked(reload.kept))
        perform(actions, &group)
        if !heirs.isEmpty { later(reload.deadline, .overdue(Set(heirs.keys)), &group) }
        answerReload()
    }

    func handOver(_ id: NodeID, _ group: inout DiscardingTaskGroup) {
        guard let old = living[id]?.part, let heir = heirs[id] else { return }
        let (signal, logger) = (signal, services.logger)
        let verdict = old.vertex.type == heir.vertex.type ? inheritance(old.vertex, heir.vertex) : nil
        group.addTask {
            let state = await old.node.handOver()
            switch verdict {
            case .everything?, .part?: if let state { await heir.node.inherit(state) }
            case .nothing(let why)?:
                logger.notice("state is forgotten", metadata: ["node": "\(id)", "reason": "\(why)"])
            case nil: logger.notice("state is forgotten: the type changed", metadata: ["node": "\(id)"])
            }
            signal.yield(.event(.finished(id)))
        }
    }
    private func inheritance(_ old: Graph.Vertex, _ new: Graph.Vertex) -> Inheritance? {
        // Both were read before, when their nodes were made.
        try? catalog[new.type]?.inheritance(old, new)
    }

    func succeed(_ id: NodeID, _ group: inout DiscardingTaskGroup) {
        guard let heir = heirs.removeValue(forKey: id) else { return }
        living[id] = Living(part: heir)
        for queue in (assembly.ends[id]?.queues ?? [:]).values { queue.resumeReading() }
        perform(supervision.handle(.made([heir.member])), &group)
        answerReload()
    }
    private func answerReload() { if heirs.isEmpty { reloadWaiter.take()?.resume() } }
}

extension Assembly {
    /// Takes over the ends of the nodes that another assembly made.
    mutating func adopt(_ other: Assembly, _ made: Set<NodeID>) {
        for id in made { ends[id] = other.ends[id] }
    }
}
