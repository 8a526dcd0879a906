import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// The work of a node that changes identities: reads, has its memory book, and sends.
///
/// Belongs to one actor and runs on it. A batch is booked whole before anything of it is sent; what was booked is sent
/// by the next run where this one was broken off, or by the heir.
///
/// A change of programs holds for the next batch. Series that send are asked anew where they go with their next point, all
/// others a slice at a time between batches, so that a change of 300,000 series does not hold the path up.
final class Relabeling<Program: IdentityProgram & Equatable>: IdentityWork {
    /// What a node knows of a batch before it is judged: the slots whose series go elsewhere from now on.
    typealias Preparation = @Sendable (MetricBatch, Program) -> [UInt32]
    private static var ticksToLapse: Int { 5 }

    /// What goes to the heir.
    private(set) var state: RelabelingState<Program>
    var memory: any IdentityMemory { state }
    private var programs: Programs<Program>
    private var admission: Admission<Program>
    private var ticks = 0
    private let prepare: Preparation?
    private let share: SharePath?
    private var remaps: AsyncStream<Void>.Continuation?
    private var forecasts: AsyncStream<Void>.Continuation?
    private let context: NodeContext
    private let output: Outlet<MetricBatch>
    private let collisions: Gauge
    private let delay: Gauge
    private let exemplars: Counter
    private let unlikeLayouts: Counter

    init(
        _ programs: Programs<Program>,
        _ context: NodeContext,
        pipeline: String = "",
        share: SharePath? = nil,
        prepare: Preparation? = nil
    ) {
        (self.programs, self.context, self.prepare) = (programs, context, prepare)
        self.share = share
        state = RelabelingState(programs, context)
        admission = Admission(programs, context, pipeline: pipeline)
        output = context.wiring[RelabelingPort.output]
        collisions = context.vitals.gauge(
            "phoenix_node_merged_series",
            [:],
            "Series found to share their output with another, and added up."
        )
        delay = context.vitals.gauge(
            "phoenix_node_mode_delay_seconds",
            [:],
            "From the last decision of a mode until it held for the next batch."
        )
        exemplars = context.vitals.counter(
            "phoenix_node_exemplars_dropped_total",
            [:],
            "Exemplars that go no further: their points did not, or there were more than one point may have."
        )
        unlikeLayouts = context.vitals.counter(
            "phoenix_node_unlike_layouts_total",
            [:],
            "Histogram points whose bounds do not fit their output's: they are told in a series beside it."
        )
    }
    private var now: UInt64 { context.time.unixNanoseconds }

