public import PhoenixGraph

/// Every decision of the supervisor, as a function of what has happened: no task, no clock, no lock.
public struct Supervision: Sendable {
    /// A node as far as its life concerns others.
    public struct Member: Sendable, Hashable {
        public enum Kind: Sendable, Hashable {
            /// Takes in from the world, and is asked to end first.
            case source
            /// Ends when its data inlets end.
            case data
            /// Has neither: it is asked to end once the data nodes that do not depend on it have.
            case attendant
        }
        public var id: NodeID
        public var kind: Kind
        /// The nodes that read its data.
        public var feeds: Set<NodeID>
        public init(_ id: NodeID, _ kind: Kind, feeds: Set<NodeID> = []) {
            (self.id, self.kind, self.feeds) = (id, kind, feeds)
        }
    }
    public enum Event: Sendable {
        /// Nodes were made, and are to run.
        case made([Member])
        /// `run` returned; whether its data inlets had been read to their end, or are left to an heir.
        case returned(NodeID, isDrained: Bool, after: Duration)
        /// `run` threw, for this reason.
        case failed(NodeID, isDrained: Bool, after: Duration, String)
        case delayOver(NodeID)
        /// `flush` or `handOver` is done.
        case finished(NodeID)
        /// The node is to go; with an heir it hands over, else it flushes.
        case retire(NodeID, hasHeir: Bool)
        /// The order to go is taken back: who has not begun to finish works on.
        case recall(NodeID)
        /// The node has had its time: it is cancelled, and goes as it is, whatever it has left unread.
        case cut(NodeID)
        /// The node does not end, whatever it is told: it counts as gone.
        case abandon(NodeID)
        /// The links of nodes that live have changed.
        case relinked([Member])
        case drain
        case deadline
    }
    public enum Action: Sendable, Hashable {
        case run(NodeID)
        case runLater(NodeID, after: Duration)
        /// Ask a source or an attendant to end, for no heir.
        case quiesce(NodeID)
        /// Ask the node to end, and leave what waits for it to its heir.
        case pause(NodeID)
        /// Let the run return: some of its inlets may have been told the end, and some not, and it is to read all again.
        case interrupt(NodeID)
        /// All its inlets may be read again.
        case resume(NodeID)
        case flush(NodeID)
        case handOver(NodeID)
        /// The node is gone: its edges end.
        case release(NodeID)
        /// The node has handed over: its edges are its heir's.
        case succeed(NodeID)
        case cancel(NodeID)
        /// No node is left.
        case finish
    }
    private enum Phase: Sendable {
        case running
        /// Failed, and waits to be run again.
        case resting
        /// Flushes or hands over.
        case finishing
    }
    private struct Record: Sendable {
        var member: Member
        var phase = Phase.running
        /// In a row, without a quiet time between.
        var failures = 0
        /// Was asked to end.
        var isLeaving = false
        var hasHeir = false
        /// Was asked to end and then not to: its run returns, or has not yet seen that it was asked.
        var isRecalled = false
        /// Is not to run again, whatever it left unread.
        var isCut = false
    }

    /// Failures in a row after which a node counts as unready even while it runs.
    public static let unreadyAfter = 3
    static let firstDelay = Duration.milliseconds(100)
    static let longestDelay = Duration.seconds(30)
    /// A run of this length forgives the failures before it.
    static let quietTime = Duration.seconds(60)

    private var records: [NodeID: Record] = [:]
    private var isDraining = false
    private var isCancelled = false
    /// Whether there ever were nodes whose end can end the engine: not in a graph that only attends.
    private var hadInput = false
    /// The names whose node has handed over to an heir that does not run yet.
    private var heirs: Set<NodeID> = []
    /// The nodes that the deadline cut off, sorted.
    public private(set) var cutOff: [NodeID] = []

    public init() {}

    /// The nodes that live, sorted.
    public var nodes: [NodeID] { records.keys.sorted() }
    /// The nodes that do not do their work now or fail again and again, sorted.
    public var unready: [NodeID] {
        records.filter { $0.value.phase == .resting || $0.value.failures >= Self.unreadyAfter }.keys.sorted()
    }

