import PhoenixModel

/// Reads graph files: YAML to `Graph`, with every problem and its place.
///
/// The loader touches the world only through `readFile` and `variables`, so that a test or an embedded graph can give it
/// other ones. It waits for the disk: call it where waiting is allowed.
public struct GraphLoader: Sendable {
    /// The node types and settings sections that graphs may name.
    public var specs: NodeSpecs
    /// The environment variables that `${env:NAME}` sees.
    public var variables: [String: String]
    /// Reads a whole file; throws `UnreadableFile` with the reason in words.
    public var readFile: @Sendable (_ path: String) throws -> [UInt8]

    public init(
        _ specs: NodeSpecs,
        variables: [String: String] = [:],
        readFile: @escaping @Sendable (String) throws -> [UInt8] = UnreadableFile.read
    ) {
        (self.specs, self.variables, self.readFile) = (specs, variables, readFile)
    }

    /// A loader whose files are texts by path, for tests and for graphs that a program carries in itself.
    public init(_ specs: NodeSpecs, variables: [String: String] = [:], files: [String: String]) {
        self.init(specs, variables: variables) { path in
            guard let text = files[path] else { throw UnreadableFile("there is no such file") }
            return Array(text.utf8)
        }
    }

    /// Loads a graph file with its parts, lays `environments/<environment>.yaml` beside it over it, and each of `sets`
    /// (`optimized.drop=[a, b]`) over both.
    ///
    /// - Parameter place: the file that the environment lies beside, where that is not the graph file.
    public func load(
        path: String,
        environment: String? = nil,
        sets: [String] = [],
        environmentBeside place: String? = nil
    ) throws(GraphRefusal) -> LoadedGraph {
        let log = FileLog()
        let readFile = readFile
        let reading: @Sendable (String) throws -> [UInt8] = { path in
            log.note(path)
            return try readFile(path)
        }
        var draft = GraphDraft(specs, Substitution(variables: variables, readFile: reading))
        draft.readRoot(path)
        if let environment, draft.isComplete { draft.readEnvironment(environment, beside: place ?? path) }
        if draft.isComplete { draft.apply(sets: sets) }
        var report = draft.report
        var graph = Graph()
        if draft.isComplete {
            var resolver = GraphResolver(draft, specs)
            graph = resolver.resolve()
            report.add(contentsOf: resolver.report.diagnostics)
            // What was wrong when the text was read needs no second complaint about what came of it.
            let known = Set(report.diagnostics.map(\.mark))
            let found = graph.validate(specs, excusing: resolver.excused)
            report.add(contentsOf: found.filter { !known.contains($0.mark) })
        }
        guard report.diagnostics.isEmpty else {
            throw GraphRefusal(report.diagnostics, files: log.files, sources: draft.sources)
        }
        graph.notePrints(specs, readFile: reading)
        return LoadedGraph(graph: graph, files: log.files, sources: draft.sources)
    }

    /// The file of an environment that is laid over a graph file.
    public static func path(ofEnvironment name: String, beside root: String) -> String {
        let folder = root.split(separator: "/", omittingEmptySubsequences: false).dropLast().map { $0 + "/" }
            .joined()
        return "\(folder)environments/\(name).yaml"
    }

    /// Loads a graph from its text; parts and environments are read beside `name`.
    public func load(
        text: String,
        name: String = "graph.yaml",
        environment: String? = nil,
        sets: [String] = []
    ) throws(GraphRefusal) -> LoadedGraph {
        var loader = self
        let readFile = readFile
        loader.readFile = { $0 == name ? Array(text.utf8) : try readFile($0) }
        return try loader.load(path: name, environment: environment, sets: sets)
    }
}

/// A graph and what it was made of.
public struct LoadedGraph: Sendable {
    public var graph: Graph
    /// The files that were read, in order, those of `${file:…}` and those that nodes load too.
    public var files: [String]
    /// The texts that the graph's marks point into, by the name that a mark bears.
    public var sources: [String: String]
    public init(graph: Graph, files: [String], sources: [String: String]) {
        (self.graph, self.files, self.sources) = (graph, files, sources)
    }
}

extension Graph {
    /// Notes what stands in the files that nodes load, so that a graph is another where a file is.
    ///
    /// One that cannot be read has no print: whether it is needed is found when the node is made, perhaps elsewhere.
    fileprivate mutating func notePrints(_ specs: NodeSpecs, readFile: (String) throws -> [UInt8]) {
        for (id, vertex) in vertices {
            guard let spec = specs[vertex.type] else { continue }
            var report = Report()
            for case .loadsFile(let path, let setting) in spec.validate(vertex.config, vertex.mark, &report) {
                // What gives its contents once only is left to the node.
                guard !UnreadableFile.isReadOnce(path), let bytes = try? readFile(path) else { continue }
                vertices[id]?.filePrints[setting] = bytes.hashValue
            }
        }
    }
}

/// The files that a load asked for.
///
/// A class, since the closure that reads notes them.
private final class FileLog: Sendable {
    private let paths = Lock<[String]>([])
    var files: [String] { paths.withLock { $0 } }
    func note(_ path: String) {
        paths.withLock { if !$0.contains(path) { $0.append(path) } }
    }
}
