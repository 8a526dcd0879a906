import PhoenixModel

/// Turns a draft into a graph: types, settings, modes, and the names of ports into links.
struct GraphResolver {
    private let draft: GraphDraft
    private let specs: NodeSpecs
    private let types: [NodeID: NodeType]
    private(set) var report = Report()
    /// The inputs whose link was written and could not be made; what is wrong is in the report.
    private(set) var excused: Set<Graph.Port> = []

    init(_ draft: GraphDraft, _ specs: NodeSpecs) {
        (self.draft, self.specs) = (draft, specs)
        types = Dictionary(draft.nodes.map { ($0.id, NodeType($0.role, Self.typeName($0))) }) { first, _ in
            first
        }
    }

    private static func typeName(_ node: GraphDraft.Node) -> String {
        if case .scalar(let text, _)? = node.body["type"]?.value { text } else { node.id }
    }

    mutating func resolve() -> Graph {
        var graph = Graph(name: draft.name ?? "", settings: draft.settings)
        for node in draft.nodes {
            guard let type = types[node.id] else { continue }
            graph.vertices[node.id] = resolve(node, type, &graph)
        }
        return graph
    }

    private mutating func resolve(
        _ node: GraphDraft.Node,
        _ type: NodeType,
        _ graph: inout Graph
    ) -> Graph.Vertex {
        var vertex = Graph.Vertex(
            id: node.id,
            type: type,
            config: .empty(at: node.mark),
            modes: [:],
            mark: node.mark
        )
        switch node.body.value {
        case .map, .null: break
        default:
            report.add(
                at: node.body.mark,
                "expected settings, found \(node.body.found)",
                mend: "write `name: value` pairs"
            )
        }
        let spec = specs[type]
        var settings: [ConfigTree.Entry] = []
        for entry in node.body.entries {
            if entry.key == "type" {
                vertex.typeMark = entry.value.mark
                if case .scalar = entry.value.value { continue }
                report.add(
                    at: entry.value.mark,
                    "expected the name of a type, found \(entry.value.found)",
                    mend: "known: \(specs.names(of: type.role).map { "`\($0)`" }.joined(separator: ", "))"
                )
            } else if entry.key == "modes" {
                vertex.modes = modes(entry)
            } else if let input = spec?.inputs.first(where: { $0.linkKey == entry.key }) {
                link(entry.value, to: node.id, input, &graph)
            } else if entry.key == "from", let spec {
                refuseFrom(entry, spec)
            } else {
                settings.append(entry)
            }
        }
        settings += variables(spec, besides: settings, at: node.mark)
        vertex.config = ConfigTree(.map(settings), at: node.body.mark)
        return vertex
    }

    /// The settings that are not written and that the environment gives; a variable set to nothing is not set.
    private func variables(
        _ spec: NodeSpec?,
        besides written: [ConfigTree.Entry],
        at mark: Mark
    ) -> [ConfigTree.Entry] {
        (spec?.fields ?? []).compactMap { field in
            guard let variable = field.variable, !written.contains(where: { $0.key == field.name }),
                let text = draft.substitution.variables[variable.name], !text.isEmpty
            else { return nil }
            var value = ConfigTree(.scalar(text + variable.unit, isPlain: true), at: mark)
            value.written = "${env:\(variable.name)}"
            return .init(key: field.name, keyMark: mark, value: value)
        }
    }

    private mutating func refuseFrom(_ entry: ConfigTree.Entry, _ spec: NodeSpec) {
        let inputs = spec.inputs.map { "`\($0.linkKey)`" }
        report.add(
            at: entry.keyMark,
            inputs.isEmpty ? "\(spec.type) reads from no node" : "\(spec.type) has no input `from`",
            mend: inputs.isEmpty
                ? "take `from` away; links are written at the node that reads"
                : "its inputs are \(inputs.joined(separator: ", "))"
        )
    }

    private mutating func modes(_ entry: ConfigTree.Entry) -> [Mode: ConfigTree] {
        guard case .map(let entries) = entry.value.value else {
            report.add(
                at: entry.value.mark,
                "expected settings by mode, found \(entry.value.found)",
                mend: "write `aggressive: {…}` under `modes`"
            )
            return [:]
        }
        var modes: [Mode: ConfigTree] = [:]
        for entry in entries {
            guard let mode = Mode(rawValue: entry.key) else {
                let names = Mode.allCases.map(\.rawValue)
                report.add(
                    at: entry.keyMark,
                    "unknown mode `\(entry.key)`",
                    mend: Suggestion.remedy(for: entry.key, among: names)
                )
                continue
            }
            modes[mode] = entry.value.isNull ? .empty(at: entry.keyMark) : entry.value
        }
        return modes
    }

