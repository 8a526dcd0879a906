import PhoenixGraph
import PhoenixModel
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

@Suite struct IdentityPlanTests {
    /// Drops `drop` and the whole of metrics named `unwanted`.
    private struct Program: IdentityProgram {
        var drop: [AttributeTarget] = []
        var asksMetric = false
        var merging: Merging { drop.isEmpty ? .never : .byAccident }
        func judge(_ subject: inout Subject) -> Verdict {
            if asksMetric, subject.metric.name == "unwanted" { return .drop(.excluded) }
            for target in drop { subject.remove(target) }
            return .pass
        }
    }
    private let table = SeriesTable()

    @Test func aBatchWhosePointsAllPassIsTheSameBatch() throws {
        var plan = IdentityPlan(Program(), table, lane: "node")
        let batch = try PointText.batch("a{resource: h=1} gauge 1\na{resource: h=2} gauge 2", table)
        let result = plan.apply(batch)
        #expect(result.passed?.numbers.series == batch.numbers.series)
        #expect(result.dropped.isEmpty && result.aside == nil)
    }

    @Test func everyKindOfPointIsRenamedAndCompacted() throws {
        var plan = IdentityPlan(Program(drop: ["pid"], asksMetric: true), table, lane: "node")
        let text = """
            b{resource: h=1, pid=7; x=y} histogram delta start=0s time=1s count=3 sum=4.5 bounds=[1.0, 2.0] buckets=[1, 1, 1] min=0.5 max=3.0
            unwanted{resource: h=1, pid=7} summary time=1s count=1 sum=1.0 quantiles=[0.5: 9.0]
            c{resource: h=1, pid=7} summary time=1s count=3 sum=4.5 quantiles=[0.5: 1.0, 0.99: 2.0]
            d{resource: h=1, pid=7} exponential delta start=0s time=1s count=3 sum=9.0 scale=2 zero=1 positive=-1:[1, 1] negative=0:[]
            unwanted{resource: h=1, pid=7} gauge time=1s 3
            e{resource: h=1, pid=7} gauge time=1s 3
            unwanted{resource: h=1, pid=7} histogram delta start=0s time=1s count=1 bounds=[] buckets=[1]
            unwanted{resource: h=1, pid=7} exponential delta start=0s time=1s count=1 scale=0 zero=1 positive=0:[] negative=0:[]
            """
        let batch = try PointText.batch(text, table)
        for _ in 0..<2 {
            let result = plan.apply(batch)
            let expected = """
                b{resource: h=1; x=y} histogram delta start=0s time=1s count=3 sum=4.5 bounds=[1.0, 2.0] buckets=[1, 1, 1] min=0.5 max=3.0
                c{resource: h=1} summary time=1s count=3 sum=4.5 quantiles=[0.5: 1.0, 0.99: 2.0]
                d{resource: h=1} exponential delta start=0s time=1s count=3 sum=9.0 scale=2 zero=1 positive=-1:[1, 1] negative=0:[]
                e{resource: h=1} gauge time=1s 3
                """
            #expect(PointText.text(try #require(result.passed), table) == expected)
            #expect(result.dropped == [.excluded: 4])
            #expect(result.passed?.epoch == batch.epoch)
        }
    }

    @Test func theMetricsOfOneResourceAreJudgedTogether() throws {
        var plan = IdentityPlan(Program(drop: ["resource:pid"]), table, lane: "node")
        let lines = (0..<6).map { "m\($0){resource: h=1, pid=7} gauge 1" }
        let batch = try PointText.batch(lines.joined(separator: "\n"), table)
        #expect(plan.apply(batch).passed?.count == 6)
        #expect(plan.judgements == 1)
    }

    @Test func theSeriesOfOneMetricAreJudgedTogetherWhereNothingElseIsAsked() throws {
        var plan = IdentityPlan(Program(asksMetric: true), table, lane: "node")
        let lines = (0..<5).flatMap {
            ["a{resource: h=\($0)} gauge 1", "unwanted{resource: h=\($0)} gauge 1"]
        }
        let result = plan.apply(try PointText.batch(lines.joined(separator: "\n"), table))
        #expect(result.passed?.count == 5 && result.dropped == [.excluded: 5])
        #expect(plan.judgements == 2)
    }

