import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

@testable import PhoenixNodes

/// Processes that come, live a few seconds, and go, through what a point really passes: the decoder, an intake that renames
/// every series, an endpoint that shows all of them, and one that adds them up by host. A second of the table's clock is a
/// turn of the loop.
///
/// Each value tells whose it is, so that one on a wrong series is found wherever it comes out.
struct ChurnRun: ~Copyable {
    struct Plan: Sendable {
        /// How many series there are in all, and how long the run is.
        var series: Int
        var seconds = 600
        /// How long a process lives; each reports at birth and half way.
        var life = 6
        /// One of so many comes back when everyone has forgotten it.
        var oneReturnsIn = 50
        var bornPerSecond: Int { max(1, series / ChurnBody.seriesPerProcess / seconds) }
    }
    private struct Process {
        var pid: Int64
        var start: UInt64
        var reports: Int64 = 0
    }
    static let began: UInt64 = 1_700_000_000_000_000_000
    static let idleSeconds: UInt32 = 60
    private static let second: UInt64 = 1_000_000_000
    let plan: Plan
    private let table: SeriesTable
    private let decoder: OTLPDecoder
    private let intake: RelabelingMemory<Classify.Config>
    private let reduced: RelabelingMemory<Aggregate.Config>
    private let all: ExpositionStore
    private let few: ExpositionStore
    private var due: [[Process]]
    private var nextPID: Int64 = 1
    /// What the endpoint of sums must show in the end, by metric.
    private var expected: [String: Int64] = [:]
    private(set) var pointsSent = 0
    private(set) var pointsShown = 0
    private(set) var dropped: [String: Int] = [:]
    private(set) var complaints: [String] = []
    private(set) var linesRead = 0
    private(set) var mostSeries = 0
    /// What the kernel counted after each tenth of the time.
    private(set) var resident: [Double] = []
    /// The same after a third of the time, and at the end.
    private(set) var residentEarly = 0.0
    private(set) var residentLate = 0.0
    var retired: UInt64 { table.census.retired }

    init(_ plan: Plan) {
        self.plan = plan
        let table = SeriesTable(idleSeconds: Self.idleSeconds)
        self.table = table
        decoder = OTLPDecoder(table: table, lane: "otlp")
        var (classify, aggregate) = (Classify.Config(), Aggregate.Config())
        classify.set = ["deployment.environment": "soak"]
        aggregate.drop = ["process.pid"]
        func memory<Program: NodeConfig & IdentityProgram & Equatable>(
            _ program: Program,
            _ lane: String
        ) -> RelabelingMemory<Program> {
            RelabelingMemory(Programs(Settings(program)) { $0 }, table, lane: lane, watchingSince: Self.began)
        }
        (intake, reduced) = (memory(classify, "intake"), memory(aggregate, "reduced"))
        var options = ExpositionOptions()
        (options.convertsResource, options.expiration) = (true, .seconds(20))
        (options.addsScopeLabels, options.exposesTargetInfo) = (false, false)
        all = ExpositionStore(options, watchingSince: Self.began)
        few = ExpositionStore(options, watchingSince: Self.began)
        due = Array(repeating: [], count: plan.seconds + 1)
    }

    mutating func run() {
        for second in 1...plan.seconds {
            table.advance(to: UInt32(second))
            tick(second)
            live(second)
            if second % 60 == 0 || second == plan.seconds { read(at: second) }
            if second % 10 == 0 { mostSeries = max(mostSeries, table.census.series) }
            // As an engine does.
            if second % 10 == 9 { FreedMemory.giveBack() }
            if second % (plan.seconds / 10) == 0 { resident.append(ProcessFigures.current.residentBytes ?? 0) }
            if second == plan.seconds / 3 { residentEarly = ProcessFigures.current.residentBytes ?? 0 }
        }
        residentLate = ProcessFigures.current.residentBytes ?? 0
        settle()
    }

    /// Who is born, and who has something to say.
    private mutating func live(_ second: Int) {
        let now = Self.began + UInt64(second) * Self.second
        var speaking = due[second]
        due[second] = []
        for _ in 0..<plan.bornPerSecond {
            speaking.append(Process(pid: nextPID, start: now - 500_000_000))
            nextPID += 1
        }
        var body = ChurnBody()
        for var process in speaking {
            body.append(pid: process.pid, start: process.start, time: now, round: process.reports)
            pointsSent += ChurnBody.seriesPerProcess
            expect(process)
            process.reports += 1
            let isReturning = process.reports == 2 && process.pid % Int64(plan.oneReturnsIn) == 0
            let pause = process.reports == 1 ? plan.life / 2 : isReturning ? 4 * Int(Self.idleSeconds) : 0
            if pause > 0, second + pause <= plan.seconds { due[second + pause].append(process) }
            if body.bytes.count > 200_000 { send(&body, second) }
        }
        send(&body, second)
    }
    /// A counter's first value counts, since it began while we watched; of one that comes back nobody knows what was
    /// counted before.
    private mutating func expect(_ process: Process) {
        for (metric, kind) in ChurnBody.counters {
            let value = ChurnBody.value(process.pid, kind, process.reports)
            switch process.reports {
            case 0: expected[metric, default: 0] += value
            case 1: expected[metric, default: 0] += value - ChurnBody.value(process.pid, kind, 0)
            default: break
            }
        }
    }

