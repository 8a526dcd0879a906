import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// What a node says it admits, and would admit in other modes, against an oracle that counts attributes as they are written.
@Suite struct AdmissionTests {
    /// A graph's rest: it feeds series that come, go and come again, and knows when each was seen.
    private struct Plant {
        struct Input: Hashable {
            var resource: [Attribute]
            var metric: String
            var point: [Attribute]
        }
        var random: SeededGenerator
        var seen: [Input: UInt64] = [:]
        let table: SeriesTable

        mutating func batch(at now: UInt64) -> MetricBatch {
            var parts = MetricBatch.Parts()
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let input = Input(
                    resource: [
                        Attribute("host.name", "h\(Int.random(in: 0..<3, using: &random))"),
                        Attribute(
                            "process.executable.name",
                            ["java", "nginx", "kworker"].randomElement(using: &random)!
                        ),
                        Attribute("process.pid", .int(.random(in: 0..<40, using: &random))),
                    ],
                    metric: ["cpu", "threads"].randomElement(using: &random)!,
                    point: Bool.random(using: &random) ? [Attribute("direction", "read")] : []
                )
                seen[input] = now / 1_000_000_000
                let metric = table.metric(MetricIdentity(name: input.metric, kind: .gauge))
                let id = table.id(
                    resource: table.intern(input.resource),
                    metric: metric,
                    attributes: table.intern(input.point)
                )
                guard let id else { continue }
                parts.numbers.append(id, time: now, start: 0, bits: 1, flags: .isInteger)
            }
            return MetricBatch(parts)
        }

