import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// The work of a node that changes identities: the plan, the sums of series that meet, and what is yet to be sent.
///
/// Belongs to one actor and runs on it. A batch is booked whole before anything of it is sent; what was booked is sent
/// by the next run where this one was broken off.
final class Relabeling<Program: IdentityProgram & Equatable> {
    /// What a node knows of a batch before it is judged: the slots whose series go elsewhere from now on.
    typealias Preparation = (MetricBatch, Program) -> [UInt32]

    private var programs: Programs<Program>
    private var mode: Mode?
    private var plan: IdentityPlan<Program>
    private var reaggregator: Reaggregator
    private var pending: [MetricBatch] = []
    private var told = ReaggregatorCounts()
    private var epoch: UInt64 = 0
    private var observeAt = Duration.zero
    private var prepare: Preparation?
    private let context: NodeContext
    private let output: Outlet<MetricBatch>
    private let collisions: Gauge
    private let admitted: Gauge

    init(_ programs: Programs<Program>, _ context: NodeContext, prepare: Preparation? = nil) {
        (self.programs, self.context, self.prepare) = (programs, context, prepare)
        plan = IdentityPlan(programs.base, context.series, lane: context.id)
        reaggregator = Reaggregator(
            table: context.series,
            lane: context.id,
            options: programs.base.options,
            watchingSince: context.time.unixNanoseconds
        )
        output = context.wiring[RelabelingPort.output]
        collisions = context.vitals.gauge(
            "phoenix_node_merged_series",
            [:],
            "Series found to share their output with another, and added up."
        )
        admitted = context.vitals.gauge("phoenix_node_admitted_series", [:], "Output series that are alive.")
    }

    /// Reads batches until they end. `enter` must bring a mode change back to `enter(_:)`, `tick` a moment to `tick()`,
    /// both on the node.
    func run(
        _ enter: @escaping @Sendable (ModeChange) async -> Void,
        _ tick: @escaping @Sendable () async throws -> Void
    ) async throws {
        let time = context.time
        try await following(context.wiring[RelabelingPort.mode], enter) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while true {
                        try await time.sleep(for: .seconds(5))
                        try await tick()
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
            try await observe()
        }
    }
    /// Judges by other programs from the next batch on.
    func replace(with programs: Programs<Program>) {
        let isChanged = programs[mode] != self.programs[mode]
        self.programs = programs
        if isChanged { change(to: programs[mode]) }
    }
    func enter(_ change: ModeChange) {
        let isChanged = programs[change.mode] != programs[mode]
        mode = change.mode
        if isChanged { self.change(to: programs[mode]) }
    }
    /// Lets go of gauges that lapsed and of what was not seen for long; sent at once.
    func tick() async throws {
        if let lapsed = reaggregator.lapse(now: context.time.unixNanoseconds, epoch: epoch) {
            pending.append(lapsed)
        }
        try await observe()
        try await deliver()
    }

    private func change(to program: Program) {
        plan.replace(with: program)
        reaggregator.options = program.options
        remap(nil)
    }
    /// Sends all series, or those of some slots, where they now go; gauges do not wait for their next point.
    private func remap(_ slots: [UInt32]?) {
        let now = context.time.unixNanoseconds
        reaggregator.remap(slots, now: now) { plan.destination(of: $0) }
        if let moved = reaggregator.settle(now: now, epoch: epoch) { pending.append(moved) }
    }

    private func book(_ batch: MetricBatch) {
        epoch = max(epoch, batch.epoch)
        if let slots = prepare?(batch, plan.program), !slots.isEmpty {
            plan.replace(with: plan.program)
            remap(slots)
        }
        let result = plan.apply(batch)
        if let passed = result.passed { pending.append(passed) }
        let now = context.time.unixNanoseconds
        // Those who were passed on as they were have told their past: it is not counted again.
        if !result.displaced.isEmpty { reaggregator.forget(seenAt: now) }
        if let aside = result.aside,
            let merged = reaggregator.apply(aside, now: now, { plan.destination(of: $0) })
        {
            pending.append(merged)
        }
        context.vitals.drop(result.dropped)
        tellCounts()
    }
    private func tellCounts() {
        let counts = reaggregator.counts
        for reason in DropReason.allCases {
            let index = Int(reason.rawValue)
            context.vitals.drop(Int(counts.dropped[index] - told.dropped[index]), reason: reason.name)
        }
        context.vitals.drop(Int(counts.stale - told.stale), reason: DropReason.staleSeries.name)
        context.vitals.drop(Int(counts.refused - told.refused), reason: DropReason.tableFull.name)
        context.vitals.drop(Int(counts.late - told.late), reason: "late")
        told = counts
        collisions.set(Double(plan.collisions))
    }

    /// Tells how many outputs are alive, at most once a second.
    private func observe() async throws {
        guard plan.program.merging == .always, context.time.monotonic >= observeAt else { return }
        observeAt = context.time.monotonic + .seconds(1)
        let count = Double(reaggregator.counts.outputs)
        admitted.set(count)
        let reading = Observation.Reading("phoenix_admitted_series", count, ["pipeline": context.id])
        try await context.wiring[RelabelingPort.observations].send(
            Observation(source: context.id, timeUnixNano: context.time.unixNanoseconds, readings: [reading])
        )
    }

    /// Sends what is pending. A batch is claimed before it is sent, since a tick may send at the same time; the outlet
    /// keeps the order of the calls.
    private func deliver() async throws {
        while !pending.isEmpty {
            let batch = pending.removeFirst()
            do { try await output.send(batch) } catch {
                pending.insert(batch, at: 0)
                throw error
            }
        }
    }
}

/// The ports of every node that changes identities.
enum RelabelingPort {
    static let input = InputPort<MetricBatch>("in", required: true)
    static let mode = InputPort<ModeChange>("mode")
    static let output = OutputPort<MetricBatch>("out")
    /// Of nodes that merge always: how many series they let live.
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
}
