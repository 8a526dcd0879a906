public import PhoenixModel

extension NodeConfig {
    /// The settings that may not stand beside each other: one written in an overlay takes the place of the others in
    /// its group, as `keep` does of `drop`.
    public static var exclusive: [[String]] { [] }

    /// Reads a node's settings and checks them; nil when the report got at least one more diagnostic.
    ///
    /// `otherKeys` are names that stand beside the settings in a graph file (`from`, `type`, other ports): a slip that is
    /// near to one of them is told so.
    public static func decode(
        _ tree: ConfigTree,
        at node: Mark,
        besides otherKeys: [String] = [],
        _ report: inout Report
    ) -> Self? {
        guard let (config, marks) = fields.decode(into: Self(), tree, at: node, besides: otherKeys, &report)
        else {
            return nil
        }
        let before = report.diagnostics.count
        for group in exclusive {
            let written = group.compactMap { name in marks.fields[name].map { (name: name, mark: $0) } }
            guard let last = written.max(by: { $0.mark < $1.mark }), written.count > 1 else { continue }
            let others = written.filter { $0.name != last.name }.map { "`\($0.name)`" }.joined(
                separator: " and "
            )
            report.add(
                at: last.mark,
                "`\(last.name)` does not go with \(others)",
                mend: "keep one of the two: take away `\(last.name)` here or \(others)"
            )
        }
        config.check(marks, &report)
        report.tell(marks.sources, after: before)
        return report.diagnostics.count == before ? config : nil
    }

    /// A node's settings and those of each mode that changes any: for the engine, once the graph was validated.
    public static func decode(
        _ vertex: Graph.Vertex,
        _ report: inout Report
    ) -> (base: Self, modes: [Mode: Self])? {
        guard let base = decode(vertex.config, at: vertex.mark, &report) else { return nil }
        var modes: [Mode: Self] = [:]
        for mode in vertex.modes.keys.sorted() {
            let tree = vertex.config(in: mode, exclusive: exclusive)
            guard let config = decode(tree, at: vertex.mark, &report) else { return nil }
            modes[mode] = config
        }
        return (base, modes)
    }
}

extension Array {
    /// The fields without their types, with the defaults that `defaults` holds.
    func specs<Config>(of defaults: Config) -> [FieldSpec] where Element == Field<Config> {
        map { $0.spec(defaults: defaults) }
    }

    /// Reads every entry of a map into `defaults` by the field of its name; reports every problem, not the first.
    func decode<Config>(
        into defaults: Config,
        _ tree: ConfigTree,
        at mark: Mark,
        besides otherKeys: [String],
        _ report: inout Report
    ) -> (Config, FieldMarks)? where Element == Field<Config> {
        var config = defaults
        var marks = FieldMarks(node: mark, fields: [:])
        var isGood = true
        let entries: [ConfigTree.Entry]
        switch tree.value {
        case .map(let found): entries = found
        case .null: entries = []
        default:
            let names = prefix(3).map { "`\($0.name)`" }.joined(separator: ", ")
            report.add(
                at: tree.mark,
                "expected settings, found \(tree.found)",
                mend: isEmpty ? "leave it empty" : "write `name: value` pairs, such as \(names)"
            )
            return nil
        }
        for entry in entries {
            guard let field = first(where: { $0.name == entry.key }) else {
                isGood = false
                report.add(
                    at: entry.keyMark,
                    "unknown setting `\(entry.key)`",
                    mend: Suggestion.remedy(for: entry.key, among: map(\.name) + otherKeys)
                )
                continue
            }
            marks.fields[entry.key] = entry.keyMark
            marks.sources[entry.key] = entry.value.source
            if !field.read(entry.value, &config, &report) { isGood = false }
        }
        for field in self where field.isRequired && marks.fields[field.name] == nil {
            isGood = false
            report.add(at: mark, "`\(field.name)` is missing", mend: "add `\(field.name)`: \(field.doc)")
        }
        return isGood ? (config, marks) : nil
    }
}
