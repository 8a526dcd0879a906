public import PhoenixGraph

/// Why a graph was not taken over; the one that ran runs on.
public enum ReloadError: Error, Sendable, Equatable, CustomStringConvertible {
    case notRunning
    /// One at a time.
    case busy
    public var description: String {
        switch self {
        case .notRunning: "nothing is running that could be changed; start the engine first"
        case .busy: "another change is under way; try again when it is done"
        }
    }
}

/// A change that failed: what failed and where. The graph before it serves.
public struct ReloadFailure: Error, Sendable, CustomStringConvertible {
    /// How far the change had come.
    public enum Step: String, Sendable {
        /// Changing live settings in place.
        case reconfigure
        /// Making the new nodes.
        case make
        /// Opening addresses.
        case listen
        /// Leading requests to the new nodes.
        case lead
        /// Waiting for old nodes to drain and hand over.
        case handOver = "hand_over"
        /// The first seconds of the new nodes.
        case probation
    }
    public var step: Step
    public var node: NodeID?
    public var message: String
    /// Why, where it was an error of its own.
    public var cause: (any Error)?
    public init(_ step: Step, node: NodeID?, _ message: String, cause: (any Error)? = nil) {
        (self.step, self.node, self.message, self.cause) = (step, node, message, cause)
    }
    public var description: String {
        "the change failed (\(step.rawValue)): \(message); the old graph serves"
    }
}

/// A deadline within the engine that went by.
struct OverdueError: Error, CustomStringConvertible {
    var limit: Duration
    var description: String { "it took longer than \(limit)" }
}

/// How long a change may take.
public struct ReloadLimits: Sendable, Equatable {
    /// For a node to take live settings, and for requests to be led from one endpoint to another.
    public var step = Duration.seconds(5)
    /// For all old nodes to drain and hand over.
    public var handOver = Duration.seconds(30)
    /// How long the old nodes stay parked once the new ones run.
    public var probation = Duration.seconds(2)
    /// For heirs to give back and new nodes to drain once a change is undone. Not the time of the way there: that may have
    /// been set too short, and here what is late is lost.
    public var giveBack = Duration.seconds(30)
    public init() {}
    public init(handOver: Duration, probation: Duration) {
        (self.handOver, self.probation) = (handOver, probation)
    }
}

/// What became of an order to change the graph.
public struct ReloadRecord: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable {
        /// The new graph runs, and has passed its probation or been replaced by a newer one.
        case taken
        /// The new graph runs on probation.
        case probation
        /// There was nothing to change.
        case unchanged
        /// The graph was wrong, or asks for what cannot be changed while it runs: nothing was touched.
        case refused
        /// A step before the new graph was linked failed: nothing was touched.
        case failed
        /// A failure after that: the old graph was linked again.
        case undone
    }
    public var outcome: Outcome
    /// The generation that runs after it.
    public var generation: Int
    /// Who asked, such as `watch` or `api`.
    public var origin: String
    public var startUnixNano: UInt64
    public var duration: Duration
    /// What failed; empty for what did not.
    public var message = ""
    public var node: NodeID?
    public var stateBytes = 0
}

/// What the engine remembers of changes: the newest, and the sums of all.
public struct ReloadLedger: Sendable {
    public static let mostRecords = 32
    /// The newest last.
    public private(set) var records: [ReloadRecord] = []
    public private(set) var counts: [ReloadRecord.Outcome: Int] = [:]
    public private(set) var seconds = 0.0
    /// How long the last one took that had something to change; zero before the first.
    public private(set) var lastDuration = Duration.zero
    public private(set) var stateBytes = 0
    /// Points that heirs had taken in whose state could not be given back, and those that new nodes had not read in time.
    public internal(set) var pointsUndone = 0
    public internal(set) var generation = 1
    /// The change on probation: its graph runs, and may still be undone.
    public internal(set) var onProbation: ReloadRecord?

    mutating func add(_ record: ReloadRecord) {
        counts[record.outcome, default: 0] += 1
        seconds += record.duration.inSeconds
        switch record.outcome {
        case .taken, .probation, .failed, .undone: lastDuration = record.duration
        case .unchanged, .refused: break
        }
        stateBytes += record.stateBytes
        records.append(record)
        if records.count > Self.mostRecords { records.removeFirst() }
    }
}
