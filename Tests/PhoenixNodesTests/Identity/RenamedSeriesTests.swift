import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// Nodes that pass series on as they are, under names that change while the graph runs: what is behind them must see each
/// increase once.
@Suite struct RenamedSeriesTests {
    private static let second: UInt64 = 1_000_000_000
    private static let began = PointText.origin

    /// Processes whose name changes with the rules; and one that adds everything up behind.
    private struct Rig<Program: NodeConfig & IdentityProgram & Equatable>: ~Copyable {
        let table = SeriesTable(capacity: 4096)
        let memory: RelabelingMemory<Program>
        var behind: Reaggregator
        var shown: [SeriesID: (value: Int64, start: UInt64)] = [:]
        var total: Int64 = 0
        var gauges: [SeriesID: Int64] = [:]
        var now = RenamedSeriesTests.began + RenamedSeriesTests.second

        init(_ program: Program) {
            memory = RelabelingMemory(
                Programs(Settings(program)) { $0 },
                table,
                lane: "node",
                watchingSince: RenamedSeriesTests.began
            )
            behind = Reaggregator(table: table, lane: "behind", watchingSince: RenamedSeriesTests.began)
        }
        mutating func change(to program: Program) {
            memory.replace(with: Programs(Settings(program)) { $0 }, now: now)
            while memory.isRemapping { memory.remap(64, now: now) }
            collect()
        }
        mutating func send(_ parts: MetricBatch.Parts) {
            _ = memory.book(MetricBatch(parts), now: now, nil)
            collect()
        }
        private mutating func collect() {
            while let batch = memory.claim() {
                for index in batch.numbers.series.indices {
                    let id = batch.numbers.series[index]
                    guard table.series(id)?.metric.kind == .gauge else { continue }
                    let isEnd = batch.numbers.flags[index].contains(.noRecordedValue)
                    gauges[id] = isEnd ? nil : Int64(bitPattern: batch.numbers.values[index])
                }
                let added = behind.apply(batch, now: now) { series in
                    series.metric.kind == .gauge
                        ? .drop(reason: 0) : .output(resource: .empty, attributes: .empty)
                }
                for index in (added?.numbers.series ?? []).indices {
                    guard let points = added?.numbers else { continue }
                    let (id, value) = (points.series[index], Int64(bitPattern: points.values[index]))
                    let before = shown[id].flatMap { $0.start == points.starts[index] ? $0.value : nil } ?? 0
                    total += value - before
                    shown[id] = (value, points.starts[index])
                }
            }
        }
        func id(_ name: String, _ kind: PointKind, pid: Int) -> SeriesID? {
            let metric = table.metric(
                MetricIdentity(
                    name: name,
                    kind: kind,
                    temporality: kind == .sum ? .cumulative : .unspecified,
                    isMonotonic: kind == .sum
                )
            )
            let resource = table.intern([Attribute("process.pid", .int(Int64(pid)))])
            return table.id(resource: resource, metric: metric, attributes: table.intern([]))
        }
    }
    private struct Sender {
        var start: UInt64
        var value: Int64 = 0
    }
    private static func pids(_ pids: [Int]) -> Condition {
        var condition = Condition()
        (condition.attribute, condition.among) = ("process.pid", pids.map(String.init))
        return condition
    }
    /// Rules that name series by a random choice, or leave them as they are.
    private static func rules(_ random: inout TestDice) -> Classify.Config {
        var config = Classify.Config()
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            var rule = Classify.Rule()
            rule.when = [pids((0..<8).filter { _ in Bool.random(using: &random) })]
            rule.set = ["team": ["red", "blue"][Int.random(in: 0...1, using: &random)]]
            config.rules.append(rule)
        }
        return config
    }

    @Test func everyIncreaseIsSeenOnceWhateverTheNamesAre() throws {
        for seed in UInt64(1)...400 {
            var random = TestDice(state: seed)
            var rig = Rig(Self.rules(&random))
            var senders: [Int: Sender] = [:]
            var expected: Int64 = 0
            for _ in 0..<Int.random(in: 4...25, using: &random) {
                rig.now += .random(in: 1...20 * Self.second, using: &random)
                if Int.random(in: 0..<4, using: &random) == 0 { rig.change(to: Self.rules(&random)) }
                var parts = MetricBatch.Parts()
                for pid in 0..<8 where Bool.random(using: &random) {
                    var sender = senders[pid] ?? Sender(start: rig.now - Self.second / 2)
                    if sender.value > 0, Int.random(in: 0..<8, using: &random) == 0 {
                        sender = Sender(start: rig.now - 1)
                    }
                    let step = Int64.random(in: 1...1000, using: &random)
                    sender.value += step
                    expected += step
                    senders[pid] = sender
                    guard let id = rig.id("requests", .sum, pid: pid) else { continue }
                    parts.numbers.append(
                        id,
                        time: rig.now,
                        start: sender.start,
                        bits: UInt64(bitPattern: sender.value),
                        flags: .isInteger
                    )
                }
                rig.send(parts)
            }
            let total = rig.total
            try #require(total == expected, "seed \(seed)")
        }
    }

    @Test func aGaugeHasOneNameAtATime() throws {
        var config = Classify.Config()
        var rig = Rig(config)
        let named = rig.id("process.threads", .gauge, pid: 1)
        let id = try #require(named)
        for name in ["red", "blue", "red"] {
            rig.now += Self.second
            var rule = Classify.Rule()
            rule.set = ["team": name]
            config.rules = [rule]
            rig.change(to: config)
            var parts = MetricBatch.Parts()
            parts.numbers.append(id, time: rig.now, start: 0, bits: 7, flags: .isInteger)
            rig.send(parts)
            let shown = Array(rig.gauges.values)
            #expect(shown == [7], "\(name)")
        }
    }

    @Test func whatAFilterLetInAgainCountsFromThere() throws {
        var (open, closed) = (Filter.Config(), Filter.Config())
        open.include = []
        closed.exclude = [Self.pids([1])]
        var rig = Rig(open)
        let named = rig.id("requests", .sum, pid: 1)
        let id = try #require(named)
        func expect(_ total: Int64, _ due: Int64) { #expect(total == due) }
        func send(_ value: UInt64, _ rig: inout Rig<Filter.Config>) {
            rig.now += Self.second
            var parts = MetricBatch.Parts()
            parts.numbers.append(id, time: rig.now, start: Self.began + 1, bits: value, flags: .isInteger)
            rig.send(parts)
        }
        send(10, &rig)
        send(15, &rig)
        expect(rig.total, 15)
        rig.change(to: closed)
        send(100, &rig)
        expect(rig.total, 15)
        rig.change(to: open)
        // What it grew by while it was out is nobody's.
        send(200, &rig)
        send(207, &rig)
        expect(rig.total, 22)
        rig.change(to: closed)
        send(300, &rig)
        rig.change(to: open)
        send(400, &rig)
        send(401, &rig)
        expect(rig.total, 23)
    }
}

/// Numbers that follow from the seed alone.
private struct TestDice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 31
    }
}