    @Test func aMetricWhoseResourcesAreAskedIsJudgedForEach() throws {
        var plan = IdentityPlan(Program(drop: ["resource:pid"], asksMetric: true), table, lane: "node")
        let lines = (0..<3).flatMap {
            ["a{resource: h=\($0), pid=1} gauge 1", "unwanted{resource: h=\($0), pid=1} gauge 1"]
        }
        let result = plan.apply(try PointText.batch(lines.joined(separator: "\n"), table))
        let expected = (0..<3).map { "a{resource: h=\($0)} gauge 1" }.joined(separator: "\n")
        let told = PointText.text(try PointText.batch(expected, table), table)
        #expect(PointText.text(try #require(result.passed), table) == told)
        #expect(result.dropped == [.excluded: 3])
        // Thrice for `a`, once for all that is unwanted.
        #expect(plan.judgements == 4)
    }

    @Test func twoLivingSeriesOnOneOutputGoAsideFromThenOn() throws {
        var plan = IdentityPlan(Program(drop: ["pid"]), table, lane: "node")
        let first = try PointText.batch("a{resource: h=1, pid=1} gauge 1", table)
        #expect(plan.apply(first).passed?.count == 1)
        let second = try PointText.batch("a{resource: h=1, pid=2} gauge 1", table)
        #expect(plan.apply(second).aside?.numbers.series == second.numbers.series)
        #expect(plan.apply(first).aside?.numbers.series == first.numbers.series)
        #expect(plan.collisions == 2)
        #expect(plan.output(of: first.numbers.series[0]) == plan.output(of: second.numbers.series[0]))
    }

    @Test func aRetiredSeriesLeavesItsOutputToTheNext() throws {
        let table = SeriesTable(idleSeconds: 10)
        var plan = IdentityPlan(Program(drop: ["pid"]), table, lane: "node")
        #expect(plan.apply(try PointText.batch("a{resource: h=1, pid=1} gauge 1", table)).passed?.count == 1)
        for tick in UInt32(2)...120 { table.advance(to: tick) }
        let heir = try PointText.batch("a{resource: h=1, pid=2} gauge 1", table)
        #expect(plan.apply(heir).passed?.count == 1)
        #expect(plan.collisions == 0)
    }

    @Test func outputsStayAliveWhileInputsCome() throws {
        let table = SeriesTable(idleSeconds: 20)
        var plan = IdentityPlan(Program(drop: ["pid"]), table, lane: "node")
        let batch = try PointText.batch("a{resource: h=1, pid=1} gauge 1", table)
        let output = try #require(plan.apply(batch).passed?.numbers.series[0])
        for tick in UInt32(2)...300 {
            table.touch(batch.numbers.series[0])
            table.advance(to: tick)
            #expect(plan.apply(batch).passed?.numbers.series == [output])
        }
        #expect(table.isCurrent(output))
        #expect(plan.judgements == 1)
    }

    @Test func aStaleIdIsDroppedWithItsReason() throws {
        let table = SeriesTable(idleSeconds: 10)
        var plan = IdentityPlan(Program(), table, lane: "node")
        let batch = try PointText.batch("a{resource: h=1, pid=1} gauge 1", table)
        for tick in UInt32(2)...200 { table.advance(to: tick) }
        #expect(plan.apply(batch).dropped == [.staleSeries: 1])
    }

    @Test func exemplarsFollowTheirPoints() throws {
        var plan = IdentityPlan(Program(drop: ["pid"], asksMetric: true), table, lane: "node")
        let text = "a{resource: h=1, pid=1} sum cumulative monotonic 1\nunwanted{resource: h=1} gauge 1"
        var parts = try PointText.batch(text, table).parts
        parts.exemplars = parts.numbers.series.map {
            Exemplar(
                series: $0,
                timeUnixNano: 1,
                bits: 2,
                flags: [],
                traceID: [],
                spanID: [],
                filteredAttributes: .empty
            )
        }
        let result = plan.apply(MetricBatch(parts))
        let passed = try #require(result.passed)
        #expect(passed.exemplars.map(\.series) == passed.numbers.series)
        #expect(result.droppedExemplars == 1)
    }
}
