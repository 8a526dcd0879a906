import ArgumentParser
import PhoenixGraph

/// `phoenix validate`: says all that is wrong with graph files.
struct Validate: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
    static let configuration = CommandConfiguration(
        abstract: "Check graph files without running them.",
        discussion: "Exit code 0: all are good; 1: at least one is not."
    )

    @Argument(help: "The graph files.")
    var files: [String]
    @OptionGroup var overlays: Overlays
    @Option(help: "text or json.")
    var format = Format.text

    func run() throws {
        let results = files.map { file in (file: file, result: Self.check(file, overlays)) }
        switch format {
        case .text:
            for (file, result) in results {
                switch result {
                case .success(let loaded):
                    let (nodes, links) = (loaded.graph.vertices.count, loaded.graph.links.count)
                    try Terminal.say("\(file): good (\(nodes) nodes, \(links) links)")
                case .failure(let refusal): Terminal.note(refusal.description)
                }
            }
        case .json: try Terminal.say(Self.json(results.map { ($0.file, $0.result) }))
        }
        let isGood = results.allSatisfy { if case .success = $0.result { true } else { false } }
        if !isGood { throw Outcome.refused.exitCode }
    }

    private static func check(_ file: String, _ overlays: Overlays) -> Result<LoadedGraph, GraphRefusal> {
        do throws(GraphRefusal) { return .success(try GraphSource(overlays).load(file)) } catch {
            return .failure(error)
        }
    }

    static func json(_ results: [(file: String, result: Result<LoadedGraph, GraphRefusal>)]) -> String {
        let files = results.map { file, result in
            var diagnostics: [Diagnostic] = []
            if case .failure(let refusal) = result { diagnostics = refusal.diagnostics }
            let list = diagnostics.map { diagnostic in
                let (mark, quoted) = (diagnostic.mark, JSONLine.quoted)
                return "{\"file\":\(quoted(mark.file)),\"line\":\(mark.line),\"column\":\(mark.column),"
                    + "\"message\":\(quoted(diagnostic.message)),\"remedy\":\(quoted(diagnostic.remedy))}"
            }
            return "{\"file\":\(JSONLine.quoted(file)),\"valid\":\(list.isEmpty),"
                + "\"diagnostics\":[\(list.joined(separator: ","))]}"
        }
        return "[\(files.joined(separator: ",\n"))]"
    }
}
