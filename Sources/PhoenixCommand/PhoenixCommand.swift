import ArgumentParser
public import PhoenixRuntime
import PhoenixNodes

/// The command line of Phoenix, for any catalog of node types.
///
/// A program with node types of its own is one line: `await PhoenixCommand.main(.standard + [MyNode.self])`.
public enum PhoenixCommand {
    /// The node types that the commands know.
    @TaskLocal static var catalog: NodeCatalog = .standard

    /// The text of the graph that `phoenix run` runs when it is told none.
    public static var demonstration: String { Demo.text }

    /// Runs the command that the arguments name, and ends the process with its exit code.
    public static func main(_ catalog: NodeCatalog, arguments: [String]? = nil) async {
        Terminal.occupyClosedStreams()
        await $catalog.withValue(catalog) { await Root.main(arguments) }
    }
}

/// `phoenix`: only its subcommands do something.
struct Root: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phoenix",
        abstract: "Runs graphs of OpenTelemetry metrics: fewer series, and no total wrong.",
        discussion: """
            `phoenix run` alone runs a demonstration that needs nothing else. \
            `phoenix nodes` tells what a graph file may hold.

            Exit codes: 0 ended as asked; 1 the graph, a check or an order was refused; 2 could not start, for instance \
            because a port is taken, could not reach a running one, or could not write its output; 3 a drain was cut \
            off; 64 the command line was not understood.
            """,
        version: Version.current,
        subcommands: [
            Run.self, Validate.self, PlanGraph.self, ReloadGraph.self, Draw.self, ModeCommand.self,
            Nodes.self,
            Schema.self, TestGraphs.self, Reference.self,
        ]
    )
}
