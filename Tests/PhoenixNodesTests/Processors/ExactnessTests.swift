import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// What every node that merges promises: the increases of all outputs add up to those of the inputs, whatever the modes did.
@Suite struct ExactnessTests {
    private func run<Kind: Node>(
        _ type: Kind.Type,
        _ settings: Settings<Kind.Config>
    ) throws -> (IncreaseLedger, Int) {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let output = harness.read(RelabelingPort.output)
            let table = harness.context.series
            let names = SyntheticNames(table, lane: "synthetic")
            var load = SyntheticLoad.Settings()
            (load.hosts, load.profile.base, load.restarts) = (2, 40, 0.05)
            var source = SyntheticLoad(load, seed: 7, at: world.clock.unixNanoseconds)
            let node = try harness.make(type, settings)
            try await harness.run(node) {
                for round in 0..<40 {
                    for parts in source.report(at: world.clock.unixNanoseconds, into: names) {
                        try await harness.feed(RelabelingPort.input, MetricBatch(parts))
                    }
                    try await world.clock.sleep(for: .seconds(7))
                    if round % 5 == 4 {
                        let mode = Mode.allCases[round / 5 % 3]
                        try await harness.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                    }
                    try await world.clock.sleep(for: .seconds(8))
                }
            }
            var ledger = IncreaseLedger()
            for batch in output.messages { ledger.book(batch, table) }
            let totals = source.totals
            try require(totals.restarts > 0, "no process was started anew")
            try require(
                ledger.totals["process.cpu.time"] == Double(totals.cpuTime) / 64,
                "\(ledger.totals) for \(totals)"
            )
            try require(
                ledger.totals["process.disk.io"] == Double(totals.bytesRead + totals.bytesWritten),
                "\(ledger.totals) for \(totals)"
            )
            var series: Set<SeriesID> = []
            for batch in output.messages { series.formUnion(batch.numbers.series) }
            return (ledger, series.count)
        }
    }

    @Test func aggregateLosesNothingWhileModesChange() throws {
        var (base, lean) = (Aggregate.Config(), Aggregate.Config())
        base.drop = ["process.pid", "process.command_line", "container.id", "k8s.pod.name"]
        lean.keep = ["host.name"]
        let (ledger, series) = try run(Aggregate.self, Settings(base, modes: [.aggressive: lean]))
        #expect(ledger.totals.count == 2 && series > 10)
    }

    @Test func topKLosesNothingWhilePlacesChange() throws {
        var (base, lean) = (TopK.Config(), TopK.Config())
        (base.k, base.window) = (5, .seconds(60))
        (lean.k, lean.keep) = (2, ["host.name", "process.executable.name"])
        let (ledger, series) = try run(TopK.self, Settings(base, modes: [.aggressive: lean]))
        #expect(ledger.totals.count == 2 && series > 10)
    }

    @Test func limitLosesNothingWhilePlacesAreTakenAndGiven() throws {
        var (base, lean) = (Limit.Config(), Limit.Config())
        (base.total, base.perMetric, base.expiry) = (150, 60, .seconds(60))
        (lean.total, lean.attributes, lean.expiry) = (20, [:], .seconds(60))
        lean.overflowKeep = ["host.name"]
        let (ledger, series) = try run(Limit.self, Settings(base, modes: [.aggressive: lean]))
        #expect(ledger.totals.count == 2 && series > 10)
    }

    @Test func givingAnAttributeAnotherKeyLosesNothing() throws {
        var (config, rule) = (Transform.Config(), Transform.Rule())
        // In place of what told the processes of a program apart.
        rule.labels = ["process.executable.name": "process.pid", "process.command_line": "process.owner"]
        config.rules = [rule]
        let (ledger, _) = try run(Transform.self, Settings(config))
        #expect(ledger.totals.count == 2)
    }

    @Test func deletingAnAttributeLosesNothing() throws {
        var config = Attributes.Config()
        var action = Attributes.Action()
        (action.action, action.key) = (.delete, "process.pid")
        config.actions = [action]
        let (ledger, _) = try run(Attributes.self, Settings(config))
        #expect(ledger.totals.count == 2)
    }
}
