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

    var isEmpty: Bool { environment == nil && sets.isEmpty }
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
    /// What a running instance reads by: it waits for no pipe.
    private static var readingAgain: GraphLoader {
        var loader = Self.loader
        loader.readFile = UnreadableFile.readAgain
        return loader
    }

    /// The graph of a file; without one the demonstration that the program carries in itself.
    ///
    /// - Parameter log: is told of every file before it is read.
    func load(_ path: String?, _ log: SignatureLog? = nil) throws(GraphRefusal) -> LoadedGraph {
        var loader = Self.loader
        if let log { loader.readFile = log.noting(loader.readFile) }
        return try load(path, by: loader)
    }
    private func load(_ path: String?, by loader: GraphLoader) throws(GraphRefusal) -> LoadedGraph {
        guard let path else {
            return try loader.load(
                text: Demo.text,
                name: Demo.name,
                environment: environment,
                sets: sets
            )
        }
        return try loader.load(path: path, environment: environment, sets: sets)
    }

    /// Where a running instance reads its graph anew.
    func origin(_ path: String?) -> GraphOrigin {
        let (source, own) = (self, path ?? Demo.name)
        return GraphOrigin(
            path: own,
            read: { () throws(GraphRefusal) in try source.load(path, by: Self.readingAgain) },
            readSent: { (root, texts) throws(GraphRefusal) in
                var loader = Self.readingAgain
                let readFile = loader.readFile
                loader.readFile = { path in try texts[path].map { Array($0.utf8) } ?? readFile(path) }
                // Its sender names the graph by another path, or sits in another directory; the environment is ours, unless
                // it was sent along.
                let overlay = source.environment.map { GraphLoader.path(ofEnvironment: $0, beside: root) }
                return try loader.load(
                    path: root,
                    environment: source.environment,
                    sets: source.sets,
                    environmentBeside: overlay.flatMap { texts[$0] } == nil ? own : root
                )
            }
        )
    }

    /// A graph file with its parts, also of one that is wrong here: the instance that gets it has the say.
    func bundle(_ path: String) throws -> GraphBundle {
        let sources: [String: String]
        do { sources = try load(path).sources } catch { sources = error.sources }
        guard sources[path] != nil else {
            return GraphBundle(root: path, files: try loadOrExit(path).sources)
        }
        return GraphBundle(root: path, files: sources)
    }

    /// The same, with the refusal told on standard error.
    func loadOrExit(_ path: String?, _ log: SignatureLog? = nil) throws -> LoadedGraph {
        do { return try load(path, log) } catch {
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
