import ArgumentParser
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime

/// `phoenix plan`: what a change to a graph would do.
struct PlanGraph: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what a change of the graph would do, node by node, and do nothing.",
        discussion: """
            Compares with the running instance, which lays its own --env (the file beside its own graph) and --set over the \
            graph, or with another file. \
            Settings are named, their values never shown. \
            Exit code 0: it can be done; 1: the graph was refused; 2: the instance cannot be reached.
            """
    )

    @Argument(help: "The graph file to change to.")
    var graph: String
    @OptionGroup var overlays: Overlays
    @Option(help: "Compare with this file in place of the running instance.")
    var against: String?
    @OptionGroup var admin: AdminOptions
    @Option(help: "text or json.")
    var format = Format.text

    func run() async throws {
        if let against {
            let source = GraphSource(overlays)
            let (old, new) = (try source.loadOrExit(against).graph, try source.loadOrExit(graph))
            let changed: Graph
            do { changed = try Engine.checked(new, against: old) } catch {
                Terminal.note(error.description)
                throw Outcome.refused.exitCode
            }
            let plan = Plan(from: old, to: changed, PhoenixCommand.catalog)
            return try Terminal.say(format == .json ? plan.json : plan.text)
        }
        guard overlays.isEmpty else {
            Terminal.note(
                "a running instance lays its own --env and --set over the graph; leave them out here, "
                    + "or compare with a file (--against)"
            )
            throw Outcome.refused.exitCode
        }
        let sent = try GraphSource(overlays).bundle(graph)
        let answer = try await AdminClient(admin).put(sent, query: "dry_run=true")
        guard answer.status == 200 else { throw answer.exit() }
        try Terminal.say(format == .json ? answer.planJSON : answer.planText)
    }
}
