public import PhoenixModel
public import PhoenixRuntime

/// What befalls a node that changes identities, beside its batches: each is handled on the node, between two batches.
public enum RelabelingEvent: Sendable {
    case mode(ModeChange)
    /// A second went by.
    case tick
    /// Some more inputs are to be asked where they go now.
    case remap
    /// What the modes would admit has been counted.
    case forecast
}

/// What nodes that change identities do alike; belongs to one of them, and runs on it.
public protocol IdentityWork: AnyObject {
    /// Where each series goes, and the sums of those that meet.
    var memory: any IdentityMemory { get }
    /// Reads batches until they end. `handle` must bring every event back to `handle(_:)`, on the node.
    func run(_ handle: @escaping @Sendable (RelabelingEvent) async throws -> Void) async throws
    func handle(_ event: RelabelingEvent) async throws
    /// Ends a change of programs that is under way and sends what is held, for no heir will.
    func flush() async throws
    /// Goes on with what a node of the same type remembered, under the settings of this one.
    func inherit(_ memory: any IdentityMemory)
}

/// What such a node remembers. It goes to the heir as it is, whatever its settings, and may outlive the process.
public protocol IdentityMemory: Weighed {
    var picture: any StatePicture { get }
    /// Notes in the journal which series move, from now on.
    func note(in journal: any StateJournal)
    /// Has series move as was noted; throws where the journal breaks off.
    func read(journal reader: inout StateReader) throws
}

/// A node that does nothing but change identities, and remembers nothing else.
public protocol IdentityNode: Node where State == any IdentityMemory {
    var identities: any IdentityWork { get }
}

extension IdentityNode {
    public func run() async throws { try await identities.run { try await self.handle($0) } }
    public func flush() async throws { try await identities.flush() }
    public func handOver() -> State? { identities.memory }
    public func inherit(_ state: State) { identities.inherit(state) }

    private func handle(_ event: RelabelingEvent) async throws { try await identities.handle(event) }
}

/// One whose memory outlives the process: only how it is read is left to say.
public protocol LastingIdentityNode: IdentityNode, JournalingNode {}

extension LastingIdentityNode {
    public static var stateVersion: UInt32 { 1 }
    public func picture() -> (any StatePicture)? { identities.memory.picture }
    public func note(in journal: any StateJournal) { identities.memory.note(in: journal) }
    public static func read(
        journal reader: inout StateReader,
        into state: State,
        _ context: NodeContext
    ) throws {
        try state.read(journal: &reader)
    }
}
