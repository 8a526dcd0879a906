import PhoenixGraph
import PhoenixModel
import PhoenixRuntime

/// The work of a node that changes identities: reads, has its memory book, and sends.
///
/// Belongs to one actor and runs on it. A batch is booked whole before anything of it is sent; what was booked is sent
/// by the next run where this one was broken off, or by the heir.
final class Relabeling<Program: IdentityProgram & Equatable> {
    /// What a node knows of a batch before it is judged: the slots whose series go elsewhere from now on.
    typealias Preparation = @Sendable (MetricBatch, Program) -> [UInt32]

    /// What goes to the heir.
    private(set) var state: RelabelingState<Program>
    private var programs: Programs<Program>
    private var observeAt = Duration.zero
    private let prepare: Preparation?
    private let context: NodeContext
    private let output: Outlet<MetricBatch>
    private let collisions: Gauge
    private let admitted: Gauge

    init(_ programs: Programs<Program>, _ context: NodeContext, prepare: Preparation? = nil) {
        (self.programs, self.context, self.prepare) = (programs, context, prepare)
        state = RelabelingState(programs, context)
        output = context.wiring[RelabelingPort.output]
        collisions = context.vitals.gauge(
            "phoenix_node_merged_series",
            [:],
            "Series found to share their output with another, and added up."
        )
        admitted = context.vitals.gauge("phoenix_node_admitted_series", [:], "Output series that are alive.")
    }
    private var now: UInt64 { context.time.unixNanoseconds }

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
        self.programs = programs
        let now = now
        state.withMemory { $0.replace(with: programs, now: now) }
    }
    func enter(_ change: ModeChange) {
        let now = now
        state.withMemory { $0.enter(change.mode, now: now) }
    }
    /// Goes on with what the node before remembered, under this one's programs.
    func inherit(_ state: RelabelingState<Program>) {
        let (now, programs, followsMode) = (now, programs, context.wiring[RelabelingPort.mode] != nil)
        state.withMemory { $0.succeed(with: programs, followsMode: followsMode, now: now) }
        self.state = state
    }
    /// Lets go of gauges that lapsed and of what was not seen for long; sent at once.
    func tick() async throws {
        let now = now
        state.withMemory { $0.lapse(now: now) }
        try await observe()
        try await deliver()
    }

    private func book(_ batch: MetricBatch) {
        let (now, prepare) = (now, prepare)
        let dropped = state.withMemory { $0.book(batch, now: now, prepare) }
        context.vitals.drop(dropped)
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
        context.vitals.drop(Int(counts.stale - told.stale), reason: DropReason.staleSeries.name)
        context.vitals.drop(Int(counts.refused - told.refused), reason: DropReason.tableFull.name)
        context.vitals.drop(Int(counts.late - told.late), reason: "late")
        collisions.set(Double(merged))
    }

    /// Tells how many outputs are alive, at most once a second.
    private func observe() async throws {
        guard context.time.monotonic >= observeAt else { return }
        let outputs = state.withMemory { memory in
            memory.plan.program.merging == .always ? memory.reaggregator.counts.outputs : nil
        }
        guard let outputs else { return }
        observeAt = context.time.monotonic + .seconds(1)
        admitted.set(Double(outputs))
        let reading = Observation.Reading(
            "phoenix_admitted_series",
            Double(outputs),
            ["pipeline": context.id]
        )
        try await context.wiring[RelabelingPort.observations].send(
            Observation(source: context.id, timeUnixNano: now, readings: [reading])
        )
    }

    /// Sends what is pending. A batch is claimed before it is sent, since a tick may send at the same time; the outlet
    /// keeps the order of the calls.
    private func deliver() async throws {
        while let batch = state.withMemory({ $0.claim() }) {
            do { try await output.send(batch) } catch {
                state.withMemory { $0.pending.insert(batch, at: 0) }
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
