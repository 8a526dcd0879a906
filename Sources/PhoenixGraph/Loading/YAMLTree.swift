import Yams

/// A YAML text as a `ConfigTree`: aliases followed, merge keys merged, variables substituted, limits kept.
struct YAMLTree {
    /// The most bytes of one file, the most nodes after aliases are followed, and the deepest nesting.
    static let mostBytes = 4 << 20
    static let mostNodes = 100_000
    static let mostDepth = 64

    /// What a scalar means its setting decides; tags tell only a merge key from a quoted one.
    private static let resolver = Resolver.basic.appending(.merge)

    private let file: String
    /// Nil for a text in which nothing is substituted.
    private let substitution: Substitution?
    /// Where the text begins in its file: 0, 0 for a file, elsewhere for a `--set`.
    private let origin: (line: Int, column: Int)
    private var nodes = 0
    private var isTooLarge = false

    /// A line and a column as libyaml counts them, from 1.
    private struct Place {
        var line: Int
        var column: Int
        init(line: Int, column: Int) { (self.line, self.column) = (line, column) }
        init(_ mark: Yams.Mark) { (line, column) = (mark.line, mark.column) }
    }

    /// Reads a text; nil when it is no YAML or too large.
    ///
    /// What is wrong in places only (a variable that is not set, a key written twice) is reported and read on over. A
    /// text that says nothing is `null`.
    static func read(
        _ text: String,
        file: String,
        origin: (line: Int, column: Int) = (0, 0),
        _ substitution: Substitution?,
        _ report: inout Report
    ) -> ConfigTree? {
        // Some editors begin a file with a mark that says only that it is UTF-8.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        var tree = YAMLTree(file: file, substitution: substitution, origin: origin)
        let start = tree.mark(1, 1)
        if let offset = AliasBound.firstExcess(in: text) {
            report.add(
                at: tree.mark(of: offset, in: text),
                tooManyNodes,
                mend: "use fewer aliases of aliases"
            )
            return nil
        }
        do {
            guard let root = try Yams.compose(yaml: text, Self.resolver) else {
                return ConfigTree(.null, at: start)
            }
            let result = tree.convert(root, depth: 0, at: start, &report)
            return tree.isTooLarge ? nil : result
        } catch let error as YamlError {
            report.add(tree.diagnostic(for: error, in: text))
        } catch {
            report.add(at: start, "no YAML: \(error)", mend: "mend the file")
        }
        return nil
    }

    private init(file: String, substitution: Substitution?, origin: (line: Int, column: Int)) {
        (self.file, self.substitution, self.origin) = (file, substitution, origin)
    }

    private static let tooManyNodes = "more than \(mostNodes) values once aliases are followed"

    private func mark(_ line: Int, _ column: Int) -> Mark {
        Mark(file: file, line: line + origin.line, column: column + (line == 1 ? origin.column : 0))
    }

    private func mark(of node: Node, else parent: Mark) -> Mark {
        node.mark.map { mark($0.line, $0.column) } ?? parent
    }

    /// The place of a byte.
    private func mark(of offset: Int, in text: String) -> Mark {
        let place = Mark(file: file, offset: offset, in: text)
        return mark(place.line, place.column)
    }

    /// A place that libyaml names, moved inside the text: at the end of input it counts one line too many.
    private func clamped(_ place: Place, in text: String) -> Mark {
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        let index = min(max(place.line, 1), max(lines.count, 1)) - 1
        let width = index < lines.count ? lines[index].unicodeScalars.count : 0
        let column = place.line - 1 > index ? width + 1 : min(max(place.column, 1), width + 1)
        return mark(index + 1, column)
    }

    // MARK: - Conversion

