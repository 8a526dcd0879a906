import PhoenixModel

/// A graph as a drawing: metrics solid, observations dashed, modes dotted.
public struct GraphDrawing: Sendable {
    private let graph: Graph
    private let specs: NodeSpecs
    public init(_ graph: Graph, _ specs: NodeSpecs) { (self.graph, self.specs) = (graph, specs) }

    /// The graph as Mermaid text, which GitHub and many editors draw.
    public var mermaid: String {
        var lines = ["flowchart LR"]
        // An id of a node may be a word of Mermaid's (`end`), so nodes are numbered.
        let names = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, "n\($0)") })
        for role in Role.allCases {
            let members = ids.filter { graph.vertices[$0]?.type.role == role }
            guard !members.isEmpty else { continue }
            lines.append("  subgraph \(role.section)")
            lines += members.map { "    \(names[$0] ?? $0)[\"\(label($0, lineBreak: "<br/>"))\"]" }
            lines.append("  end")
        }
        var dashed: [Int] = []
        for (index, link) in links.enumerated() {
            guard let from = names[link.from.node], let to = names[link.to.node] else { continue }
            let arrow =
                switch kind(of: link) {
                case .metrics: "-->"
                case .observation: "-->"
                case .mode: "-.->"
                }
            if kind(of: link) == .observation { dashed.append(index) }
            lines.append("  \(from) \(arrow) \(to)")
        }
        if !dashed.isEmpty {
            lines.append(
                "  linkStyle \(dashed.map(String.init).joined(separator: ",")) stroke-dasharray: 8 4"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The graph as text for Graphviz' `dot`.
    public var dot: String {
        var lines = [
            "digraph \"\(graph.name.replacing("\"", with: "\\\""))\" {", "  rankdir=LR; node [shape=box];",
        ]
        for role in Role.allCases {
            let members = ids.filter { graph.vertices[$0]?.type.role == role }
            guard !members.isEmpty else { continue }
            lines.append("  subgraph cluster_\(role.section) { label=\"\(role.section)\";")
            lines += members.map { "    \"\($0)\" [label=\"\(label($0, lineBreak: "\\n"))\"];" }
            lines.append("  }")
        }
        for link in links {
            let style =
                switch kind(of: link) {
                case .metrics: "solid"
                case .observation: "dashed"
                case .mode: "dotted"
                }
            lines.append("  \"\(link.from.node)\" -> \"\(link.to.node)\" [style=\(style)];")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    private var ids: [NodeID] { graph.vertices.keys.sorted() }

    private var links: [Graph.Link] {
        graph.links.filter { graph.vertices[$0.from.node] != nil && graph.vertices[$0.to.node] != nil }
            .sorted { ("\($0.from)", "\($0.to)") < ("\($1.from)", "\($1.to)") }
    }

    private func label(_ id: NodeID, lineBreak: String) -> String {
        let type = (graph.vertices[id]?.type.name ?? id).replacing("\"", with: "'").replacing("\\", with: "/")
        return type == id ? id : "\(id)\(lineBreak)(\(type))"
    }

    private func kind(of link: Graph.Link) -> MessageKind {
        let spec = graph.vertices[link.to.node].flatMap { specs[$0.type] }
        return spec?.inputs.first { $0.name == link.to.port }?.kind ?? .metrics
    }
}
