public import PhoenixGraph

/// Where the graph of an engine is read from, and read again when it is to be changed.
public struct GraphOrigin: Sendable {
    /// Reads the graph anew.
    public var read: @Sendable () throws(GraphRefusal) -> LoadedGraph
    /// Reads a graph that was sent: texts by path, the first of which is `root`; other files are read as ever. What is laid
    /// over lies beside `path`, unless it was sent along.
    public var readSent: @Sendable (_ root: String, _ texts: [String: String]) throws(GraphRefusal) -> LoadedGraph
    /// The path of the graph file, for a text that is sent without one.
    public var path: String

    public init(
        path: String,
        read: @escaping @Sendable () throws(GraphRefusal) -> LoadedGraph,
        readSent: @escaping @Sendable (String, [String: String]) throws(GraphRefusal) -> LoadedGraph
    ) {
        (self.path, self.read, self.readSent) = (path, read, readSent)
    }
    /// A graph that is the same however often it is read.
    public init(_ graph: Graph) {
        self.init(
            path: "graph.yaml",
            read: { () throws(GraphRefusal) in LoadedGraph(graph: graph, files: [], sources: [:]) },
            readSent: { (root, _) throws(GraphRefusal) in
                let start = Mark(file: root, line: 1, column: 1)
                throw GraphRefusal(
                    [Diagnostic(at: start, "this engine has no loader", mend: "start it from a graph file")]
                )
            }
        )
    }
}
