import PhoenixModel

extension Graph {
    /// Everything that the graph itself proves wrong, in the order of the files; empty for a graph that can run.
    ///
    /// `excused` inputs are not asked for a link: whoever read the graph has reported already why they have none.
    public func validate(_ specs: NodeSpecs, excusing excused: Set<Port> = []) -> [Diagnostic] {
        var report = Report()
        var claims: [ClaimTable.Entry] = []
        let linked = excused.union(links.map(\.to))
        for vertex in vertices.values {
            if !Self.isID(vertex.id) {
                report.add(
                    at: vertex.mark,
                    "`\(vertex.id)` is no name for a node",
                    mend: "use letters, digits, `_` and `-`, and begin with a letter, digit or `_`"
                )
            }
            guard let spec = specs[vertex.type] else {
                report.add(unknownType(vertex, specs))
                continue
            }
            let (problems, claimed) = vertex.validate(spec, isFollowing: isFollowing(vertex, spec, linked))
            report.add(contentsOf: problems)
            claims += claimed.map { ClaimTable.Entry(node: vertex.id, claim: $0, mark: vertex.mark(of: $0)) }
            for input in spec.inputs where input.isRequired {
                guard !linked.contains(Port(vertex.id, input.name)) else { continue }
                report.add(
                    at: vertex.mark,
                    "`\(vertex.id)` reads from nothing: its input `\(input.linkKey)` is required",
                    mend: "add `\(input.linkKey): <node>` that sends \(input.kind.rawValue)"
                )
            }
        }
        for link in links { checkLink(link, specs, &report) }
        report.add(contentsOf: cycles(specs))
        claims += validateSettings(specs, &report)
        report.add(contentsOf: ClaimTable.conflicts(claims))
        return report.diagnostics.inOrder
    }

    /// Checks the engine's own sections; answers what the engine takes for itself, also by its defaults.
    private func validateSettings(_ specs: NodeSpecs, _ report: inout Report) -> [ClaimTable.Entry] {
        for (name, tree) in settings where specs.settings[name] == nil {
            report.add(
                at: tree.mark,
                "unknown section `\(name)`",
                mend: Suggestion.remedy(for: name, among: specs.settings.keys)
            )
        }
        return specs.settings.values.flatMap { spec in
            let tree = settings[spec.name]
            return spec.validate(tree, &report).map { claim in
                ClaimTable.Entry(
                    node: spec.name,
                    claim: claim,
                    mark: tree?["listen"]?.mark ?? tree?.mark ?? Mark(file: "", line: 0, column: 0)
                )
            }
        }
    }

    /// Whether a text may name a node: `[A-Za-z0-9_][A-Za-z0-9_-]*`.
    public static func isID(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-") && text.utf8.count <= 128
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private func unknownType(_ vertex: Vertex, _ specs: NodeSpecs) -> Diagnostic {
        let (role, name) = (vertex.type.role, vertex.type.name)
        let others = specs.roles(of: name)
        if !others.isEmpty {
            let sections = others.map { "`\($0.section)`" }.joined(separator: " or ")
            return Diagnostic(
                at: vertex.typeMark ?? vertex.mark,
                "`\(name)` is no \(role.rawValue), but \(others.map(\.withArticle).joined(separator: " and "))",
                mend: "move `\(vertex.id)` to the section \(sections)"
            )
        }
        let remedy = Suggestion.remedy(for: name, among: specs.names(of: role))
        return Diagnostic(
            at: vertex.typeMark ?? vertex.mark,
            "unknown \(role.rawValue) type `\(name)`",
            mend: vertex.id == name && remedy.hasPrefix("known") ? "say its `type`, \(remedy)" : remedy
        )
    }

    /// Whether a controller's mode reaches the node.
    private func isFollowing(_ vertex: Vertex, _ spec: NodeSpec, _ linked: Set<Port>) -> Bool {
        spec.inputs.contains { $0.kind == .mode && linked.contains(Port(vertex.id, $0.name)) }
    }

    private func checkLink(_ link: Link, _ specs: NodeSpecs, _ report: inout Report) {
        let mark = linkMarks[link] ?? vertices[link.to.node]?.mark ?? Mark(file: "", line: 1, column: 1)
        for node in [link.from.node, link.to.node] where vertices[node] == nil {
            report.add(
                at: mark,
                "unknown node `\(node)`",
                mend: Suggestion.remedy(for: node, among: vertices.keys)
            )
        }
        guard let from = vertices[link.from.node].flatMap({ specs[$0.type] }),
            let to = vertices[link.to.node].flatMap({ specs[$0.type] })
        else { return }
        let output = from.outputs.first { $0.name == link.from.port }
        let input = to.inputs.first { $0.name == link.to.port }
        if output == nil {
            let names = from.outputs.map(\.name)
            report.add(
                at: mark,
                "`\(link.from.node)` has no output `\(link.from.port)`",
                mend: Suggestion.remedy(for: link.from.port, among: names, none: "it sends nothing")
            )
        }
        if input == nil {
            let names = to.inputs.map(\.linkKey)
            report.add(
                at: mark,
                "`\(link.to.node)` has no input `\(link.to.port)`",
                mend: Suggestion.remedy(for: link.to.port, among: names, none: "it reads from no node")
            )
        }
        if let output, let input, output.kind != input.kind {
            report.add(
                at: mark,
                "`\(link.from)` sends \(output.kind.rawValue), `\(input.linkKey)` takes \(input.kind.rawValue)",
                mend: "link a port that sends \(input.kind.rawValue)"
            )
        }
    }
}

extension Role {
    /// `a processor`, `an exporter`.
    var withArticle: String { (self == .exporter || self == .observer ? "an " : "a ") + rawValue }
}
