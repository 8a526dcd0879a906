import PhoenixModel
import PhoenixRuntime

/// What a node that changes identities remembers: where each series goes, the sums of those that meet, and what is booked
/// and not yet sent. Knows no task; batches and moments in, batches out.
final class RelabelingMemory<Program: IdentityProgram & Equatable> {
    /// So many inputs are asked at once: about a millisecond's work, for paths that have nothing to do with it wait for a
    /// core that long.
    static var sliceSlots: Int { 512 }

    private(set) var programs: Programs<Program>
    private(set) var mode: Mode?
    private(set) var plan: IdentityPlan<Program>
    private var rescaling = Rescaling()
    private let table: SeriesTable
    var reaggregator: Reaggregator
    /// Booked and not yet sent, the oldest first.
    var pending: [MetricBatch] = []
    private(set) var epoch: UInt64 = 0
    /// When a batch was last booked; 0 before the first.
    private var bookedAt: UInt64 = 0
    /// When what is held is sent; 0 before anything was.
    private var releaseAt: UInt64 = 0
    private var told = ReaggregatorCounts()
    /// Where it is noted which inputs come and change place, before anything shows it.
    private var journal: (any StateJournal)?

    init(_ programs: Programs<Program>, _ table: SeriesTable, lane: String, watchingSince now: UInt64) {
        (self.programs, self.table) = (programs, table)
        plan = IdentityPlan(programs.base, table, lane: lane)
        reaggregator = Reaggregator(
            table: table,
            lane: lane,
            options: programs.base.options,
            watchingSince: now
        )
        reaggregator.isHolding = programs.base.holdNanoseconds > 0
    }

    /// Judges by other programs from the next batch on.
    func replace(with programs: Programs<Program>, now: UInt64) { change(to: programs, mode, now) }
    func enter(_ mode: Mode?, now: UInt64) { change(to: programs, mode, now) }

    /// Goes on under an heir's programs, in the mode of before if the heir still follows one: what was counted stands
    /// where it is, as at a change of mode.
    func succeed(with programs: Programs<Program>, followsMode: Bool, now: UInt64) {
        change(to: programs, followsMode ? mode : nil, now)
    }
    private func change(to programs: Programs<Program>, _ mode: Mode?, _ now: UInt64) {
        let program = programs[mode]
        (self.programs, self.mode) = (programs, mode)
        guard program != plan.program else { return }
        let changes = !program.decides(as: plan.program)
        reaggregator.options = program.options
        reaggregator.isHolding = program.holdNanoseconds > 0
        releaseAt = 0
        guard changes else {
            plan.keep(under: program)
            reaggregator.applyGaugeOptions()
            if let shown = reaggregator.settle(now: now, epoch: epoch) { pending.append(shown) }
            return
        }
        // Those who were passed on as they were have told their past: where they are added up now, it is not counted again.
        if plan.program.merging != .always, bookedAt > 0 { reaggregator.forget(seenAt: bookedAt) }
        plan.replace(with: program)
        rescaling.removeAll()
        reaggregator.beginRemap(now: now)
    }
    /// Begins in the mode of a process before.
    func begin(in mode: Mode?, epoch: UInt64) {
        (self.mode, self.epoch) = (mode, epoch)
        plan.replace(with: programs[mode])
        reaggregator.options = plan.program.options
        reaggregator.isHolding = plan.program.holdNanoseconds > 0
    }
    /// Has series that are known to meet by accident meet from their first point on.
    func setAside() { plan.setAside(reaggregator.pairs) }
    /// Lets what is held go on where its time has come: what came until then, and nothing that comes later.
    func releaseWhenDue(now: UInt64) {
        let period = plan.program.holdNanoseconds
        guard period > 0 else { return }
        let next = (now / period + 1) * period
        // The first time, or the clock of the world was set back.
        if releaseAt == 0 || releaseAt > next { releaseAt = next }
        guard now >= releaseAt else { return }
        releaseAt = next
        release(now: now)
    }
    func release(now: UInt64) {
        if let held = reaggregator.release(now: now, epoch: epoch) { pending.append(held) }
    }
    /// Whether inputs are still to be asked where they go under the programs of now.
    var isRemapping: Bool { reaggregator.isRemapping }
    /// Asks the inputs of the next slots; gauges do not wait for their next point, nor do those that were replaced wait
    /// for their expiry.
    func remap(_ slots: Int = sliceSlots, now: UInt64) {
        _ = reaggregator.remapSlice(slots, now: now) { plan.destination(of: $0) }
        noteMoves()
        if let moved = reaggregator.settle(now: now, epoch: epoch) { pending.append(moved) }
    }

