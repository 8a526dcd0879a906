import Foundation
public import PhoenixGraph
public import PhoenixRuntime

/// The pages that are made out of the catalog: a reference for each node type, and the JSON Schema of graph files.
public struct ReferencePages {
    private let specs: NodeSpecs
    private let examples: String

    /// Examples are read from a directory: `<type>.yaml`, or `<role>-<type>.yaml` where two roles know the name.
    public init(_ catalog: NodeCatalog, examples: String) {
        (specs, self.examples) = (NodeSpecs(catalog), examples)
    }

    /// Where the example of a type stands in the directory of examples.
    public static func example(of type: NodeType, among specs: NodeSpecs) -> String {
        specs.roles(of: type.name).count > 1 ? "\(type.role.rawValue)-\(type.name).yaml" : "\(type.name).yaml"
    }

    /// Every page by its path below `docs`.
    public var all: [String: String] {
        var pages = ["schema/graph.schema.json": GraphSchema(specs).text]
        var index = [
            "# Node types", "", "Made by `make reference` out of the types themselves; do not edit.", "",
            "| role | type | |", "|---|---|---|",
        ]
        for spec in specs.sorted {
            let path = examples + "/" + Self.example(of: spec.type, among: specs)
            let page = NodeReference(spec, example: try? String(contentsOfFile: path, encoding: .utf8))
            pages["nodes/\(page.name).md"] = page.markdown
            index.append(
                "| \(spec.type.role.rawValue) | [\(spec.type.name)](\(page.name).md) | \(spec.summary) |"
            )
        }
        pages["nodes/README.md"] = index.joined(separator: "\n") + "\n"
        return pages
    }
}
