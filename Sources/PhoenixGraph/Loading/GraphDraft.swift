/// A graph file while it is put together: its parts, the environment and the `--set`s, still as trees.
struct GraphDraft {
    struct Node {
        var role: Role
        var id: NodeID
        var mark: Mark
        var body: ConfigTree
    }

    let specs: NodeSpecs
    let substitution: Substitution
    var report = Report()
    /// False once a file could not be read whole: what is missing would look like mistakes elsewhere.
    var isComplete = true
    var name: String?
    /// In the order of the files.
    var nodes: [Node] = []
    private var places: [NodeID: Int] = [:]
    var settings: [String: ConfigTree] = [:]
    /// Where each section of settings was begun.
    private var settingsMarks: [String: Mark] = [:]
    var sources: [String: String] = [:]
    private var included: Set<String> = []

    /// How deep parts may include parts.
    static let mostDepth = 8

    init(_ specs: NodeSpecs, _ substitution: Substitution) {
        (self.specs, self.substitution) = (specs, substitution)
    }

    func index(of id: NodeID) -> Int? { places[id] }

    // MARK: - Files

    mutating func readRoot(_ path: String) {
        let start = Mark(file: path, line: 1, column: 1)
        guard let tree = readTree(path, from: start) else { return }
        guard !tree.entries.isEmpty else {
            report.add(at: start, "the graph is empty", mend: "begin with `graph: <name>` and `version: 1`")
            isComplete = false
            return
        }
        if tree["version"] == nil {
            report.add(at: start, "`version` is missing", mend: "add `version: 1`")
        }
        included = [path]
        absorb(tree, of: path, chain: [path])
        if name == nil {
            let file = path.split(separator: "/").last.map(String.init) ?? path
            name = file.split(separator: ".").first.map(String.init) ?? file
        }
    }

    /// A file as a tree; notes what is wrong, at `place` if the file cannot be read at all.
    mutating func readTree(_ path: String, from place: Mark) -> ConfigTree? {
        let bytes: [UInt8]
        do {
            bytes = try substitution.readFile(path)
        } catch {
            isComplete = false
            report.add(
                at: place,
                "cannot read `\(path)`: \(error)",
                mend: (error as? UnreadableFile)?.mend ?? "name a file that exists and may be read"
            )
            return nil
        }
        let start = Mark(file: path, line: 1, column: 1)
        guard bytes.count <= YAMLTree.mostBytes else {
            isComplete = false
            report.add(
                at: start,
                "larger than \(YAMLTree.mostBytes >> 20) MiB",
                mend: "split it with `include`"
            )
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self)
        sources[path] = text
        guard text.utf8.elementsEqual(bytes) else {
            isComplete = false
            let good = zip(text.utf8, bytes).prefix { $0 == $1 }.count
            report.add(
                at: Mark(file: path, offset: good, in: text),
                "no UTF-8 here",
                mend: "save the file as UTF-8"
            )
            return nil
        }
        guard let tree = YAMLTree.read(text, file: path, substitution, &report) else {
            isComplete = false
            return nil
        }
        switch tree.value {
        case .map, .null: return tree
        default:
            isComplete = false
            report.add(
                at: tree.mark,
                "expected a map of sections, found \(tree.found)",
                mend: "begin with `graph: <name>`"
            )
            return nil
        }
    }

    /// Takes in what a file says, and the parts that it includes.
    private mutating func absorb(_ tree: ConfigTree, of path: String, chain: [String]) {
        for entry in tree.entries {
            switch entry.key {
            case "graph":
                if chain.count == 1 { readName(entry.value) }
            case "version": checkVersion(entry.value)
            case "include": include(entry.value, from: path, chain: chain)
            default: takeSection(entry) { draft, role, node in draft.add(role, node) }
            }
        }
    }

    mutating func readName(_ tree: ConfigTree) {
        if let text = String.decode(tree, &report) { name = text }
    }

    mutating func checkVersion(_ tree: ConfigTree) {
        if case .scalar("1", _) = tree.value { return }
        report.add(at: tree.mark, "expected version 1, found \(tree.found)", mend: "write `version: 1`")
    }

