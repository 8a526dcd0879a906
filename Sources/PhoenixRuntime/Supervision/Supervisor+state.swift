public import PhoenixGraph

/// The memories that outlive the process, as they stand.
public struct Memories: Sendable {
    public let nodes: [LastingMemory]
    /// The nodes that a change on probation may bring back, also under a name that another one bears meanwhile.
    public let parked: Set<NodeID>
    /// How often memories had gone from node to node by then.
    let moves: Int
}

extension Supervisor {
    /// Those of the nodes that live, ended while the graph had them, or are parked for as long as a change may be undone;
    /// who is fed comes before who feeds it.
    ///
    /// In that order pictures are to be taken: a reader that remembers less than its sender counts the difference when the
    /// sender goes on; one that remembers more would see it fall. Nil while memories go from node to node, and before
    /// the nodes run.
    public var memories: Memories? {
        guard phase != .idle, phase != .starting else { return nil }
        switch change?.decisions.phase {
        case nil, .preparing, .probation, .ended: break
        case .leading, .handingOver, .leadingBack, .givingBack, .forcing: return nil
        }
        return Memories(nodes: ordered, parked: Set((change?.parked ?? [:]).keys), moves: memoryMoves)
    }
    /// Whether all memories are still where they were: else what was written of them since may be in two nodes, or in none.
    public func stillStand(_ memories: Memories) -> Bool { memories.moves == memoryMoves }

    private var ordered: [LastingMemory] {
        let ended = departed.filter { graph.vertices[$0.key] != nil }
        let parked = (change?.parked ?? [:]).merging(ended) { _, ended in ended }
        let parts = parked.merging(living.mapValues(\.part)) { _, living in living }
        var (ordered, seen): ([LastingMemory], Set<NodeID>) = ([], [])
        // Depth first, without recursion: an id is taken when all that it feeds has been.
        var open = parts.keys.sorted().map { (id: $0, isEntered: false) }
        while let (id, isEntered) = open.popLast() {
            guard let part = parts[id] else { continue }
            if isEntered {
                if let lasting = part.node.lasting { ordered.append(lasting) }
            } else if seen.insert(id).inserted {
                open.append((id, true))
                open += part.member.feeds.sorted().map { ($0, false) }
            }
        }
        return ordered
    }
}
