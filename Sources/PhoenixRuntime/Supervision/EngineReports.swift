public import PhoenixGraph

/// Why a graph does not run: nothing of it was started.
public struct StartError: Error, CustomStringConvertible {
    public var node: NodeID
    /// Where the node stands in the graph file.
    public var mark: Mark
    public var cause: any Error
    public init(node: NodeID, mark: Mark, cause: any Error) {
        (self.node, self.mark, self.cause) = (node, mark, cause)
    }
    public var description: String {
        "\(mark.file):\(mark.line):\(mark.column): error: `\(node)` cannot start: \(cause)"
    }
}

/// A node type that this build does not know.
public struct UnknownTypeError: Error, CustomStringConvertible {
    public var type: NodeType
    public var description: String { "this build has no \(type); add it to the catalog" }
}

/// How far the engine came.
public struct Readiness: Sendable, Equatable {
    public enum Phase: String, Sendable { case idle, starting, running, draining, ended }
    public var phase: Phase
    /// The nodes that do not do their work now, or fail again and again, sorted.
    public var unready: [NodeID]
    /// Whether the engine should be sent work.
    public var isReady: Bool { phase == .running && unready.isEmpty }
    public init(phase: Phase, unready: [NodeID] = []) { (self.phase, self.unready) = (phase, unready) }
}

/// How an engine ended.
public struct DrainReport: Sendable, Equatable {
    /// The nodes that had not ended by the deadline and were cancelled, sorted; what they held is lost and counted.
    public var cutOff: [NodeID]
    /// Those that did not even end when cancelled, sorted.
    public var stuck: [NodeID]
    public var isClean: Bool { cutOff.isEmpty && stuck.isEmpty }
    public init(cutOff: [NodeID] = [], stuck: [NodeID] = []) { (self.cutOff, self.stuck) = (cutOff, stuck) }
}
