import ArgumentParser
import PhoenixGraph

/// `phoenix nodes`: the node types, or the reference of one.
struct Nodes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the node types, or print the reference of one."
    )

    @Argument(help: "A type such as `otlp`, or `receiver/otlp` where two roles know the name.")
    var type: String?

    func run() throws {
        let specs = GraphSource.specs
        guard let type else {
            let rows = specs.sorted.map { [$0.type.role.rawValue, $0.type.name, $0.summary] }
            try Terminal.say(TextTable(rows: [["ROLE", "TYPE", "WHAT IT DOES"]] + rows).text)
            return
        }
        let found = Self.types(named: type, in: specs)
        guard !found.isEmpty else {
            let names = Set(specs.sorted.map(\.type.name)).sorted().joined(separator: ", ")
            Terminal.note("no node type is called `\(type)`; there are: \(names)")
            throw Outcome.refused.exitCode
        }
        try Terminal.say(found.map { NodeReference($0).markdown }.joined(separator: "\n"))
    }

    static func types(named name: String, in specs: NodeSpecs) -> [NodeSpec] {
        let parts = name.split(whereSeparator: { $0 == "/" || $0 == " " })
        guard parts.count == 2, let role = Role(rawValue: String(parts[0])) else {
            return specs.sorted.filter { $0.type.name == name }
        }
        return specs[NodeType(role, String(parts[1]))].map { [$0] } ?? []
    }
}