    /// A section of nodes, each given to `take`, or one of settings.
    mutating func takeSection(
        _ entry: ConfigTree.Entry,
        isOverlay: Bool = false,
        _ take: (inout GraphDraft, Role, ConfigTree.Entry) -> Void
    ) {
        if let role = Role.allCases.first(where: { $0.section == entry.key }) {
            switch entry.value.value {
            case .map(let entries):
                for node in entries { take(&self, role, node) }
            case .null: break
            default:
                isComplete = false
                report.add(
                    at: entry.value.mark,
                    "expected nodes by name, found \(entry.value.found)",
                    mend: "write `<name>:` and the node's settings under it"
                )
            }
        } else if specs.settings[entry.key] != nil {
            takeSettings(entry, isOverlay: isOverlay)
        } else {
            let names = ["graph", "version", "include"] + Role.allCases.map(\.section) + specs.settings.keys
            report.add(
                at: entry.keyMark,
                "unknown section `\(entry.key)`",
                mend: Suggestion.remedy(for: entry.key, among: names)
            )
        }
    }

    private mutating func takeSettings(_ entry: ConfigTree.Entry, isOverlay: Bool) {
        if let first = settingsMarks[entry.key], !isOverlay {
            report.add(
                at: entry.keyMark,
                "`\(entry.key)` is written twice",
                mend: "it stands at \(first.file):\(first.line) already; keep one"
            )
            return
        }
        settingsMarks[entry.key] = entry.keyMark
        let value = entry.value.isNull ? ConfigTree.empty(at: entry.keyMark) : entry.value
        settings[entry.key] = settings[entry.key]?.overlaid(by: value) ?? value
    }

    private mutating func add(_ role: Role, _ entry: ConfigTree.Entry) {
        if let index = index(of: entry.key) {
            let first = nodes[index]
            report.add(
                at: entry.keyMark,
                "`\(entry.key)` is \(first.role.withArticle) already",
                mend:
                    "names are unique over all sections and parts (see \(first.mark.file):\(first.mark.line)); rename one"
            )
            return
        }
        append(Node(role: role, id: entry.key, mark: entry.keyMark, body: entry.value))
    }

    mutating func append(_ node: Node) {
        places[node.id] = nodes.count
        nodes.append(node)
    }

    // MARK: - Parts

    private mutating func include(_ tree: ConfigTree, from path: String, chain: [String]) {
        guard let parts = OneOrMany<PartPath>.decode(tree, &report)?.values else {
            isComplete = false
            return
        }
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/"
        )
        for part in parts {
            let file = folder.isEmpty && !path.hasPrefix("/") ? part.path : "\(folder)/\(part.path)"
            if let problem = problem(of: file, chain) {
                isComplete = false
                report.add(at: part.mark, problem.0, mend: problem.1)
                continue
            }
            included.insert(file)
            guard let tree = readTree(file, from: part.mark) else { continue }
            absorb(tree, of: file, chain: chain + [file])
        }
    }

    private func problem(of file: String, _ chain: [String]) -> (String, String)? {
        if chain.contains(file) {
            let circle = (chain + [file]).joined(separator: " -> ")
            return ("parts include each other: \(circle)", "take this part away")
        }
        if included.contains(file) { return ("`\(file)` is included twice", "take one of them away") }
        if chain.count >= Self.mostDepth {
            return ("parts nested deeper than \(Self.mostDepth)", "include it from a file nearer to the root")
        }
        return nil
    }
}

/// The path of a part: below the folder of the file that includes it.
private struct PartPath: FieldValue {
    var path: String
    var mark: Mark
    static var shape: Shape { .string(format: nil) }
    static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let path = tree.scalar(expected: "the path of a part", example: "pipelines/full.yaml", &report)
        else { return nil }
        let steps = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.hasPrefix("/"), !steps.contains(".."), !steps.contains("") else {
            report.add(
                at: tree.mark,
                "`\(path)` leads out of the folder of the graph",
                mend:
                    "put parts below the file that includes them, and name them without `..` and without a leading `/`"
            )
            return nil
        }
        return Self(path: steps.filter { $0 != "." }.joined(separator: "/"), mark: tree.mark)
    }
    var text: String { path }
    static func == (left: Self, right: Self) -> Bool { left.path == right.path }
}

extension Mark {
    /// The place of a byte of a text.
    init(file: String, offset: Int, in text: String) {
        let before = text.utf8.prefix(offset)
        let start =
            before.lastIndex(of: UInt8(ascii: "\n")).map { text.utf8.index(after: $0) } ?? text.startIndex
        self.init(
            file: file,
            line: before.count { $0 == UInt8(ascii: "\n") } + 1,
            column: String(decoding: text.utf8[start..<before.endIndex], as: UTF8.self).unicodeScalars.count
                + 1
        )
    }
}