    private mutating func send(_ body: inout ChurnBody, _ second: Int) {
        guard !body.bytes.isEmpty else { return }
        let refusals = body.bytes.withUnsafeBytes { bytes in try? decoder.decode(bytes) }
        if refusals == nil || refusals?.total != 0 {
            complaints.append("refused: \(String(describing: refusals))")
        }
        body = ChurnBody()
        guard let batch = decoder.takeBatch(epoch: UInt64(second)) else { return }
        let now = Self.began + UInt64(second) * Self.second
        let result = intake.book(batch, now: now, nil)
        for (reason, count) in result.dropped { dropped["intake \(reason.name)", default: 0] += count }
        while let batch = intake.claim() {
            pointsShown += batch.count
            check(batch)
            all.ingest(batch, table, now: .seconds(second))
            let result = reduced.book(batch, now: now, nil)
            for (reason, count) in result.dropped { dropped["reduced \(reason.name)", default: 0] += count }
            deliver(second)
        }
    }
    private mutating func deliver(_ second: Int) {
        while let batch = reduced.claim() { few.ingest(batch, table, now: .seconds(second)) }
    }
    private mutating func tick(_ second: Int) {
        while !all.expire(now: .seconds(second)) {}
        while !few.expire(now: .seconds(second)) {}
        guard second % 5 == 0 else { return }
        intake.lapse(now: Self.began + UInt64(second) * Self.second)
        reduced.lapse(now: Self.began + UInt64(second) * Self.second)
        deliver(second)
    }

    /// Whose value is it, and on whose series does it stand?
    private mutating func check(_ batch: MetricBatch) {
        for index in batch.numbers.series.indices {
            guard let series = table.series(batch.numbers.series[index]),
                case .int(let pid)? = series.resource["process.pid"]
            else {
                complain("a point of no series")
                continue
            }
            let value = Int64(bitPattern: batch.numbers.values[index])
            if !ChurnBody.isValue(value, of: pid, series.metric.name) {
                complain("\(value) on \(series.metric.name) of \(pid)")
            }
        }
    }
    private mutating func complain(_ text: String) { if complaints.count < 20 { complaints.append(text) } }

    /// Reads what the endpoints show.
    private mutating func read(at second: Int) {
        for line in text(of: all, second) where !line.hasPrefix("#") {
            linesRead += 1
            guard let pid = line.label("process_pid").flatMap({ Int64($0) }), let value = line.value else {
                complain("cannot be read: \(line)")
                continue
            }
            if !ChurnBody.isValue(value, of: pid, String(line.prefix { $0 != "{" })) {
                complain(String(line))
            }
        }
    }
    private func text(of store: ExpositionStore, _ second: Int) -> [Substring] {
        let text = String(decoding: store.scrape(.text, now: .seconds(second)).all(), as: UTF8.self)
        return text.split(separator: "\n")
    }

    /// What was counted at the end, and what must have been.
    private mutating func settle() {
        var shown: [String: Int64] = [:]
        for line in text(of: few, plan.seconds) where !line.hasPrefix("#") {
            shown[String(line.prefix { $0 != "{" }), default: 0] += line.value ?? 0
        }
        for (metric, due) in expected {
            let name = metric.replacing(".", with: "_") + "_total"
            if shown[name] != due { complain("\(name) is \(shown[name] ?? 0), not \(due)") }
        }
        let counts = reduced.takeCounts().now
        let drops = [
            "late": counts.late, "stale": counts.stale, "refused": counts.refused, "invalid": counts.invalid,
            "ends": counts.ends, "resets": counts.resets, "overlaps": counts.overlaps,
        ]
        for (reason, count) in drops where count > 0 {
            dropped["reduced \(reason)", default: 0] += Int(count)
        }
        for (title, store) in [("all", all), ("few", few)] where store.counts.dropped > 0 {
            dropped["\(title) endpoint", default: 0] += Int(store.counts.dropped)
        }
    }
}

extension Substring {
    /// The value of a label in a line of an exposition.
    fileprivate func label(_ name: String) -> Substring? {
        guard let range = firstRange(of: "\(name)=\"") else { return nil }
        return self[range.upperBound...].prefix { $0 != "\"" }
    }
    fileprivate var value: Int64? { split(separator: " ").last.flatMap { Double($0) }.map { Int64($0) } }
}
