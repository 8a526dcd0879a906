import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// The work of a node that changes identities: the plan, the sums of series that meet, and what is yet to be sent.
///
/// Belongs to one actor and runs on it. A batch is booked whole before anything of it is sent; what was booked is sent
/// by the next run where this one was broken off.
final class Relabeling<Program: IdentityProgram & Equatable> {
    private var programs: Programs<Program>
    private var mode: Mode?
    private var mustRemap = false
    private var plan: IdentityPlan<Program>
    private var merger: Merger
    private var pending: [MetricBatch] = []
    /// Looks at each batch before it is judged; true when what was judged no longer holds.
    var prepare: ((MetricBatch, Program) -> Bool)?
    private let input: Inlet<MetricBatch>?
    private let modes: Inlet<ModeChange>?
    private let output: Outlet<MetricBatch>
    private let vitals: NodeVitals
    private let collisions: Gauge
    private let admittedSeries: Gauge
    private let context: NodeContext
    private var observeAt = Duration.zero

    init(_ programs: Programs<Program>, _ context: NodeContext) {
        self.programs = programs
        plan = IdentityPlan(programs.base, context.series, lane: context.id)
        merger = Merger(context.series, programs.base.policy, at: context.time.unixNanoseconds)
        self.context = context
        input = context.wiring[RelabelingPort.input]
        admittedSeries = context.vitals.gauge(
            "phoenix_node_admitted_series", [:], "Output series whose inputs were seen within the expiry."
        )
        modes = context.wiring[RelabelingPort.mode]
        (output, vitals) = (context.wiring[RelabelingPort.output], context.vitals)
        collisions = vitals.gauge(
            "phoenix_node_merged_series", [:], "Series found to share their output with another, and added up."
        )
    }

    /// Reads batches until they end; `enter` must bring a mode change back to `enter(_:)`, on the node.
    func run(_ enter: @escaping @Sendable (ModeChange) async -> Void) async throws {
        try await following(modes, enter) {
            try await deliver()
            guard let input else { return }
            for await batch in input.messages {
                book(batch)
                input.settle()
                try await deliver()
                try await observe()
            }
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
    /// Gauges leave their old outputs with the next batch, when what they come to is known anew.
    private func change(to program: Program) {
        plan.replace(with: program)
        merger.policy = program.policy
        mustRemap = true
    }

    private func book(_ batch: MetricBatch) {
        if let prepare, prepare(batch, plan.program) { change(to: plan.program) }
        let result = plan.apply(batch)
        if let passed = result.passed { pending.append(passed) }
        merger.takeOver(result.displaced)
        if let aside = result.aside {
            let merging = merger.apply(aside) { plan.output(of: $0) }
            vitals.drop(merging.unmergeable, reason: "unmergeable_kind")
            if let merged = merging.merged { pending.append(merged) }
        }
        if mustRemap {
            mustRemap = false
            if let ended = merger.remap({ plan.decided($0) }) { pending.append(ended) }
        }
        vitals.drop(result.dropped)
        collisions.set(Double(plan.collisions))
    }
    /// Tells how many outputs are alive, at most once a second.
    private func observe() async throws {
        guard plan.program.merging == .always, context.time.monotonic >= observeAt else { return }
        observeAt = context.time.monotonic + .seconds(1)
        admittedSeries.set(Double(merger.liveOutputs))
        let readings = [Observation.Reading("phoenix_admitted_series", Double(merger.liveOutputs), ["pipeline": context.id])]
        try await context.wiring[RelabelingPort.observations].send(
            Observation(source: context.id, timeUnixNano: context.time.unixNanoseconds, readings: readings)
        )
    }
    private func deliver() async throws {
        while let batch = pending.first {
            try await output.send(batch)
            pending.removeFirst()
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
