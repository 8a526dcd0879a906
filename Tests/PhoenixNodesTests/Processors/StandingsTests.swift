import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// Who leads, whatever senders' clocks say and of whatever kind the metric is.
@Suite struct StandingsTests {
    /// A league whose clock is in a test's hands.
    private struct Rig {
        let table = SeriesTable(capacity: 1024)
        let clock = ManualClock()
        let config: TopK.Config
        let league: League

        init() {
            config = StandingsTests.config
            league = League(config, table, clock)
        }
        /// Takes a batch as the node does, and lets ten seconds pass.
        func send(_ lines: [String]) throws {
            let batch = try PointText.batch(lines.joined(separator: "\n"), table)
            _ = league.watch(batch, config, cuts: [])
            let columns = [
                batch.numbers.series, batch.histograms.series, batch.exponentials.series,
                batch.summaries.series,
            ]
            for id in columns.joined() {
                let series = try #require(table.series(id))
                var subject = Subject(
                    resource: series.resource.attributes,
                    point: series.attributes.attributes,
                    metric: series.metric.identity
                )
                _ = league.admits(&subject, isExempt: false)
            }
            clock.advance(by: .seconds(10))
        }
        /// The processes that are in.
        var leaders: [String] {
            league.withRanking { $0.admitted }.compactMap { $0["process.pid"]?.text }.sorted()
        }
    }
    private static var config: TopK.Config {
        var config = TopK.Config()
        (config.k, config.metric, config.margin) = (1, "cpu", 0)
        (config.entity, config.group) = (["process.pid"], ["host.name"])
        (config.window, config.every) = (.seconds(60), .seconds(10))
        return config
    }
    private func cpu(_ pid: Int, _ value: Int, at second: Int, host: String = "a", is kind: String) -> String
    {
        "cpu{resource: host.name=\(host), process.pid=\(pid)} sum \(kind) start=1s time=\(second)s \(value)"
    }
    private func total(_ pid: Int, _ value: Int, at second: Int, host: String = "a") -> String {
        cpu(pid, value, at: second, host: host, is: "cumulative monotonic")
    }

    @Test func aClockThatIsAheadStopsNobody() throws {
        let rig = Rig()
        for round in 1...12 {
            var lines = [
                total(1, min(round, 5) * 100, at: round * 10),
                total(2, round < 6 ? round : round * 1000, at: round * 10),
            ]
            if round == 3 { lines.append(total(9, 1, at: 3600, host: "b")) }
            try rig.send(lines)
            if round == 5 { #expect(rig.leaders == ["1", "9"]) }
        }
        #expect(rig.leaders == ["2", "9"])
    }

    @Test func aSenderWhoseClockIsBehindHasItsScore() throws {
        let rig = Rig()
        for round in 1...4 {
            try rig.send([
                total(1, round, at: 7200 + round * 10), total(2, round * 100, at: round * 10),
            ])
        }
        #expect(rig.leaders == ["2"])
    }

    @Test func deltasCountAsTheyAre() throws {
        let rig = Rig()
        for round in 1...4 {
            try rig.send([
                cpu(1, 1 + round % 2, at: round * 10, is: "delta monotonic"),
                cpu(2, 1000, at: round * 10, is: "delta monotonic"),
            ])
        }
        #expect(rig.leaders == ["2"])
    }

    @Test(arguments: [PointKind.histogram, .exponentialHistogram, .summary])
    func pointsOfSeveralNumbersRankByTheirCounts(_ kind: PointKind) throws {
        let rig = Rig()
        func point(_ pid: Int, _ count: Int, at second: Int) -> String {
            let name = "cpu{resource: host.name=a, process.pid=\(pid)}"
            let rest = "time=\(second)s count=\(count) sum=1.5"
            return switch kind {
            case .histogram: "\(name) histogram cumulative start=1s \(rest) bounds=[1] buckets=[\(count), 0]"
            case .summary: "\(name) summary \(rest) quantiles=[0.5: 1]"
            default:
                "\(name) exponential cumulative start=1s \(rest) scale=0 zero=0 positive=0:[\(count)] negative=0:[]"
            }
        }
        for round in 1...4 {
            try rig.send([point(1, round, at: round * 10), point(2, round * 100, at: round * 10)])
        }
        #expect(rig.leaders == ["2"])
    }

    /// Who is out is so with all its metrics.
    @Test func histogramsChangePlaceWithTheirEntity() throws {
        let sent: [String] = try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(RelabelingPort.input)
            let output = harness.read(RelabelingPort.output)
            let node = try harness.make(TopK.self, Self.config)
            try await harness.run(node) {
                for round in 1...4 {
                    try await world.clock.sleep(for: .seconds(10))
                    let second = round * 10
                    let latencies = (1...2).map { pid in
                        "latency{resource: host.name=a, process.pid=\(pid)} histogram cumulative start=1s "
                            + "time=\(second)s count=\(round) sum=1.5 bounds=[1] buckets=[\(round), 0]"
                    }
                    let lines = [total(1, round, at: second), total(2, round * 100, at: second)] + latencies
                    try await harness.feed(
                        RelabelingPort.input,
                        try PointText.batch(lines.joined(separator: "\n"), harness.context.series)
                    )
                }
            }
            return output.messages.map { PointText.text($0, harness.context.series) }
        }
        let first = try #require(sent.first { $0.contains("latency") })
        #expect(first.contains("latency{resource: host.name=a, process.pid=1}"))
        let last = try #require(sent.last { $0.contains("latency") })
        #expect(last.contains("latency{resource: host.name=a, process.pid=2}"), "\(last)")
        #expect(!last.contains("latency{resource: host.name=a, process.pid=1}"), "\(last)")
    }
}
