import PhoenixGraph
import PhoenixModel

@testable import PhoenixRuntime

/// A graph of traced nodes that is changed at random; always one that may run.
struct RandomGraph {
    struct Node: Equatable {
        var type: NodeType
        /// Data flows from lower to higher ranks: no cycles.
        var rank: Int
        var tag = 0
        var size = 0
        var salt = 0
        var port = 0
        /// By input port the nodes that feed it.
        var inputs: [String: Set<NodeID>] = [:]
    }
    private(set) var nodes: [NodeID: Node] = [:]
    private var nextName = 0
    private var nextPort = 1
    var random: SeededGenerator

    init(random: SeededGenerator) {
        self.random = random
        addFeed()
        addSink()
        for _ in 0..<pick(4) { change() }
    }

    private mutating func pick(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &random) }
    private mutating func pick(_ ids: [NodeID]) -> NodeID? {
        ids.isEmpty ? nil : ids.sorted()[pick(ids.count)]
    }
    private func ids(_ isIncluded: (Node) -> Bool) -> [NodeID] {
        nodes.filter { isIncluded($0.value) }.keys.sorted()
    }
    private mutating func name(_ prefix: String) -> NodeID {
        nextName += 1
        return "\(prefix)\(nextName)"
    }
    private func senders(below rank: Int) -> [NodeID] {
        ids { $0.rank < rank && $0.type.role != .exporter }
    }

    /// One to four changes at once.
    mutating func changeSome() { for _ in 0...pick(4) { change() } }

    private mutating func change() {
        switch pick(12) {
        case 0: if nodes.count < 12 { addHop() }
        case 1: if ids({ $0.type.role == .exporter }).count < 4 { addSink() }
        case 2: if ids({ $0.type.role == .receiver }).count < 3 { addFeed() }
        case 3: remove()
        case 4: rename()
        case 5, 6: rewire()
        case 7: alter { $0.tag += 1 }
        case 8: alter { $0.size += 1 }
        case 9: alter { $0.salt += $0.salt > 0 && $0.tag % 2 == 0 ? -1 : 1 }
        case 10: retype()
        default:
            nextPort += 1
            let port = nextPort % 5 + 1
            alter { $0.port = $0.port == port ? 0 : port }
        }
        mend()
    }
    private mutating func alter(_ body: (inout Node) -> Void) {
        guard let id = pick(Array(nodes.keys)), var node = nodes[id] else { return }
        body(&node)
        nodes[id] = node
    }
    private mutating func addFeed() { nodes[name("f")] = Node(type: TraceFeed.type, rank: 0) }
    private mutating func addSink() {
        var sink = Node(type: TraceSink.type, rank: 100)
        sink.inputs["in"] = someSenders(below: 100)
        nodes[name("s")] = sink
    }
    private mutating func addHop() {
        let rank = 1 + pick(90)
        var hop = Node(type: TraceHop.type, rank: rank)
        hop.inputs["in"] = someSenders(below: rank)
        let id = name("h")
        nodes[id] = hop
        if let reader = pick(ids { $0.rank > rank }) { nodes[reader]?.inputs["in", default: []].insert(id) }
    }
    private mutating func someSenders(below rank: Int) -> Set<NodeID> {
        let all = senders(below: rank)
        return Set((0...pick(3)).compactMap { _ in pick(all) })
    }
    private mutating func remove() {
        guard nodes.count > 3, let id = pick(Array(nodes.keys)) else { return }
        nodes[id] = nil
    }
    private mutating func rename() {
        guard let id = pick(ids { $0.type.role != .receiver }), let node = nodes.removeValue(forKey: id)
        else { return }
        let new = name(String(id.prefix(1)))
        nodes[new] = node
        for reader in nodes.keys {
            for (port, from) in nodes[reader]?.inputs ?? [:] where from.contains(id) {
                nodes[reader]?.inputs[port] = from.subtracting([id]).union([new])
            }
        }
    }
    private mutating func rewire() {
        guard let id = pick(ids { $0.type.role != .receiver }), let node = nodes[id] else { return }
        if node.type == TraceHop.type, pick(3) == 0 {
            let senders = node.inputs["aux"] == nil ? someSenders(below: node.rank) : nil
            nodes[id]?.inputs["aux"] = senders
        } else {
            let senders = someSenders(below: node.rank)
            nodes[id]?.inputs["in"] = senders
        }
    }
    private mutating func retype() {
        guard let id = pick(ids { $0.type.role == .processor }), let node = nodes[id] else { return }
        nodes[id]?.type = node.type == TraceHop.type ? TraceDetour.type : TraceHop.type
        nodes[id]?.inputs["aux"] = nil
    }

    /// Takes away links of nodes that are gone, and gives every reader something to read.
    private mutating func mend() {
        if ids({ $0.type.role == .receiver }).isEmpty { addFeed() }
        if ids({ $0.type.role == .exporter }).isEmpty { addSink() }
        for id in nodes.keys.sorted() {
            guard let node = nodes[id] else { continue }
            for (port, from) in node.inputs {
                let left = from.filter { (nodes[$0]?.rank ?? .max) < node.rank }
                nodes[id]?.inputs[port] = left.isEmpty ? nil : left
            }
            if node.type.role != .receiver, nodes[id]?.inputs["in"] == nil {
                let sender = pick(senders(below: node.rank))
                nodes[id]?.inputs["in"] = sender.map { [$0] }
            }
        }
    }

    /// The graph as files, split over parts at random.
    mutating func files() -> [String: String] {
        var sections: [[Role: [String]]] = [[:], [:], [:]]
        for (id, node) in nodes.sorted(by: { $0.key < $1.key }) {
            var fields = ["type: \(node.type.name)"]
            for (key, value) in [
                ("tag", node.tag), ("size", node.size), ("salt", node.salt), ("port", node.port),
            ]
            where value != 0 { fields.append("\(key): \(value)") }
            for (port, from) in node.inputs.sorted(by: { $0.key < $1.key }) {
                fields.append("\(port == "in" ? "from" : port): [\(from.sorted().joined(separator: ", "))]")
            }
            sections[pick(3)][node.type.role, default: []].append(
                "  \(id): {\(fields.joined(separator: ", "))}"
            )
        }
        func text(_ part: [Role: [String]]) -> String {
            part.sorted { $0.key < $1.key }.map {
                "\($0.key.section):\n\($0.value.joined(separator: "\n"))\n"
            }.joined()
        }
        return [
            "graph.yaml": "graph: test\nversion: 1\ninclude: [parts/a.yaml, parts/b.yaml]\n"
                + text(sections[0]),
            "parts/a.yaml": text(sections[1]), "parts/b.yaml": text(sections[2]),
        ]
    }
}
