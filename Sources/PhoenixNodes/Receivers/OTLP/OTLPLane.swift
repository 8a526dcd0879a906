import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// What one event loop has decoded and not yet placed.
///
/// Requests are decoded as they come, into one batch until it is offered; each knows its reply. One batch at most has
/// been made and found no room; meanwhile requests go on collecting, up to a bound.
struct OTLPLane {
    struct Pending {
        var reply: OTLPReply
        var refusals: Refusals
        var since: Duration
    }
    enum Step {
        /// Someone will place it already.
        case wait
        case placeLater
        case placeNow
        /// Nil: because the lane is full.
        case refuse(OTLPFailure?)
    }
    /// So many points are placed without waiting for the end of the turn.
    static let batchPoints = 4096
    /// So many points may collect while the graph is full; requests beyond are refused.
    static let maximumPoints = 1 << 18
    static let maximumRequests = 8192

    private let decoder: OTLPDecoder
    private var collecting: [Pending] = []
    private var blocked: (batch: MetricBatch, replies: [Pending])?
    private var isTurnPlanned = false
    private var gathering = Gathering()

    init(_ decoder: sending OTLPDecoder) { self.decoder = decoder }

    var isEmpty: Bool { collecting.isEmpty && blocked == nil }

    mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        _ encoding: OTLPEncoding,
        _ reply: OTLPReply,
        at time: any TimeSource
    ) -> Step {
        if decoder.pendingPoints >= Self.maximumPoints || collecting.count >= Self.maximumRequests {
            return .refuse(nil)
        }
        let refusals: Refusals
        do {
            refusals = try decoder.decode(bytes, as: encoding)
        } catch {
            return .refuse(.invalidArgument("the request is malformed: \(error)"))
        }
        collecting.append(Pending(reply: reply, refusals: refusals, since: time.monotonic))
        if blocked != nil { return .wait }
        if decoder.pendingPoints >= Self.batchPoints { return .placeNow }
        if isTurnPlanned { return .wait }
        isTurnPlanned = true
        return .placeLater
    }

    /// At the end of a turn: whether to look again after a pause, and by whom of those that wait; nil is to place now.
    mutating func waiter(at now: Duration) -> OTLPReply? {
        guard blocked == nil, let first = collecting.first, decoder.pendingPoints < Self.batchPoints,
            gathering.waits(collecting.count, since: first.since, now: now)
        else { return nil }
        return first.reply
    }

    /// The next batch to offer with the replies that wait for it. No batch: those requests held no points.
    mutating func next(at time: any TimeSource) -> (batch: MetricBatch?, replies: [Pending]) {
        isTurnPlanned = false
        if let blocked {
            self.blocked = nil
            return (blocked.batch, blocked.replies)
        }
        defer { collecting.removeAll(keepingCapacity: true) }
        guard !collecting.isEmpty else { return (nil, []) }
        gathering.placed(collecting.count, now: time.monotonic)
        var batch = decoder.takeBatch(epoch: time.unixNanoseconds / 1_000_000_000)
        batch?.receivedAt = collecting[0].since.nanoseconds
        return (batch, collecting)
    }
    mutating func putBack(_ batch: MetricBatch, _ replies: [Pending]) { blocked = (batch, replies) }

    /// Gives up what has waited since before a moment, oldest first, whole batches at a time.
    mutating func expire(before moment: Duration) -> [Pending] {
        var given: [Pending] = []
        if let blocked, let oldest = blocked.replies.first, oldest.since < moment {
            self.blocked = nil
            given = blocked.replies
        }
        // Nobody offers what collected behind a batch that was given up.
        if blocked == nil, let oldest = collecting.first, oldest.since < moment {
            _ = decoder.takeBatch(epoch: 0)
            given += collecting
            collecting.removeAll(keepingCapacity: true)
        }
        return given
    }
}
