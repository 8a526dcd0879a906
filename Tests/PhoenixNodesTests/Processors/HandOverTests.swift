import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// What every node that merges promises through reloads: whatever the settings of the heirs, the increases of all outputs
/// add up to those of the inputs, no output falls, and gauges are shown once.
@Suite struct HandOverTests {
    /// Random processes through a line of heirs with random settings, reloaded at random moments.
    private func relay<Kind: Node>(
        _ type: Kind.Type,
        seed: UInt64,
        _ settings: @escaping @Sendable (inout SeededGenerator) -> Settings<Kind.Config>
    ) throws {
        try World.run(seed: seed) { world in
            var random = world.random
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let output = harness.read(RelabelingPort.output)
            let table = harness.context.series
            let names = SyntheticNames(table, lane: "synthetic")
            var load = SyntheticLoad.Settings()
            // Some with more series than are asked anew at once, so that an heir finds its legator in the middle of it.
            (load.hosts, load.profile.base) = (seed % 4 == 0 ? 24 : 2, 12)
            load.restarts = Bool.random(using: &random) ? 0.05 : 0
            let source = Lock(SyntheticLoad(load, seed: seed, at: world.clock.unixNanoseconds))
            let shown = Lock(IncreaseLedger())
            let line = (0..<6).map { _ in settings(&random) }
            let legs = line.map { _ in Int.random(in: 0...5, using: &random) }
            try await harness.relay(type, line) { leg in
                for round in 0..<legs[leg] {
                    var ledger = IncreaseLedger()
                    let now = world.clock.unixNanoseconds
                    for parts in source.withLock({ $0.report(at: now, into: names) }) {
                        let batch = MetricBatch(parts)
                        ledger.book(batch, table)
                        try await harness.feed(RelabelingPort.input, batch)
                    }
                    shown.withLock { [ledger] in $0 = ledger }
                    try await world.clock.sleep(for: .seconds(7))
                    if round % 2 == 1 {
                        let mode = Mode.allCases[(leg + round) % Mode.allCases.count]
                        try await harness.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                    }
                    try await world.clock.sleep(for: .seconds(8))
                }
            }
            var ledger = IncreaseLedger()
            for batch in output.messages { ledger.book(batch, table) }
            let totals = source.withLock { $0.totals }
            try require(
                (ledger.totals["process.cpu.time"] ?? 0) == Double(totals.cpuTime) / 64,
                "\(ledger.totals) for \(totals)"
            )
            try require(
                (ledger.totals["process.disk.io"] ?? 0) == Double(totals.bytesRead + totals.bytesWritten),
                "\(ledger.totals) for \(totals)"
            )
            try require(ledger.resets == 0, "\(ledger.resets) outputs fell or began anew")
            guard load.restarts == 0 else { return }
            for metric in ["process.memory.usage", "process.threads"] {
                let due = shown.withLock { $0.shown(metric) }
                try require(ledger.shown(metric) == due, "\(metric): \(ledger.shown(metric)) for \(due)")
            }
        }
    }
    private static let keys: [AttributeTarget] = [
        "process.pid", "process.command_line", "container.id", "k8s.pod.name", "process.executable.name",
    ]
    private static func some(_ random: inout SeededGenerator) -> [AttributeTarget] {
        keys.filter { _ in Bool.random(using: &random) }
    }

    @Test(arguments: 1...UInt64(12)) func aggregate(seed: UInt64) throws {
        try relay(Aggregate.self, seed: seed) { random in
            var (base, lean) = (Aggregate.Config(), Aggregate.Config())
            if Bool.random(using: &random) {
                base.drop = Self.some(&random)
            } else {
                base.keep = ["host.name"]
            }
            lean.keep = ["host.name"] + Self.some(&random)
            return Settings(base, modes: Bool.random(using: &random) ? [.aggressive: lean] : [:])
        }
    }
    @Test(arguments: 1...UInt64(12)) func topK(seed: UInt64) throws {
        try relay(TopK.self, seed: seed) { random in
            var (base, lean) = (TopK.Config(), TopK.Config())
            base.k = Int.random(in: 0...6, using: &random)
            base.window = .seconds(Int.random(in: 20...60, using: &random))
            if Int.random(in: 0..<3, using: &random) == 0 {
                base.entity = ["host.name", "process.executable.name"]
            }
            if Int.random(in: 0..<3, using: &random) == 0 { base.metric = "process.disk.io" }
            lean = base
            (lean.k, lean.keep) = (2, ["host.name", "process.executable.name"])
            return Settings(base, modes: [.aggressive: lean])
        }
    }
    @Test(arguments: 1...UInt64(6)) func attributes(seed: UInt64) throws {
        try relay(Attributes.self, seed: seed) { random in
            var config = Attributes.Config()
            config.actions = (["process.command_line"] + Self.some(&random)).map { key in
                var action = Attributes.Action()
                (action.action, action.key) = (.delete, key)
                return action
            }
            return Settings(config)
        }
    }
}
