public import PhoenixGraph
public import PhoenixModel

/// A node whose memory outlives the process, where the graph names a file for it.
///
/// What is written is the node's `State`, and what is read is inherited like that of a node before: the settings may be
/// others than when it was written, and then `inherit` does what it does at a reload.
public protocol LastingNode: Node {
    /// The version of what `picture` writes. What was written in another is not read: grow it with every change.
    static var stateVersion: UInt32 { get }
    /// What is remembered now, between two batches. Cheap, since the node does nothing else meanwhile; written later, while
    /// the node works on. Nil where there is nothing.
    func picture() async -> (any StatePicture)?
    /// Reads what a picture wrote; throws `StateError` where it is not whole.
    static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State
}

/// A lasting node that notes what must be known of the time after its memory was last written: what the world was shown, so
/// that the next process shows no less, or what changed place, so that it is not told twice.
public protocol JournalingNode: LastingNode {
    /// Notes in the journal what is shown, or changes place, from now on; asked again now and then, and of every heir.
    func note(in journal: any StateJournal) async
    /// Adds to what was read what a journal says beside it; the journal may break off anywhere.
    static func read(journal reader: inout StateReader, into state: State, _ context: NodeContext) throws
}

/// What a node remembered at one moment.
public protocol StatePicture: Sendable {
    /// Writes it, in bounded memory: `settle` after every series. On a thread that may wait.
    func write(to writer: inout StateWriter) throws
}

/// A lasting node without its type: what is asked of it to write and to read its memory.
public struct LastingMemory: Sendable {
    public let id: NodeID
    public let type: NodeType
    public let version: UInt32
    public let picture: @Sendable () async -> (any StatePicture)?
    /// Reads what the node is to inherit.
    public let read: @Sendable (inout StateReader) throws -> any Sendable
    /// Gives the node what was read; before it runs.
    public let inherit: @Sendable (any Sendable) async -> Void
    /// Nil for a node that keeps no journal.
    public let journal: Journal?

    /// How a node keeps a journal.
    public struct Journal: Sendable {
        public let note: @Sendable (any StateJournal) async -> Void
        /// Adds what a journal says to a state that was read.
        public let read: @Sendable (inout StateReader, any Sendable) throws -> Void

        init<Kind: JournalingNode>(_ node: Kind, _ context: NodeContext) {
            note = { await node.note(in: $0) }
            read = { reader, state in
                if let state = state as? Kind.State {
                    try Kind.read(journal: &reader, into: state, context)
                }
            }
        }
    }

    init<Kind: LastingNode>(_ node: Kind, _ settings: Settings<Kind.Config>, _ context: NodeContext) {
        (id, type, version) = (context.id, Kind.type, Kind.stateVersion)
        picture = { await node.picture() }
        read = { reader in try Kind.read(from: &reader, settings, context) }
        journal = (node as? any JournalingNode).map { Self.journal($0, context) }
        inherit = { state in if let state = state as? Kind.State { await node.inherit(state) } }
    }
    private static func journal(_ node: some JournalingNode, _ context: NodeContext) -> Journal {
        Journal(node, context)
    }
}
