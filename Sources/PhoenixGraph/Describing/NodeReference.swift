/// The reference page of a node type in Markdown, out of its ports and fields.
public struct NodeReference: Sendable {
    private let spec: NodeSpec
    private let example: String?

    /// `example` is the text of the type's example graph.
    public init(_ spec: NodeSpec, example: String? = nil) { (self.spec, self.example) = (spec, example) }

    /// The page's file name without its ending, unique over all types.
    public var name: String { "\(spec.type.role.rawValue)-\(spec.type.name)" }

    public var markdown: String {
        var lines = ["# \(spec.type.name)", "", "*\(spec.type.role.rawValue)*: \(spec.summary)", ""]
        if !spec.ports.isEmpty {
            lines += ["## Ports", "", "| port | direction | carries | |", "|---|---|---|---|"]
            lines += spec.inputs.map {
                "| `\($0.linkKey)` | in | \($0.kind.rawValue) | \($0.isRequired ? "required" : "") |"
            }
            lines += spec.outputs.map { "| `\($0.name)` | out | \($0.kind.rawValue) | |" }
            lines.append("")
        }
        lines += ["## Settings", ""]
        if spec.fields.isEmpty {
            lines += ["None.", ""]
        } else {
            lines += ["| setting | type | default | changes | meaning |", "|---|---|---|---|---|"]
            lines += rows(spec.fields, prefix: "", isNested: false)
            lines += [
                "", "A *live* setting changes in place, at a batch boundary; another replaces the node.", "",
            ]
        }
        for group in spec.exclusive where group.count > 1 {
            lines += ["Only one of \(group.map { "`\($0)`" }.joined(separator: ", ")) may be set.", ""]
        }
        if let example {
            lines += [
                "## Example", "", "```yaml", String(example.reversed().drop(while: \.isNewline).reversed()),
                "```", "",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private func rows(_ fields: [FieldSpec], prefix: String, isNested: Bool) -> [String] {
        fields.flatMap { field in
            let standard =
                field.isRequired ? "**required**" : field.defaultText.map { "`\(Self.cell($0))`" } ?? ""
            let change = isNested ? "" : field.isLive ? "live" : "replaces"
            let variable = field.variable.map { " Left out, `$\($0.name)` gives it." } ?? ""
            let meaning = Self.cell(field.doc) + (field.limits.map { " (\($0))" } ?? "") + variable
            let type = Self.cell(field.shape.words)
            let row = "| `\(prefix)\(field.name)` | \(type) | \(standard) | \(change) | \(meaning) |"
            let (path, nested) = field.shape.nested(in: prefix + field.name)
            return [row] + rows(nested, prefix: path + ".", isNested: true)
        }
    }

    /// A cell ends at a bar or a line break.
    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }
}

extension Shape {
    /// The shape in words: `list of text`.
    public var words: String {
        switch self {
        case .boolean: "true or false"
        case .integer: "whole number"
        case .number: "number"
        case .string(let format): format ?? "text"
        case .choice(let words): words.joined(separator: ", ")
        case .list(let item): "list of \(item.words)"
        case .map(let value): "map of \(value.words)"
        case .object: "settings"
        case .either(let shapes): shapes.map(\.words).joined(separator: " or ")
        }
    }

    /// The settings inside, and the path that leads to them.
    fileprivate func nested(in path: String) -> (String, [FieldSpec]) {
        switch self {
        case .object(let fields): (path, fields)
        case .list(let item): item.nested(in: path + "[]")
        case .map(let value): value.nested(in: path + ".<name>")
        case .either(let shapes): shapes.first?.nested(in: path) ?? (path, [])
        default: (path, [])
        }
    }
}