    // MARK: - Links

    private mutating func link(_ tree: ConfigTree, to node: NodeID, _ input: PortSpec, _ graph: inout Graph) {
        let target = Graph.Port(node, input.name)
        if tree.isNull { return }
        let before = report.diagnostics.count
        guard let references = OneOrMany<Reference>.decode(tree, &report)?.values else {
            excused.insert(target)
            return
        }
        for reference in references {
            guard let source = source(reference, input) else { continue }
            let link = Graph.Link(from: source, to: target)
            if graph.links.insert(link).inserted {
                graph.linkMarks[link] = reference.mark
            } else {
                report.add(
                    at: reference.mark,
                    "`\(node)` reads from `\(reference.text)` twice",
                    mend: "take one of them away: every message would count double"
                )
            }
        }
        let isUnknown = references.contains { reference in
            types[reference.node].map { specs[$0] == nil } ?? false
        }
        if report.diagnostics.count > before || isUnknown { excused.insert(target) }
    }

    /// The output that a reference means; nil when there is none, which is then in the report, or when the node's type
    /// is unknown, which the validation reports.
    private mutating func source(_ reference: Reference, _ input: PortSpec) -> Graph.Port? {
        guard let type = types[reference.node] else {
            report.add(
                at: reference.mark,
                "unknown node `\(reference.node)`",
                mend: Suggestion.remedy(for: reference.node, among: types.keys)
            )
            return nil
        }
        guard let outputs = specs[type]?.outputs else { return nil }
        let fitting = outputs.filter { $0.kind == input.kind }
        let kind = input.kind.rawValue
        let remedy =
            fitting.isEmpty
            ? "link a node that sends \(kind); \(type) sends \(Self.list(outputs))"
            : "write \(fitting.map { "`\(reference.node).\($0.name)`" }.joined(separator: " or "))"
        if let name = reference.port {
            guard let output = outputs.first(where: { $0.name == name }) else {
                report.add(
                    at: reference.mark,
                    "`\(reference.node)` has no output `\(name)`",
                    mend: Suggestion.remedy(for: name, among: outputs.map(\.name), none: "it sends nothing")
                )
                return nil
            }
            guard output.kind == input.kind else {
                let message =
                    "`\(reference.text)` sends \(output.kind.rawValue), `\(input.linkKey)` takes \(kind)"
                report.add(at: reference.mark, message, mend: remedy)
                return nil
            }
            return Graph.Port(reference.node, name)
        }
        if fitting.count == 1 { return Graph.Port(reference.node, fitting[0].name) }
        if fitting.contains(where: { $0.name == "out" }) { return Graph.Port(reference.node, "out") }
        report.add(
            at: reference.mark,
            fitting.isEmpty
                ? "`\(reference.node)` sends no \(kind), which `\(input.linkKey)` takes"
                : "`\(reference.node)` has \(fitting.count) outputs of \(kind)",
            mend: remedy
        )
        return nil
    }

    private static func list(_ outputs: [PortSpec]) -> String {
        outputs.isEmpty
            ? "nothing" : outputs.map { "`\($0.name)` (\($0.kind.rawValue))" }.joined(separator: ", ")
    }
}

/// `node` or `node.port`.
private struct Reference: FieldValue {
    var node: NodeID
    var port: String?
    var mark: Mark
    static var shape: Shape { .string(format: nil) }
    static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let text = tree.scalar(expected: "a node", example: "otlp` or `otlp.out", &report) else {
            return nil
        }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        guard !text.isEmpty, !parts.contains("") else {
            report.add(
                at: tree.mark,
                "expected a node, found \(tree.found)",
                mend: "write `node` or `node.port`"
            )
            return nil
        }
        return Self(node: parts[0], port: parts.count > 1 ? parts[1] : nil, mark: tree.mark)
    }
    var text: String { port.map { "\(node).\($0)" } ?? node }
}