        /// Distinct outputs of a program over the inputs seen within its window.
        func admitted(_ program: some IdentityProgram, at now: UInt64) -> Int {
            let alive = seen.filter { now / 1_000_000_000 - $0.value <= UInt64(program.aliveSeconds) }.keys
            let outputs = alive.compactMap { input -> Input? in
                var subject = Subject(
                    resource: input.resource,
                    point: input.point,
                    metric: MetricIdentity(name: input.metric, kind: .gauge)
                )
                guard case .pass = program.judge(&subject) else { return nil }
                return Input(
                    resource: subject.resource.sorted { $0.key < $1.key },
                    metric: input.metric,
                    point: subject.point.sorted { $0.key < $1.key }
                )
            }
            return Set(outputs).count
        }
    }

    private static var settings: Settings<Aggregate.Config> {
        var (base, lean, leanest) = (Aggregate.Config(), Aggregate.Config(), Aggregate.Config())
        base.aliveWithin = .seconds(30)
        (lean, leanest) = (base, base)
        var rule = Aggregate.Rule()
        rule.drop = ["process.pid"]
        var condition = Condition()
        (condition.attribute, condition.equals) = ("process.executable.name", "kworker")
        rule.when = [condition]
        base.rules = [rule]
        lean.drop = ["process.pid"]
        leanest.keep = ["host.name"]
        leanest.aliveWithin = .seconds(20)
        return Settings(base, modes: [.balanced: lean, .aggressive: leanest])
    }

    @Test(arguments: UInt64(1)...12) func itIsExactUnderChurnExpiryAndChangesOfMode(_ seed: UInt64) throws {
        let checks = try World.run(seed: seed) { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let told = harness.read(RelabelingPort.observations)
            let node = try harness.make(Aggregate.self, Self.settings)
            let programs = Programs(Self.settings) { $0 }
            var plant = Plant(random: world.random, table: harness.context.series)
            var mode: Mode?
            var checks = 0
            try await harness.run(node) {
                for _ in 0..<60 {
                    try await harness.feed(RelabelingPort.input, plant.batch(at: world.clock.unixNanoseconds))
                    if Int.random(in: 0..<6, using: &plant.random) == 0 {
                        mode = Mode.allCases.randomElement(using: &plant.random)
                        try await harness.feed(RelabelingPort.mode, ModeChange(mode!, because: "test"))
                    }
                    try await world.clock.sleep(
                        for: .milliseconds(.random(in: 1100...9000, using: &plant.random))
                    )
                    guard let last = told.messages.last else { throw Unexpected("nothing was told") }
                    try Self.check(last, plant, programs, mode)
                    checks += last.readings.count
                }
            }
            return checks
        }
        #expect(checks > 100)
    }

    private static func check(
        _ told: Observation,
        _ plant: Plant,
        _ programs: Programs<Aggregate.Config>,
        _ mode: Mode?
    ) throws {
        // All of them are counted over the window of the mode that holds.
        func expected(_ mode: Mode?, window: Duration) -> Double {
            var program = programs[mode]
            program.aliveWithin = window
            return Double(plant.admitted(program, at: told.timeUnixNano))
        }
        let window = programs[mode].aliveWithin
        var others: Set<String> = []
        for reading in told.readings {
            try require(reading.attributes["pipeline"] == "node", "\(reading)")
            if reading.name == KPIName.admitted {
                let count = expected(mode, window: window)
                try require(reading.value == count, "\(reading) for \(count) in \(String(describing: mode))")
            } else {
                let other = reading.attributes["mode"].flatMap(Mode.init(rawValue:))
                let count = expected(other, window: window)
                try require(reading.value == count, "\(reading) for \(count)")
                others.insert(other?.rawValue ?? "")
            }
        }
        let expected = Set(Mode.allCases.filter { $0 != mode }.map(\.rawValue))
        try require(others == expected, "forecasts of \(others)")
    }

    /// What top-K foresees comes true when the mode does: thirty processes of two hosts, of which one grows faster than the
    /// other, and two that are exempt.
    @Test(arguments: UInt64(1)...4) func whatTopKForeseesComesTrue(_ seed: UInt64) throws {
        try World.run(seed: seed) { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            harness.link(RelabelingPort.mode)
            let told = harness.read(RelabelingPort.observations)
            var base = TopK.Config()
            (base.k, base.others, base.pipeline) = (5, ["host.name"], "experimental_topk")
            var exempt = Condition()
            (exempt.attribute, exempt.equals) = ("process.pid", "3")
            base.exempt = [exempt]
            var (few, many) = (base, base)
            (few.k, few.keep) = (2, ["host.name", "process.pid"])
            many.k = 9
            let node = try harness.make(
                TopK.self,
                Settings(base, modes: [.aggressive: few, .conservative: many])
            )
            var round = 0
            func feed() async throws {
                round += 1
                var lines: [String] = []
                for pid in 1...15 {
                    for host in ["a", "b"] {
                        let resource = "{resource: host.name=\(host), process.pid=int(\(pid))"
                        lines.append(
                            "process.cpu.time\(resource)} sum cumulative monotonic start=0s time=\(round * 10)s \(round * pid * 10)"
                        )
                        lines.append("process.threads\(resource)} gauge time=\(round * 10)s \(pid)")
                    }
                }
                try await harness.feed(
                    RelabelingPort.input,
                    try PointText.batch(lines.joined(separator: "\n"), harness.context.series)
                )
                try await world.clock.sleep(for: .milliseconds(10_050))
            }
            func last(_ name: String, _ mode: Mode? = nil) throws -> Double {
                let found = told.messages.last?.readings.first {
                    $0.name == name && $0.attributes["mode"] == mode?.rawValue
                }
                guard let found else { throw Unexpected("\(name) was not told: \(told.messages.suffix(1))") }
                try require(found.attributes["pipeline"] == "experimental_topk", "\(found)")
                return found.value
            }
            try await harness.run(node) {
                for _ in 0..<8 { try await feed() }
                // The first five of each host, the exempt one, and the others: two metrics each.
                try require(try last(KPIName.admitted) == 2 * 2 * 7, "\(told.messages.suffix(1))")
                for mode in [Mode.aggressive, .conservative, .balanced, .conservative, .aggressive] {
                    let foreseen = try last(KPIName.wouldAdmit, mode)
                    try await harness.feed(RelabelingPort.mode, ModeChange(mode, because: "test"))
                    try await feed()
                    let admitted = try last(KPIName.admitted)
                    let k = mode == .aggressive ? 2.0 : mode == .conservative ? 9 : 5
                    try require(admitted == foreseen, "\(mode): \(admitted) for \(foreseen)")
                    try require(admitted == 2 * 2 * (k + 2), "\(mode): \(admitted)")
                }
            }
        }
    }

    @Test func nothingIsForeseenWhereNobodyReads() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let work = Relabeling(Programs(Self.settings) { $0 }, harness.context)
            let input = harness.context.series.id(
                resource: harness.context.series.intern([]),
                metric: harness.context.series.metric(MetricIdentity(name: "a", kind: .gauge)),
                attributes: harness.context.series.intern([])
            )
            var parts = MetricBatch.Parts()
            parts.numbers.append(try #require(input), time: 1, start: 0, bits: 1, flags: [])
            try await harness.feed(RelabelingPort.input, MetricBatch(parts))
            harness.endInputs()
            try await work.run { _ in }
            for _ in 0..<5 { try await work.handle(.tick) }
            try require(
                harness.context.vitals.gauge("phoenix_node_admitted_series").value == 1,
                "not counted"
            )
        }
    }
}