    private mutating func convert(
        _ node: Node,
        depth: Int,
        at parent: Mark,
        _ report: inout Report
    ) -> ConfigTree {
        let mark = mark(of: node, else: parent)
        guard count(at: mark, &report) else { return ConfigTree(.null, at: mark) }
        guard depth <= Self.mostDepth else {
            if !isTooLarge {
                report.add(at: mark, "nested deeper than \(Self.mostDepth) levels", mend: "flatten it")
            }
            isTooLarge = true
            return ConfigTree(.null, at: mark)
        }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            if isPlain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) {
                return ConfigTree(.null, at: mark)
            }
            let text = substitution?.apply(to: scalar.string, at: mark, &report) ?? scalar.string
            var tree = ConfigTree(.scalar(text, isPlain: isPlain), at: mark)
            if text != scalar.string { tree.written = scalar.string }
            return tree
        case .sequence(let sequence):
            var items: [ConfigTree] = []
            for item in sequence where !isTooLarge {
                items.append(convert(item, depth: depth + 1, at: mark, &report))
            }
            return ConfigTree(.list(items), at: mark)
        case .mapping(let mapping):
            return convert(mapping, depth: depth, at: mark, &report)
        case .alias:
            // Only the composer's caller may ask for these; we do not.
            report.add(at: mark, "an alias that was not followed", mend: "write the value itself")
            return ConfigTree(.null, at: mark)
        }
    }

    private mutating func convert(
        _ mapping: Node.Mapping,
        depth: Int,
        at mark: Mark,
        _ report: inout Report
    ) -> ConfigTree {
        var entries: [ConfigTree.Entry] = []
        var places: [String: Mark] = [:]
        var merged: [ConfigTree.Entry] = []
        for (keyNode, valueNode) in mapping where !isTooLarge {
            let keyMark = self.mark(of: keyNode, else: mark)
            guard case .scalar(let scalar) = keyNode else {
                report.add(at: keyMark, "a key that is a list or a map", mend: "write a name as the key")
                continue
            }
            guard count(at: keyMark, &report) else { break }
            let key = scalar.string
            let value = convert(valueNode, depth: depth + 1, at: keyMark, &report)
            if key == "<<", scalar.style == .plain {
                merged += entriesToMerge(value, &report)
                continue
            }
            if let first = places[key] {
                report.add(
                    at: keyMark,
                    "`\(key)` is written twice",
                    mend: "it stands in line \(first.line) already; take one of them away"
                )
                continue
            }
            places[key] = keyMark
            entries.append(.init(key: key, keyMark: keyMark, value: value))
        }
        // What is written beside a merge key wins, then the first of what is merged.
        for entry in merged where places[entry.key] == nil {
            places[entry.key] = entry.keyMark
            entries.append(entry)
        }
        return ConfigTree(.map(entries), at: mark)
    }

    private func entriesToMerge(_ value: ConfigTree, _ report: inout Report) -> [ConfigTree.Entry] {
        switch value.value {
        case .map(let entries): return entries
        case .list(let items): return items.flatMap { entriesToMerge($0, &report) }
        default:
            report.add(
                at: value.mark,
                "`<<` merges maps, found \(value.found)",
                mend: "write an alias of a map, as in `<<: *base`"
            )
            return []
        }
    }

    /// Counts one more node; false, and one diagnostic for all, past the limit.
    private mutating func count(at mark: Mark, _ report: inout Report) -> Bool {
        if isTooLarge { return false }
        nodes += 1
        guard nodes > Self.mostNodes else { return true }
        isTooLarge = true
        report.add(at: mark, Self.tooManyNodes, mend: "split the graph into parts, or use fewer aliases")
        return false
    }

    // MARK: - Errors of the parser

    private func diagnostic(for error: YamlError, in text: String) -> Diagnostic {
        switch error {
        case .scanner(let context, let problem, let place, _),
            .parser(let context, let problem, let place, _):
            let context = context.map { " \($0.text) (line \($0.mark.line + origin.line))" } ?? ""
            return Diagnostic(
                at: clamped(Place(place), in: text),
                "no YAML: \(problem)\(context)",
                mend: "check indentation, brackets and quotes here and in the line before"
            )
        case .composer(_, let problem, let place, _):
            let isSecond = problem.contains("another document")
            return Diagnostic(
                at: clamped(Place(place), in: text),
                isSecond ? "a second document in one file" : "no YAML: \(problem)",
                mend: isSecond
                    ? "keep one graph in a file, and take the `---` away"
                    : "set the anchor with `&` before its use"
            )
        case .duplicatedKeysInMapping(let names, let context):
            let place =
                secondPlace(of: names.first ?? "", after: Place(context.mark), in: text)
                ?? Place(context.mark)
            return Diagnostic(
                at: clamped(place, in: text),
                "`\(names.first ?? "")` is written twice",
                mend: "it stands in line \(context.mark.line + origin.line) already; take one of them away"
            )
        case .reader(let problem, let offset, _, _):
            let index =
                text.index(text.startIndex, offsetBy: offset ?? 0, limitedBy: text.endIndex) ?? text.endIndex
            let bytes = text.utf8.distance(from: text.startIndex, to: index)
            return Diagnostic(
                at: mark(of: bytes, in: text),
                "no YAML: \(problem)",
                mend: "take the character away"
            )
        default:
            return Diagnostic(at: mark(1, 1), "no YAML: \(error)", mend: "mend the file")
        }
    }

    /// The parser tells only the first of two equal keys: the second stands below it in the same column.
    private func secondPlace(of name: String, after first: Place, in text: String) -> Place? {
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        guard first.line >= 1, first.column >= 1, first.line < lines.count else { return nil }
        for index in first.line..<lines.count {
            let line = lines[index]
            guard line.prefix(while: { $0 == " " }).count == first.column - 1 else { continue }
            let rest = line.dropFirst(first.column - 1)
            for written in [name, "\"\(name)\"", "'\(name)'"] where rest.hasPrefix(written + ":") {
                return Place(line: index + 1, column: first.column)
            }
        }
        return nil
    }
}
