import PhoenixModel

extension Graph {
    /// Loops of links that make a sender wait: nodes in such a loop would wait for each other for ever.
    ///
    /// One diagnostic for each loop that the search meets, at the last of its links in the file.
    func cycles(_ specs: NodeSpecs) -> [Diagnostic] {
        var next: [NodeID: [Link]] = [:]
        for link in links where isWaiting(link, specs) { next[link.from.node, default: []].append(link) }
        for node in next.keys {
            next[node]?.sort {
                ($0.to.node, $0.to.port, $0.from.port) < ($1.to.node, $1.to.port, $1.from.port)
            }
        }
        var search = CycleSearch(next: next)
        return search.run(from: vertices.keys.sorted()).map { path in
            let nodes = path.map(\.from.node)
            let first = nodes.indices.min { nodes[$0] < nodes[$1] } ?? 0
            let turned = Array(path[first...] + path[..<first])
            let shown = (turned.map(\.from.node) + [turned[0].from.node]).joined(separator: " -> ")
            let mark = turned.compactMap { linkMarks[$0] }.max() ?? vertices[nodes[first]]?.mark
            return Diagnostic(
                at: mark ?? Mark(file: "", line: 1, column: 1),
                "metrics run in a circle: \(shown)",
                mend: "take one of these links away; only mode and observation links may close a loop"
            )
        }
    }

    private func isWaiting(_ link: Link, _ specs: NodeSpecs) -> Bool {
        guard let spec = vertices[link.to.node].flatMap({ specs[$0.type] }),
            let input = spec.inputs.first(where: { $0.name == link.to.port })
        else { return false }
        return !input.kind.mayCloseLoop
    }
}

/// A depth-first search without recursion: a graph may be long.
private struct CycleSearch {
    let next: [NodeID: [Graph.Link]]
    private var finished: Set<NodeID> = []

    init(next: [NodeID: [Graph.Link]]) { self.next = next }

    /// A cycle for each link that leads back to where the search came from.
    mutating func run(from starts: [NodeID]) -> [[Graph.Link]] {
        var cycles: [[Graph.Link]] = []
        for start in starts where !finished.contains(start) {
            var path: [Graph.Link] = []
            var onPath: Set<NodeID> = [start]
            var pending: [(node: NodeID, position: Int)] = [(start, 0)]
            while let (node, position) = pending.last {
                let links = next[node] ?? []
                guard position < links.count else {
                    finished.insert(node)
                    onPath.remove(node)
                    pending.removeLast()
                    if !path.isEmpty { path.removeLast() }
                    continue
                }
                pending[pending.count - 1].position += 1
                let link = links[position]
                if onPath.contains(link.to.node) {
                    let from = path.firstIndex { $0.from.node == link.to.node } ?? path.count
                    cycles.append(path[from...] + [link])
                } else if !finished.contains(link.to.node) {
                    path.append(link)
                    onPath.insert(link.to.node)
                    pending.append((link.to.node, 0))
                }
            }
        }
        return cycles
    }
}