    /// Books a batch whole; answers the points that a plan dropped, by reason, and their exemplars, and the slots of the
    /// series that go elsewhere under the same program.
    func book(
        _ batch: MetricBatch,
        now: UInt64,
        _ prepare: Relabeling<Program>.Preparation?
    ) -> (dropped: [DropReason: Int], exemplars: Int, moved: [UInt32]) {
        releaseWhenDue(now: now)
        (epoch, bookedAt) = (max(epoch, batch.epoch), now)
        var (batch, unscalable) = (batch, 0)
        if plan.program.rescales {
            let program = plan.program
            (batch, unscalable) = rescaling.apply(to: batch, table) { program.factor(of: &$0) }
        }
        let slots = prepare?(batch, plan.program) ?? []
        if !slots.isEmpty {
            plan.replace(with: plan.program)
            if slots.count > Self.sliceSlots {
                reaggregator.beginRemap(of: slots, now: now)
            } else {
                reaggregator.remap(slots, now: now) { plan.destination(of: $0) }
                if let moved = reaggregator.settle(now: now, epoch: epoch) { pending.append(moved) }
            }
        }
        var result = plan.apply(batch)
        if unscalable > 0 { result.dropped[.unscalable, default: 0] += unscalable }
        if let passed = result.passed { pending.append(passed) }
        // Those who were passed on as they were have told their past: it is not counted again.
        if !result.displaced.isEmpty,
            let shown = reaggregator.takeOver(
                result.displaced,
                passing: result.told,
                now: now,
                { plan.destination(of: $0) }
            )
        {
            pending.append(shown)
        }
        if let watched = result.watched,
            let shown = reaggregator.watch(watched, now: now, { plan.destination(of: $0) })
        {
            pending.append(shown)
        }
        if let aside = result.aside,
            let merged = reaggregator.apply(aside, now: now, { plan.destination(of: $0) })
        {
            pending.append(merged)
        }
        noteMoves()
        return (result.dropped, result.droppedExemplars, slots)
    }
    /// Lets go of gauges that lapsed and of what was not seen for long.
    func lapse(now: UInt64) {
        if let lapsed = reaggregator.lapse(now: now, epoch: epoch) { pending.append(lapsed) }
    }

    func note(in journal: any StateJournal) {
        self.journal = journal
        reaggregator.notesMoves = true
    }
    /// To be called before what was booked goes out.
    private func noteMoves() {
        guard let journal, let moves = reaggregator.takeMoves() else { return }
        journal.append { try moves.write(to: &$0) }
    }

    /// About what it takes, in bytes: the plan, a record for each input, and a record with a name for each output.
    var byteCount: Int {
        let counts = reaggregator.counts
        return plan.byteCount + rescaling.byteCount + counts.members * 48 + counts.outputs * 200
            + pending.reduce(0) { $0 + $1.byteCount }
    }
    /// The batch to be sent next.
    func claim() -> MetricBatch? { pending.isEmpty ? nil : pending.removeFirst() }

    /// What was counted since this was last asked, and the counts now.
    func takeCounts() -> (now: ReaggregatorCounts, before: ReaggregatorCounts) {
        defer { told = reaggregator.counts }
        return (reaggregator.counts, told)
    }
}

/// The memory in its box: it goes from a node to its heir as it is, and nothing of it is copied.
///
/// One node has it at a time; the lock is there for the compiler, and free.
final class RelabelingState<Program: IdentityProgram & Equatable>: Sendable {
    private let memory: Lock<RelabelingMemory<Program>>

    init(_ programs: Programs<Program>, _ context: NodeContext) {
        memory = Lock(
            RelabelingMemory(
                programs,
                context.series,
                lane: context.id,
                watchingSince: context.time.unixNanoseconds
            )
        )
    }
    func withMemory<Result>(_ body: (RelabelingMemory<Program>) -> Result) -> Result {
        memory.withLock { body($0) }
    }
    func withThrowingMemory(_ body: (RelabelingMemory<Program>) throws -> Void) throws {
        try memory.withLock { try body($0) }
    }
    var byteCount: Int { withMemory { $0.byteCount } }
}
