public import PhoenixGraph

/// One vertex of a running graph.
///
/// A node has no start, drain or stop. Running its `run` starts it, the end of its data inlets drains it,
/// cancellation of its task stops it. Control calls enter at the `await`s of `run`: between two batches.
///
/// The actor itself is the box that survives a throw: the supervisor calls `run` again on the same instance and the
/// same inlets. A batch is therefore applied in two phases: compute, which may throw and has changed nothing, and
/// commit, which may not throw.
public protocol Node: Actor {
    associatedtype Config: NodeConfig
    /// What a successor of the same name and type inherits; `Never` for a node that remembers nothing.
    ///
    /// A value: what the heir does to its own must not change what was handed over, since a change that is undone may
    /// give that back. A reference is allowed where `inheritance` is `.nothing` in both directions or in neither.
    /// One that is `Weighed` is counted on the engine's metrics.
    associatedtype State: Sendable = Never

    static var type: NodeType { get }
    /// One sentence for the reference.
    static var summary: String { get }
    static var ports: [PortSpec] { get }

    /// Acquires what the node needs and does not act: nothing is sent, read or served before `run`.
    init(_ settings: Settings<Config>, _ context: NodeContext) throws
    /// Works until the data inlets end. To throw is to ask for a restart on the same instance and inlets.
    func run() async throws
    /// Takes new settings in place, at a batch boundary, or answers `false` to be replaced.
    func reconfigure(_ settings: Settings<Config>) async -> Bool
    /// After `run`, exactly one of the two: send what is left, for there is no heir or none that can take it ...
    ///
    /// After either the node is parked for the probation of the change that made it go. Should that be undone, the same
    /// instance runs again: after `flush` with what it still remembers, after `handOver` with what `inherit` gives it.
    /// Neither may therefore let go of what `init` acquired.
    func flush() async throws
    /// ... or send nothing more, and give it to the heir.
    func handOver() async -> State?
    /// Takes over what the node of the same name remembered, in place of what this one does; called before `run`, and may
    /// not fail for a state whose `inheritance` was not `.nothing`. A change that is undone gives the state of the heir
    /// back to the parked node by the same call, where `inheritance` from the new to the old settings allows it.
    func inherit(_ state: State) async
    /// What an heir with `new` settings can keep of the state of a node with `old` ones; pure, printed by `plan`.
    static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance
}

/// A node without data inlets: it is asked to end, since nothing upstream can end for it.
///
/// Requests reach the endpoints of an heir before it runs, while the node before it still answers what it has taken: the
/// heir holds them back (a shut gate) and refuses none.
public protocol Source: Node {
    /// Takes in nothing new, answers what it has taken, and lets `run` return.
    func quiesce() async
    /// Takes the order of `quiesce` back, for the change that gave it is undone. It may come while `run` still ends, or
    /// long after: `run` is called again if it has returned. Until it runs, the node holds back what comes, as an heir does.
    func reopen() async
}

/// A state whose size can be told, for the engine's metrics.
public protocol Weighed: Sendable {
    /// About how much memory it takes.
    var byteCount: Int { get }
}

/// How much of a node's state its heir can take.
public enum Inheritance: Sendable, Hashable {
    case everything
    /// Some of it; the text says what is forgotten.
    case part(String)
    /// Nothing; the text says why.
    case nothing(String)
}

extension Node {
    public func reconfigure(_ settings: Settings<Config>) async -> Bool { false }
    public func flush() async throws {}
    public func handOver() async -> State? { nil }
    public func inherit(_ state: State) async {}
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        State.self == Never.self ? .nothing("it remembers nothing") : .everything
    }
}
