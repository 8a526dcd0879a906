import ArgumentParser
import Foundation
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime

/// What is laid over a graph file.
struct Overlays: ParsableArguments {
    @Option(name: .customLong("env"), help: "Lay environments/<name>.yaml beside the graph over it.")
    var environment: String?
    @Option(
        name: .customLong("set"),
        parsing: .singleValue,
        help: "Change a setting: node.setting=value. May be said several times."
    )
    var sets: [String] = []
}

/// Reads graphs for the commands.
struct GraphSource {
    var environment: String?
    var sets: [String] = []

    init() {}
    init(_ overlays: Overlays) { (environment, sets) = (overlays.environment, overlays.sets) }

    static var specs: NodeSpecs { NodeSpecs(PhoenixCommand.catalog) }
    private static var loader: GraphLoader {
        GraphLoader(specs, variables: ProcessInfo.processInfo.environment)
    }

    /// The graph of a file; without one the demonstration that the program carries in itself.
    func load(_ path: String?) throws(GraphRefusal) -> LoadedGraph {
        guard let path else {
            return try Self.loader.load(
                text: Demo.text,
                name: Demo.name,
                environment: environment,
                sets: sets
            )
        }
        return try Self.loader.load(path: path, environment: environment, sets: sets)
    }

    /// The same, with the refusal told on standard error.
    func loadOrExit(_ path: String?) throws -> LoadedGraph {
        do { return try load(path) } catch {
            Terminal.note(error.description)
            throw Outcome.refused.exitCode
        }
    }
}

/// The graph that `phoenix run` runs when it is told none: `graphs/demo.yaml`, built into the program.
enum Demo {
    static let name = "graphs/demo.yaml (built in)"
    static let text = String(decoding: PackageResources.demo_yaml, as: UTF8.self)
}
