import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// What a memory does under other settings: only what they decide is judged anew, and never much of it at once.
@Suite struct SuccessionTests {
    private static let second: UInt64 = 1_000_000_000
    private static let began = PointText.origin

    /// Processes that each send a counter and a gauge, and what their node shows of them.
    private struct Rig<Program: IdentityProgram & Equatable>: ~Copyable {
        let table: SeriesTable
        let memory: RelabelingMemory<Program>
        let prepare: Relabeling<Program>.Preparation?
        var ids: [(counter: SeriesID, gauge: SeriesID)] = []
        var now = SuccessionTests.began
        var value: Int64 = 0
        /// What each output shows.
        var counters: [SeriesID: Int64] = [:]
        var gauges: [SeriesID: Double] = [:]

        init(
            _ table: SeriesTable,
            _ programs: Programs<Program>,
            _ prepare: Relabeling<Program>.Preparation? = nil
        ) {
            (self.table, self.prepare) = (table, prepare)
            memory = RelabelingMemory(programs, table, lane: "node", watchingSince: now)
        }
        mutating func add(_ processes: Int) throws {
            let counter = MetricIdentity(
                name: "process.cpu.time",
                kind: .sum,
                temporality: .cumulative,
                isMonotonic: true
            )
            let gauge = MetricIdentity(
                name: "process.queue",
                kind: .gauge,
                temporality: .unspecified,
                isMonotonic: false
            )
            for process in 0..<processes {
                let resource = table.intern([
                    Attribute("host.name", "host"), Attribute("process.pid", .int(Int64(process))),
                ])
                func id(_ metric: MetricIdentity) -> SeriesID? {
                    table.id(resource: resource, metric: table.metric(metric), attributes: table.intern([]))
                }
                ids.append((try #require(id(counter)), try #require(id(gauge))))
            }
        }
        /// A point of each of these processes: the counters grow by one more than the number of the process.
        mutating func send(_ processes: Range<Int>, at value: Int64) {
            now += SuccessionTests.second
            var parts = MetricBatch.Parts()
            for process in processes {
                let total = value * Int64(process + 1)
                for (id, start) in [
                    (ids[process].counter, SuccessionTests.began + 1), (ids[process].gauge, 0),
                ] {
                    parts.numbers.append(
                        id,
                        time: now,
                        start: start,
                        bits: UInt64(bitPattern: start > 0 ? total : 1),
                        flags: .isInteger
                    )
                }
            }
            _ = memory.book(MetricBatch(parts), now: now, prepare)
        }
        /// Takes what is to be sent; answers of how many points it was.
        mutating func collect() -> Int {
            var count = 0
            while let batch = memory.claim() {
                count += batch.count
                let points = batch.numbers
                for index in points.series.indices {
                    let (id, bits) = (points.series[index], points.values[index])
                    let isInteger = points.flags[index].contains(.isInteger)
                    if table.series(id)?.metric.kind == .sum {
                        counters[id] = Int64(bitPattern: bits)
                    } else {
                        let value = isInteger ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
                        gauges[id] = points.flags[index].contains(.noRecordedValue) ? nil : value
                    }
                }
            }
            return count
        }
        mutating func settle() {
            while memory.isRemapping {
                memory.remap(64, now: now)
                _ = collect()
            }
        }
        var total: Int64 { counters.values.reduce(0, +) }
    }

    @Test func whatDecidesAlikeIsNotJudgedAnew() throws {
        var config = Aggregate.Config()
        config.drop = ["process.pid"]
        var rig = Rig(SeriesTable(capacity: 4096), Programs(Settings(config)) { $0 })
        try rig.add(40)
        rig.send(0..<40, at: 1)
        _ = rig.collect()
        let judgements = rig.memory.plan.judgements
        let shown = rig.gauges.values.first
        #expect(judgements == 40 && shown == 1)

        (config.pipeline, config.expiry, config.aliveWithin) = ("other", .seconds(60), .seconds(50))
        config.gauges = ["process.queue": .sum]
        rig.memory.replace(with: Programs(Settings(config)) { $0 }, now: rig.now)
        let isRemapping = rig.memory.isRemapping
        #expect(!isRemapping)
        // How gauges meet holds for those that are there.
        _ = rig.collect()
        let summed = rig.gauges.values.first
        #expect(summed == 40)
        rig.send(0..<40, at: 2)
        _ = rig.collect()
        let (asked, total) = (rig.memory.plan.judgements, rig.total)
        #expect(asked == judgements && total == 2 * 820)

        config.drop = ["host.name"]
        rig.memory.replace(with: Programs(Settings(config)) { $0 }, now: rig.now)
        let isRemappingNow = rig.memory.isRemapping
        #expect(isRemappingNow)
        rig.settle()
        rig.send(0..<40, at: 3)
        _ = rig.collect()
        let (later, all, outputs) = (rig.memory.plan.judgements, rig.total, rig.counters.count)
        #expect(later > judgements && all == 3 * 820 && outputs == 41)
    }

    @Test func anotherKMovesManyASliceAtATime() throws {
        let processes = 4_000
        let table = SeriesTable(capacity: 1 << 16)
        var config = TopK.Config()
        (config.k, config.margin) = (processes, 0)
        let league = League(config, table, ManualClock())
        var rig = Rig(table, TopKProgram.all(Settings(config), league)) { batch, program in
            program.league.watch(batch, program.config, cuts: program.cuts)
        }
        try rig.add(processes)
        for value in 1...2 {
            for first in stride(from: 0, to: processes, by: 500) {
                rig.send(first..<first + 500, at: Int64(value))
                _ = rig.collect()
            }
        }
        let sum = Int64(processes) * Int64(processes + 1) / 2
        let (outputs, total) = (rig.counters.count, rig.total)
        #expect(outputs == processes && total == 2 * sum)

        config.k = 10
        rig.memory.replace(with: TopKProgram.all(Settings(config), league), now: rig.now)
        let isJudgedAnew = rig.memory.isRemapping
        #expect(!isJudgedAnew)
        // The next batch ranks, and nearly all go out: not with it.
        rig.send(0..<100, at: 3)
        let (sent, isRemapping) = (rig.collect(), rig.memory.isRemapping)
        #expect(sent <= 202 && isRemapping)
        // Who comes while others wait goes where the new ranking says.
        rig.send(100..<600, at: 3)
        _ = rig.collect()
        let (settled, grown) = (rig.counters.count, rig.total)
        #expect(settled == processes + 1)
        #expect(grown == 2 * sum + 600 * 601 / 2)
        rig.settle()
        for first in stride(from: 600, to: processes, by: 500) {
            rig.send(first..<min(first + 500, processes), at: 3)
            _ = rig.collect()
        }
        let (all, alive, others) = (rig.total, rig.gauges.count, rig.gauges.values.max())
        #expect(all == 3 * sum)
        // A queue is not added up by itself, and those who are out have one between them.
        #expect(alive == 11 && others == 1)
    }

    @Test func whatOnlyLimitsDecidesAlike() {
        let table = SeriesTable(capacity: 64)
        var (first, second) = (TopK.Config(), TopK.Config())
        let league = League(first, table, ManualClock())
        (second.k, second.every, second.margin, second.pipeline) = (3, .seconds(1), 1, "other")
        #expect(TopKProgram(second, league).decides(as: TopKProgram(first, league)))
        let stranger = League(first, table, ManualClock())
        #expect(!TopKProgram(second, stranger).decides(as: TopKProgram(first, league)))
        second.keep = ["host.name"]
        #expect(!TopKProgram(second, league).decides(as: TopKProgram(first, league)))

        var (open, closed) = (Limit.Config(), Limit.Config())
        (open.total, closed.total, closed.expiry) = (10, 3, .seconds(5))
        let book = LimitBook(open, table)
        #expect(LimitProgram(closed, book).decides(as: LimitProgram(open, book)))
        closed.observeOnly = true
        #expect(!LimitProgram(closed, book).decides(as: LimitProgram(open, book)))

        var rollout = Rollout.Config()
        let program = RolloutProgram(rollout)
        rollout.expiry = .seconds(5)
        #expect(RolloutProgram(rollout).decides(as: program))
        #expect(!RolloutProgram(rollout, share: 0.5).decides(as: program))
    }
}
