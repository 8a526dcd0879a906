import PhoenixModel

extension GraphDraft {
    /// Lays `environments/<name>.yaml` beside a file, mostly the root graph, over the graph.
    mutating func readEnvironment(_ name: String, beside root: String) {
        let start = Mark(file: "--env", line: 1, column: 1)
        sources["--env"] = name
        guard Graph.isID(name) else {
            isComplete = false
            report.add(
                at: start,
                "`\(name)` is no name of an environment",
                mend: "use letters, digits, `_` and `-`"
            )
            return
        }
        guard let tree = readTree(GraphLoader.path(ofEnvironment: name, beside: root), from: start) else {
            return
        }
        for entry in tree.entries {
            switch entry.key {
            case "graph": readName(entry.value)
            case "version": checkVersion(entry.value)
            case "include":
                report.add(
                    at: entry.keyMark,
                    "an environment includes nothing",
                    mend: "include the part from the graph"
                )
            default: takeSection(entry, isOverlay: true) { draft, role, node in draft.overlay(role, node) }
            }
        }
    }

    private mutating func overlay(_ role: Role, _ entry: ConfigTree.Entry) {
        guard let index = index(of: entry.key) else {
            append(Node(role: role, id: entry.key, mark: entry.keyMark, body: entry.value))
            return
        }
        guard nodes[index].role == role else {
            report.add(
                at: entry.keyMark,
                "`\(entry.key)` is \(nodes[index].role.withArticle), not \(role.withArticle)",
                mend: "write it under `\(nodes[index].role.section)`"
            )
            return
        }
        overlay(entry.value, on: index)
    }

    /// Lays settings over a node's; nothing at all (`null`) changes nothing.
    private mutating func overlay(_ tree: ConfigTree, on index: Int) {
        guard !tree.isNull else { return }
        let node = nodes[index]
        let written = tree["type"] ?? node.body["type"]
        let typeName = if case .scalar(let text, _)? = written?.value { text } else { node.id }
        let exclusive = specs[NodeType(node.role, typeName)]?.exclusive ?? []
        var body = node.body.overlaid(by: tree, exclusive: exclusive)
        if let below = node.body["modes"], let above = tree["modes"] {
            // A mode is an overlay itself: what excludes what holds inside of it too.
            let modes = above.entries.map { entry in
                let value = below[entry.key]?.overlaid(by: entry.value, exclusive: exclusive) ?? entry.value
                return ConfigTree.Entry(key: entry.key, keyMark: entry.keyMark, value: value)
            }
            let kept = below.entries.filter { entry in !modes.contains { $0.key == entry.key } }
            let merged = body.entries.map { entry in
                guard entry.key == "modes", case .map = above.value else { return entry }
                let value = ConfigTree(.map(kept + modes.filter { !$0.value.isNull }), at: entry.value.mark)
                return ConfigTree.Entry(key: entry.key, keyMark: entry.keyMark, value: value)
            }
            body = ConfigTree(.map(merged), at: body.mark)
        }
        nodes[index].body = body
    }

    // MARK: - --set

    /// Lays `path=yaml` over the graph, in order.
    ///
    /// The path begins with a node or a section of settings; a key with a dot in it stands in double quotes.
    mutating func apply(sets: [String]) {
        sources["--set"] = sets.joined(separator: "\n")
        var line = 0
        for set in sets {
            apply(set, line: line)
            line += set.split(omittingEmptySubsequences: false) { $0.isNewline }.count
        }
    }

    private mutating func apply(_ set: String, line: Int) {
        let start = Mark(file: "--set", line: line + 1, column: 1)
        guard let (path, rest) = Self.splitPath(set), let first = path.first else {
            report.add(
                at: start,
                "`\(set)` sets nothing",
                mend: "write `node.setting=value`, as in `optimized.drop=[a, b]`"
            )
            return
        }
        let width = set.unicodeScalars.count - rest.unicodeScalars.count
        guard
            let value = YAMLTree.read(
                String(rest),
                file: "--set",
                origin: (line: line, column: width),
                substitution,
                &report
            )
        else { return }
        let tree = path.dropFirst().reversed().reduce(value) { tree, key in
            ConfigTree(.map([.init(key: key, keyMark: start, value: tree)]), at: start)
        }
        if let index = index(of: first) {
            overlay(tree, on: index)
        } else if specs.settings[first] != nil {
            takeSection(.init(key: first, keyMark: start, value: tree), isOverlay: true) { _, _, _ in }
        } else if first == "graph", path.count == 1 {
            readName(value)
        } else {
            let names = nodes.map(\.id) + specs.settings.keys + ["graph"]
            report.add(
                at: start,
                "unknown node or section `\(first)`",
                mend: Suggestion.remedy(for: first, among: names)
            )
        }
    }

    /// `a."b.c".d=x` as its keys and the text behind the `=`.
    private static func splitPath(_ set: String) -> ([String], Substring)? {
        var keys: [String] = []
        var key = ""
        var isQuoted = false
        for index in set.indices {
            switch set[index] {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted, "=" where !isQuoted:
                guard !key.isEmpty, keys.count < YAMLTree.mostDepth else { return nil }
                keys.append(key)
                key = ""
                if set[index] == "=" { return (keys, set[set.index(after: index)...]) }
            default: key.append(set[index])
            }
        }
        return nil
    }
}
