import PhoenixModel
import Testing

@testable import PhoenixWire

/// Whatever series that share a label set say, and however they come and go, they show what the rules say.
@Suite struct CollisionPropertyTests {
    private enum Subject: String, CaseIterable {
        case fallingSum = "queue.length"
        case amount = "process.memory.usage"
        case share = "system.cpu.utilization"
        case other = "temperature"
        case counter = "requests"
        case summary = "wait"
        case histogram = "latency"

        var rule: CollisionOracle.Rule {
            switch self {
            case .fallingSum, .amount: .sum
            case .share: .mean
            case .other: .newest
            case .counter, .summary, .histogram: .increments
            }
        }
        var kind: PointKind {
            switch self {
            case .fallingSum, .counter: .sum
            case .amount, .share, .other: .gauge
            case .summary: .summary
            case .histogram: .histogram
            }
        }
    }
    private static let hosts = 5
    private static func bounds(_ host: Int) -> [Double] {
        [[1, 2, 4], [1, 4], [1, 2, 3, 4], [2, 4], [8]][host]
    }

    /// One that sends, from its birth to its end.
    private struct Process {
        var start: UInt64
        var buckets: [UInt64]
        var eighths = 0
        var count: UInt64 { buckets.reduce(0, +) }
        var sum: Double { Double(eighths) / 8 }

        init(_ host: Int, start: UInt64) {
            (self.start, buckets) = (start, CollisionPropertyTests.bounds(host).map { _ in 0 } + [0])
        }
        mutating func work(_ random: inout ExpositionPropertyTests.Generator) {
            for bucket in buckets.indices { buckets[bucket] += UInt64.random(in: 0..<5, using: &random) }
            eighths += Int.random(in: 0..<99, using: &random)
        }
        func amount(_ subject: Subject, _ host: Int, level: Int) -> [String: Double] {
            // Every other host sends doubles.
            let divisor = host % 2 == 0 ? 1.0 : 8
            switch subject {
            case .fallingSum, .amount, .share, .other: return ["": Double(level) / divisor]
            case .counter: return ["": Double(count) / divisor]
            case .summary: return ["count": Double(count), "sum": sum]
            case .histogram:
                var amount = ["count": Double(count), "sum": sum, "+Inf": Double(count)]
                for (index, bound) in CollisionPropertyTests.bounds(host).enumerated() {
                    amount[String(Int(bound))] = Double(buckets[...index].reduce(0, +))
                }
                return amount
            }
        }
    }

    @Test(arguments: 0..<16 as Range<UInt64>) func whatIsSharedFollowsTheRules(seed: UInt64) throws {
        var random = ExpositionPropertyTests.Generator(state: seed)
        var fixture = ExpositionFixture(watchingSince: 100) { options in
            options.addsScopeLabels = false
            options.expiration = .seconds(20)
        }
        var oracles = Dictionary(
            uniqueKeysWithValues: Subject.allCases.map { ($0, CollisionOracle($0.rule)) }
        )
        var processes: [Subject: [Int: Process]] = [:]
        var (clock, seconds) = (1000 as UInt64, 0)
        for step in 0..<600 {
            clock += 2
            let subject = Subject.allCases.randomElement(using: &random)!
            let host = Int.random(in: 0..<Self.hosts, using: &random)
            let id = fixture.series(
                subject.rawValue,
                kind: subject.kind,
                monotonic: subject == .counter,
                resource: [Attribute("host.name", .int(Int64(host)))]
            )
            switch Int.random(in: 0..<20, using: &random) {
            case 0, 1:
                fixture.end(id, at: clock)
                oracles[subject]!.end(host, at: clock)
            case 2:
                // An end that is older than what was said.
                fixture.end(id, at: 900)
                oracles[subject]!.end(host, at: 900)
            case 3:
                seconds += Int.random(in: 1...12, using: &random)
                fixture.now = .seconds(seconds)
                for subject in Subject.allCases { oracles[subject]!.expire(seenBefore: seconds - 20) }
                let limit = Int.random(in: 1...5, using: &random)
                while !fixture.store.expire(now: fixture.now, limit: limit) {}
            default:
                let isNew = oracles[subject]!.inputs[host] == nil
                let isWatched = Bool.random(using: &random)
                var process = processes[subject]?[host] ?? Process(host, start: 1)
                if isNew || Int.random(in: 0..<8, using: &random) == 0 {
                    process = Process(host, start: isWatched || !isNew ? clock + 1 : 1)
                }
                process.work(&random)
                let time = !isNew && Int.random(in: 0..<8, using: &random) == 0 ? 900 : clock + 2
                let amount = process.amount(subject, host, level: .random(in: -99...99, using: &random))
                if time > 900 { processes[subject, default: [:]][host] = process }
                Self.send(process, amount, subject, host, id, time, to: fixture)
                oracles[subject]!.put(
                    host,
                    .init(amount: amount, time: time, start: process.start, seen: seconds),
                    median: Double(host),
                    isWatched: isWatched
                )
            }
            let read = try fixture.read(.text)
            for subject in Subject.allCases {
                let shown = Self.shown(subject, read)
                #expect(shown == oracles[subject]!.shown, "\(subject) at step \(step) of seed \(seed)")
            }
            #expect(read.value("wait", ["quantile": "0.5"]) == oracles[.summary]!.median)
        }
        #expect(fixture.store.counts[.layoutMismatch] == 0)
    }
    private static func send(
        _ process: Process,
        _ amount: [String: Double],
        _ subject: Subject,
        _ host: Int,
        _ id: SeriesID,
        _ time: UInt64,
        to fixture: ExpositionFixture
    ) {
        switch subject {
        case .fallingSum, .amount, .share, .other, .counter:
            let value = amount["", default: 0]
            let number = host % 2 == 0 ? Number(Int64(value)) : Number(value)
            fixture.put([(id, number)], at: time, start: process.start)
        case .summary:
            fixture.put(
                summary: id,
                count: process.count,
                sum: process.sum,
                [(0.5, Double(host))],
                at: time,
                start: process.start
            )
        case .histogram:
            fixture.put(
                histogram: id,
                process.buckets,
                bounds: bounds(host),
                sum: process.sum,
                at: time,
                start: process.start
            )
        }
    }
    private static func shown(_ subject: Subject, _ read: ExpositionReader) -> [String: Double] {
        var shown: [String: Double] = [:]
        let name = subject.rawValue.replacing(".", with: "_")
        switch subject {
        case .fallingSum, .amount, .share, .other: shown[""] = read.value(name)
        case .counter: shown[""] = read.value(name + "_total")
        case .summary, .histogram:
            for part in ["count", "sum"] { shown[part] = read.value(name + "_" + part) }
            for sample in read[name]?.samples ?? [] {
                if let bound = sample.labels["le"] { shown[bound] = sample.value }
            }
        }
        return shown
    }
}