    func run(_ handle: @escaping @Sendable (RelabelingEvent) async throws -> Void) async throws {
        let (time, foresight) = (context.time, admission.foresight)
        // Fresh ones for each run: a stream whose reader was cancelled is at its end.
        let (remaps, remap) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (forecasts, forecast) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        (self.remaps, self.forecasts) = (remap, forecast)
        if state.withMemory({ $0.isRemapping }) { remap.yield() }
        try await following(context.wiring[RelabelingPort.mode], { try await handle(.mode($0)) }) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while true {
                        try await time.sleep(for: .seconds(1))
                        try await handle(.tick)
                    }
                }
                group.addTask {
                    for await _ in remaps {
                        try await handle(.remap)
                        await Task.yield()
                    }
                }
                group.addTask {
                    for await _ in forecasts {
                        while !Task.isCancelled, !foresight.work() { await Task.yield() }
                        try await handle(.forecast)
                    }
                }
                try await read()
                group.cancelAll()
                // A tick that was cut short has nothing to say.
                while let result = await group.nextResult() { if case .success = result { continue } }
            }
        }
    }
    private func read() async throws {
        try await deliver()
        guard let input = context.wiring[RelabelingPort.input] else { return }
        for await batch in input.messages {
            book(batch)
            input.settle()
            try await deliver()
        }
    }
    func handle(_ event: RelabelingEvent) async throws {
        switch event {
        case .mode(let change):
            let now = now
            state.withMemory { $0.enter(change.mode, now: now) }
            delay.set(Double(now - min(now, change.timeUnixNano)) / 1e9)
            remapWhereDue()
        case .tick: try await tick()
        case .remap: try await remapSlice()
        case .forecast: try await admission.tell(state.withMemory { $0.mode })
        }
    }

    /// Judges by other programs from the next batch on.
    func replace(with programs: Programs<Program>) {
        self.programs = programs
        let now = now
        admission.replace(with: programs)
        state.withMemory { $0.replace(with: programs, now: now) }
        remapWhereDue()
    }
    /// Goes on with what the node before remembered, under this one's programs.
    func inherit(_ memory: any IdentityMemory) {
        // A node of the same type has the same kind of programs.
        guard let state = memory as? RelabelingState<Program> else { return }
        let (now, programs, followsMode) = (now, programs, context.wiring[RelabelingPort.mode] != nil)
        state.withMemory { $0.succeed(with: programs, followsMode: followsMode, now: now) }
        self.state = state
    }
    /// Lets go of gauges that lapsed and of what was not seen for long, sent at once; and counts what is admitted.
    private func tick() async throws {
        ticks += 1
        let (now, isLapse) = (now, ticks % Self.ticksToLapse == 0)
        state.withMemory { $0.releaseWhenDue(now: now) }
        if isLapse { state.withMemory { $0.lapse(now: now) } }
        let mode = state.withMemory { $0.mode }
        // Nodes that let series pass as they are do not know which of them live.
        if programs[mode].merging == .always, isLapse || admission.isRead {
            let program = programs[mode]
            if state.withMemory({ admission.count(&$0.reaggregator, now: now, program) }) {
                forecasts?.yield()
            } else {
                try await admission.tell(mode)
            }
        }
        try await deliver()
    }
    func flush() async throws {
        while !Task.isCancelled, state.withMemory({ $0.isRemapping }) { try await remapSlice() }
        let now = now
        state.withMemory { $0.release(now: now) }
        try await deliver()
    }
    private func remapWhereDue() {
        if state.withMemory({ $0.isRemapping }) { remaps?.yield() }
    }
    private func remapSlice() async throws {
        let now = now
        state.withMemory { $0.remap(now: now) }
        try await deliver()
        remapWhereDue()
    }

    private func book(_ batch: MetricBatch) {
        let (now, prepare) = (now, prepare)
        let result = state.withMemory { $0.book(batch, now: now, prepare) }
        if !result.moved.isEmpty {
            admission.judgeAnew(result.moved)
            remapWhereDue()
        }
        context.vitals.drop(result.dropped)
        if result.exemplars > 0 { exemplars.add(result.exemplars) }
        tellCounts()
    }
    private func tellCounts() {
        let (counts, told, merged) = state.withMemory { memory in
            let counts = memory.takeCounts()
            return (counts.now, counts.before, memory.plan.collisions)
        }
        for reason in DropReason.allCases {
            let index = Int(reason.rawValue)
            context.vitals.drop(Int(counts.dropped[index] - told.dropped[index]), reason: reason.name)
        }
        context.vitals.drop(Int(counts.beyondLimit - told.beyondLimit), reason: "max_streams")
        context.vitals.drop(Int(counts.stale - told.stale), reason: DropReason.staleSeries.name)
        context.vitals.drop(Int(counts.refused - told.refused), reason: DropReason.tableFull.name)
        context.vitals.drop(Int(counts.late - told.late), reason: "late")
        context.vitals.drop(Int(counts.invalid - told.invalid), reason: "invalid_value")
        context.vitals.drop(Int(counts.ends - told.ends), reason: "end_of_stream")
        exemplars.add(Int(counts.exemplars - told.exemplars))
        unlikeLayouts.add(Int(counts.unlikeLayouts - told.unlikeLayouts))
        collisions.set(Double(merged))
    }

    /// Sends what is pending. A batch is claimed before it is sent, since a tick may send at the same time; the outlet
    /// keeps the order of the calls.
    private func deliver() async throws {
        while let batch = state.withMemory({ $0.claim() }) {
            guard let share, let part = share.part(batch) else {
                try await send(batch, by: output, orKeep: batch)
                continue
            }
            context.vitals.drop(part.dropped, reason: DropReason.tableFull.name)
            // The rest waits as a batch of its own, so that each way is gone in the order of the batches.
            if let rest = part.rest { state.withMemory { $0.pending.insert(rest, at: 0) } }
            if !part.batch.isEmpty { try await send(part.batch, by: share.outlet, orKeep: part.marked) }
        }
    }
    private func send(
        _ batch: MetricBatch,
        by outlet: Outlet<MetricBatch>,
        orKeep kept: MetricBatch
    ) async throws {
        do { try await outlet.send(batch) } catch {
            state.withMemory { $0.pending.insert(kept, at: 0) }
            throw error
        }
    }
}

/// The ports of every node that changes identities.
enum RelabelingPort {
    static let input = InputPort<MetricBatch>("in", required: true)
    static let mode = InputPort<ModeChange>("mode")
    static let output = OutputPort<MetricBatch>("out")
    /// Of nodes that merge always: how many series they admit, now and in other modes.
    static let observations = OutputPort<Observation>("observations")
    static let all: [PortSpec] = [.input(input), .input(mode), .output(output)]
}

/// What a node does in each mode.
struct Programs<Program: IdentityProgram & Equatable>: Sendable {
    var base: Program
    var modes: [Mode: Program] = [:]
    subscript(mode: Mode?) -> Program { mode.flatMap { modes[$0] } ?? base }

    /// The programs that `make` makes of a node's settings.
    init<Config>(_ settings: Settings<Config>, _ make: (Config) -> Program) {
        base = make(settings.base)
        modes = settings.modes.mapValues(make)
    }

    /// Those that differ, the base first.
    var distinct: [Program] {
        Mode.allCases.reduce(into: [base]) { result, mode in
            if let program = modes[mode], !result.contains(program) { result.append(program) }
        }
    }
}
