/// A value that may travel along an edge.
///
/// The kinds are closed: an edge carries exactly one, the loader refuses a graph that joins two, and so no
/// node ever downcasts a message.
public protocol Message: Sendable {
    /// The kind of every message of this type.
    static var kind: MessageKind { get }
    /// What the message holds in memory while it waits on an edge, in bytes; edges are bounded by the sum.
    var byteCount: Int { get }
    /// How many points travel with it, for the accounts of nodes; 0 for messages that carry none.
    var pointCount: Int { get }
}
extension Message {
    public var pointCount: Int { 0 }
}

/// The name of a message kind in graph files, diagnostics and metrics.
public enum MessageKind: String, Sendable, Hashable, CaseIterable {
    /// Every message arrives: a full edge makes its sender wait. Such links may not close a loop.
    case metrics
    /// A whole snapshot of what a node measured: the newest of each source counts, its sender never waits.
    case observation
    /// The newest wins and is given to every new reader at once; its sender never waits.
    case mode

    /// Whether links of this kind may close a loop in a graph.
    public var mayCloseLoop: Bool { self != .metrics }
}