    public mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .made(let members): return add(members)
        case .returned(let id, let isDrained, let ran): return leave(id, isDrained: isDrained, after: ran)
        case .failed(let id, let isDrained, let ran, _): return fail(id, isDrained: isDrained, after: ran)
        case .delayOver(let id):
            guard records[id]?.phase == .resting else { return [] }
            records[id]?.phase = .running
            return run(id)
        case .finished(let id): return bury(id)
        case .retire(let id, let hasHeir):
            records[id]?.hasHeir = hasHeir
            return ask(id) + advance()
        case .recall(let id): return recall(id)
        case .cut(let id):
            records[id]?.isCut = true
            return records[id]?.phase == .resting ? goAsItIs(id) : [.cancel(id)]
        case .abandon(let id): return bury(id)
        case .relinked(let members):
            for member in members { records[member.id]?.member = member }
            return advance()
        case .drain:
            isDraining = true
            return records.values.filter { $0.member.kind == .source }.map(\.member.id).sorted().flatMap {
                ask($0)
            }
                + advance()
        case .deadline: return cut()
        }
    }

    private mutating func add(_ members: [Member]) -> [Action] {
        for member in members {
            records[member.id] = Record(member: member)
            heirs.remove(member.id)
        }
        if isBusy { hadInput = true }
        // An heir that comes while all drain has missed the word.
        let late = isDraining ? members.filter { $0.kind == .source }.flatMap { ask($0.id) } : []
        return members.map { .run($0.id) } + late + advance()
    }

    private mutating func recall(_ id: NodeID) -> [Action] {
        guard let record = records[id], record.isLeaving, record.phase != .finishing else { return [] }
        records[id]?.isLeaving = false
        records[id]?.hasHeir = false
        records[id]?.isRecalled = record.phase == .running
        return [record.phase == .running ? .interrupt(id) : .resume(id)] + (isDraining ? ask(id) : [])
    }
    /// Runs a node that may be on its way out.
    private func run(_ id: NodeID) -> [Action] {
        guard let record = records[id] else { return [] }
        return [.run(id)] + (record.isLeaving && record.hasHeir ? [.pause(id)] : [])
    }
    /// Whether the node has not begun to hand over or flush, and so can be recalled.
    public func mayBeRecalled(_ id: NodeID) -> Bool { records[id].map { $0.phase != .finishing } ?? false }

    /// Whether the node runs, and is to leave what waits for it to an heir.
    public func isPausing(_ id: NodeID) -> Bool {
        records[id].map { $0.phase == .running && $0.isLeaving && $0.hasHeir } ?? false
    }

    /// Asks a node to end, once.
    private mutating func ask(_ id: NodeID) -> [Action] {
        guard let record = records[id], !record.isLeaving else { return [] }
        records[id]?.isLeaving = true
        switch record.phase {
        case .running where record.hasHeir: return [.pause(id)]
        // A data node ends when what fed it has gone.
        case .running: return record.member.kind == .data ? [] : [.quiesce(id)]
        // What waits at an inlet that the heir does not have is still this one's to read: it runs once more, and finds
        // those that the heir has at their end.
        case .resting where record.member.kind == .data && record.hasHeir:
            records[id]?.phase = .running
            return [.pause(id), .run(id)]
        // A data node must still read what waits for it; any other has nothing to run for.
        case .resting where record.member.kind == .data && !record.hasHeir: return []
        case .resting: return finish(id)
        case .finishing: return []
        }
    }

    private mutating func finish(_ id: NodeID) -> [Action] {
        records[id]?.phase = .finishing
        return records[id]?.hasHeir == true ? [.handOver(id)] : [.flush(id)]
    }

    private mutating func leave(_ id: NodeID, isDrained: Bool, after ran: Duration) -> [Action] {
        guard let record = records[id] else { return [] }
        if isCancelled { return bury(id) }
        if record.isCut { return goAsItIs(id) }
        if record.isRecalled {
            records[id]?.isRecalled = false
            // Interrupted, a data node has not read all that it was to read.
            if record.member.kind == .data || !record.isLeaving { return [.resume(id)] + run(id) }
        }
        // Who goes while its inlets have more to say would leave its senders waiting for ever.
        if record.member.kind == .data, !isDrained { return fail(id, isDrained: false, after: ran) }
        return finish(id)
    }
    private mutating func goAsItIs(_ id: NodeID) -> [Action] {
        records[id]?.hasHeir == true ? finish(id) : bury(id)
    }

    private mutating func fail(_ id: NodeID, isDrained: Bool, after ran: Duration) -> [Action] {
        guard var record = records[id] else { return [] }
        if isCancelled { return bury(id) }
        if record.isCut { return goAsItIs(id) }
        // What waits at an inlet that its heir does not have is still this one's to read.
        let isInterrupted = record.isRecalled
        if record.isLeaving, record.member.kind != .data || (record.hasHeir && isDrained && !isInterrupted) {
            return finish(id)
        }
        record.failures = ran >= Self.quietTime ? 1 : record.failures + 1
        (record.phase, record.isRecalled) = (.resting, false)
        records[id] = record
        // Doubling stops well before the shift could overflow.
        let doubled = Self.firstDelay * (1 << min(record.failures - 1, 16))
        return (isInterrupted ? [.resume(id)] : []) + [.runLater(id, after: min(doubled, Self.longestDelay))]
    }

    private mutating func bury(_ id: NodeID) -> [Action] {
        guard let record = records.removeValue(forKey: id) else { return [] }
        guard record.hasHeir, !isCancelled else { return [.release(id)] + advance() }
        heirs.insert(id)
        return [.succeed(id)]
    }

    /// Once no data can come to them from elsewhere, the attendants are asked; without nodes the engine is done.
    private mutating func advance() -> [Action] {
        guard isDraining || hadInput, heirs.isEmpty else { return [] }
        if records.isEmpty { return [.finish] }
        if isBusy || isCancelled { return [] }
        return attendants.map(\.id).sorted().flatMap { ask($0) }
    }

    private var attendants: [Member] { records.values.map(\.member).filter { $0.kind == .attendant } }
    /// Whether there are nodes that get data from elsewhere than attendants.
    private var isBusy: Bool {
        let dependent = downstream(of: attendants)
        return records.values.contains { $0.member.kind != .attendant && !dependent.contains($0.member.id) }
    }

    /// The nodes that data of these reaches: they cannot end before them.
    private func downstream(of members: [Member]) -> Set<NodeID> {
        var reached: Set<NodeID> = []
        var open = members.flatMap(\.feeds)
        while let id = open.popLast() {
            guard reached.insert(id).inserted else { continue }
            open += records[id]?.member.feeds ?? []
        }
        return reached
    }

    private mutating func cut() -> [Action] {
        isCancelled = true
        cutOff = nodes
        return nodes.flatMap { id -> [Action] in
            switch records[id]?.phase {
            case .resting: bury(id)
            default: [.cancel(id)]
            }
        }
    }
}
