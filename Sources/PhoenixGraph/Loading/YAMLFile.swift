/// A YAML text that is no graph, as a tree with marks: for nodes that read settings from a file of their own.
public enum YAMLFile {
    /// Reads a text as it stands: nothing is substituted in it. Throws everything that is wrong, each with its place.
    public static func read(_ text: String, file: String) throws(GraphRefusal) -> ConfigTree {
        var report = Report()
        // The text of a file is data: a dollar sign in it is a dollar sign.
        let tree = YAMLTree.read(text, file: file, nil, &report)
        guard let tree, report.diagnostics.isEmpty else {
            throw GraphRefusal(report.diagnostics, files: [file], sources: [file: text])
        }
        return tree
    }

    /// A tree as YAML that reads back as the same: maps in blocks, one key a line; maps and lists inside them in one line.
    public static func write(_ tree: ConfigTree) -> String {
        guard case .map(let entries) = tree.value else { return inline(tree) + "\n" }
        return entries.map { "\(scalar($0.key, isPlain: true)): \(inline($0.value))\n" }.joined()
    }

    private static func inline(_ tree: ConfigTree) -> String {
        switch tree.value {
        case .null: "null"
        case .scalar(let text, let isPlain): scalar(text, isPlain: isPlain)
        case .list(let items): "[\(items.map(inline).joined(separator: ", "))]"
        case .map(let entries):
            "{\(entries.map { "\(scalar($0.key, isPlain: true)): \(inline($0.value))" }.joined(separator: ", "))}"
        }
    }

    /// Plain where nothing in it could be read as anything else; in double quotes otherwise, as JSON writes them.
    private static func scalar(_ text: String, isPlain: Bool) -> String {
        let isWord =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789_.-+".unicodeScalars.contains($0))
            }
        let isNothing = ["null", "Null", "NULL", "-", "---", "..."].contains(text)
        return isPlain && isWord && !isNothing && !text.hasPrefix("-") ? text : quoted(text)
    }
    /// JSON's quotes, and escapes for what a YAML reader refuses or takes for the end of a line (YAML 1.1, 5.1 and 5.4).
    private static func quoted(_ text: String) -> String {
        JSONText.text(text).written().unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar.value {
            case 0x7F...0x9F, 0x2028, 0x2029, 0xFFFE, 0xFFFF:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
