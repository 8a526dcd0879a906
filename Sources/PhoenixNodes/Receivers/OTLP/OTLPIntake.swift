import PhoenixModel
import PhoenixRuntime
import PhoenixWire
import Synchronization

/// The way of requests into the graph: a lane for each event loop, one outlet, and a gate that is shut while it is full.
final class OTLPIntake: Sendable {
    let gate = HTTPGate()
    let maxRequestBytes: Int
    /// Requests of which nothing was taken.
    let refusals: RefusedRequests
    private let context: NodeContext
    private let outlet: Outlet<MetricBatch>
    private let phase = Atomic(Phase.waiting)
    private let state: Lock<State>
    private let refused: [Counter]

    /// Whether requests are taken.
    private enum Phase: UInt8, AtomicRepresentable {
        /// The node does not run yet: what comes waits at the gate.
        case waiting
        case serving
        /// Nothing new is admitted; what was is still taken.
        case closing
        /// The node has ended: a body that was still arriving then is taken if there is room at once.
        case resting
    }
    private struct State {
        var lanes: [Int: Lock<OTLPLane>] = [:]
        var maxWait: Duration
        var retryAfter: Duration
        var whenServing: [@Sendable (Bool) -> Void] = []
        /// Loops whose batch found no room.
        var blocked: Set<Int> = []
    }

    init(_ config: OTLPReceiver.Config, _ context: NodeContext, _ outlet: Outlet<MetricBatch>) {
        (self.context, self.outlet) = (context, outlet)
        maxRequestBytes = config.maxRequestBytes.bytes
        refusals = RefusedRequests(context)
        state = Lock(State(maxWait: config.maxWait, retryAfter: config.retryAfter))
        gate.patience = .init(wait: config.maxWait, retryAfter: config.retryAfter)
        gate.shut()
        refused = PointRefusal.allCases.map {
            context.vitals.counter(
                "phoenix_receiver_refused_points_total",
                ["reason": $0.label],
                "Points of well-formed requests that were refused, and told to the sender."
            )
        }
    }

    func reconfigure(_ config: OTLPReceiver.Config) {
        state.withLock { ($0.maxWait, $0.retryAfter) = (config.maxWait, config.retryAfter) }
        gate.patience = .init(wait: config.maxWait, retryAfter: config.retryAfter)
    }
    var retryAfter: Duration { state.withLock { $0.retryAfter } }

    // MARK: Serving or not

    func whenServing(_ tell: @escaping @Sendable (Bool) -> Void) {
        state.withLock { $0.whenServing.append(tell) }
    }
    func open() {
        phase.store(.serving, ordering: .releasing)
        if state.withLock({ $0.blocked.isEmpty }) { gate.open() }
        for tell in state.withLock({ $0.whenServing }) { tell(true) }
    }
    /// Takes no more requests; what was taken is still placed.
    func close() {
        phase.store(.closing, ordering: .releasing)
        gate.open()
        for tell in state.withLock({ $0.whenServing }) { tell(false) }
    }
    /// Nobody looks after those that wait any more.
    func rest() {
        // An order to go on may have come meanwhile.
        _ = phase.compareExchange(expected: .closing, desired: .resting, ordering: .acquiringAndReleasing)
    }
    /// Holds requests back until `open`, in place of refusing them.
    func reopen() {
        gate.shut()
        phase.store(.waiting, ordering: .releasing)
    }
    /// Whether every request was answered.
    var isIdle: Bool { lanes.allSatisfy { $0.withLock { $0.isEmpty } } }

    /// Why a request may not even be read; nil admits it.
    func refusal(bytes: Int) -> OTLPFailure? {
        switch phase.load(ordering: .acquiring) {
        case .waiting, .serving: break
        case .closing, .resting: return .ending(retryAfter)
        }
        if case .refuse(let delay) = context.gate.admit(bytes: bytes) {
            return .unavailable(.memory, "the memory limit is reached; try again later", delay)
        }
        return nil
    }

    // MARK: Taking

    /// Reads a request on its event loop; answers it when its points are placed.
    ///
    /// One that cannot be taken is the caller's to answer, with the failure that is returned.
    ///
    /// - Parameter onTurn: runs work later in this turn of the loop, so that small requests that came together make one
    ///   batch.
    func take(
        _ bytes: UnsafeRawBufferPointer,
        _ encoding: OTLPEncoding,
        loop: Int,
        _ reply: OTLPReply,
        _ onTurn: (@escaping @Sendable () -> Void) -> Void
    ) -> OTLPFailure? {
        let step = lane(loop).withLock { $0.take(bytes, encoding, reply, at: context.time) }
        switch step {
        case .wait: break
        case .placeLater: onTurn { self.endTurn(loop) }
        case .placeNow: place(loop)
        case .refuse(let failure): return failure ?? OTLPFailure.full(retryAfter)
        }
        return nil
    }
    private func lane(_ loop: Int) -> Lock<OTLPLane> {
        state.withLock { state in
            if let lane = state.lanes[loop] { return lane }
            let lane = Lock(OTLPLane(OTLPDecoder(table: context.series, lane: "\(context.id)/\(loop)")))
            state.lanes[loop] = lane
            return lane
        }
    }
    private var lanes: [Lock<OTLPLane>] { state.withLock { Array($0.lanes.values) } }

    /// Places what came in this turn, or lets more come first.
    private func endTurn(_ loop: Int) {
        guard let waiter = lane(loop).withLock({ $0.waiter(at: context.time.monotonic) }) else {
            return place(loop)
        }
        waiter.onLoop(after: Gathering.pause) { self.endTurn(loop) }
    }

    /// Offers what a lane holds until nothing is left or there is no room.
    private func place(_ loop: Int) {
        let lane = lane(loop)
        while true {
            let (batch, replies) = lane.withLock { $0.next(at: context.time) }
            guard replies.count > 0 else { return unblock(loop) }
            guard let batch else {
                answer(replies)
                continue
            }
            guard outlet.offer(batch) else {
                if phase.load(ordering: .acquiring) == .resting {
                    giveUp(replies, .ending(retryAfter))
                    continue
                }
                lane.withLock { $0.putBack(batch, replies) }
                return block(loop)
            }
            answer(replies)
        }
    }
    private func answer(_ replies: [OTLPLane.Pending]) {
        for pending in replies {
            if pending.refusals.total > 0 {
                for (reason, counter) in zip(PointRefusal.allCases, refused) {
                    counter.add(pending.refusals[reason])
                }
            }
            pending.reply.taken(pending.refusals)
        }
    }
    private func block(_ loop: Int) {
        gate.shut()
        state.withLock { _ = $0.blocked.insert(loop) }
        outlet.onRoom { self.place(loop) }
    }
    private func unblock(_ loop: Int) {
        let isFree = state.withLock { state in
            state.blocked.remove(loop)
            return state.blocked.isEmpty
        }
        if isFree { gate.open() }
    }

    /// Refuses what has waited too long: the sender has it still, and nothing of it was booked.
    func expire() {
        let (limit, retryAfter) = state.withLock { ($0.maxWait, $0.retryAfter) }
        let now = context.time.monotonic
        for lane in lanes {
            giveUp(lane.withLock { $0.expire(before: now - limit) }, .full(retryAfter))
        }
    }
    private func giveUp(_ replies: [OTLPLane.Pending], _ failure: OTLPFailure) {
        for pending in replies {
            refusals.note(failure, pending.reply.speech)
            pending.reply.fail(failure)
        }
    }
}
