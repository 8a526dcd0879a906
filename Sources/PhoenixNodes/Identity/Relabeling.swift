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
    private var plan: IdentityPlan<Program>
    private var pending: [MetricBatch] = []
    private let input: Inlet<MetricBatch>?
    private let modes: Inlet<ModeChange>?
    private let output: Outlet<MetricBatch>
    private let vitals: NodeVitals
    private let collisions: Gauge

    init(_ programs: Programs<Program>, _ context: NodeContext) {
        self.programs = programs
        plan = IdentityPlan(programs.base, context.series, lane: context.id)
        input = context.wiring[RelabelingPort.input]
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
            }
        }
    }
    /// Judges by other programs from the next batch on.
    func replace(with programs: Programs<Program>) {
        let isChanged = programs[mode] != self.programs[mode]
        self.programs = programs
        if isChanged { plan.replace(with: programs[mode]) }
    }
    func enter(_ change: ModeChange) {
        let isChanged = programs[change.mode] != programs[mode]
        mode = change.mode
        if isChanged { plan.replace(with: programs[mode]) }
    }

    private func book(_ batch: MetricBatch) {
        let result = plan.apply(batch)
        if let passed = result.passed { pending.append(passed) }
        vitals.drop(result.dropped)
        collisions.set(Double(plan.collisions))
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
