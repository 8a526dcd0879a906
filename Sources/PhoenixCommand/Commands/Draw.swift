import ArgumentParser
import PhoenixGraph

/// `phoenix graph`: draws a graph file.
struct Draw: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case mermaid, dot }
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Draw a graph file: as Mermaid text, or for Graphviz's dot."
    )

    @Argument(help: "The graph file; without one the demonstration.")
    var file: String?
    @OptionGroup var overlays: Overlays
    @Option(help: "mermaid or dot.")
    var format = Format.mermaid

    func run() throws {
        let loaded = try GraphSource(overlays).loadOrExit(file)
        let drawing = GraphDrawing(loaded.graph, GraphSource.specs)
        switch format {
        case .mermaid: try Terminal.say(drawing.mermaid)
        case .dot: try Terminal.say(drawing.dot)
        }
    }
}
