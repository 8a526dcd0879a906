import PhoenixModel
import Testing

/// Counters against an oracle that keeps every series and adds in arbitrary precision.
@Suite struct ReaggregatorCounterTests {
    static let second: UInt64 = 1_000_000_000

    /// One input stream as its sender sees it.
    struct Sender {
        var start: UInt64
        var value: Int64
        var isKnown = false
        var lastSeen: UInt64 = 0
    }

    /// What one history did, and what came out.
    struct Outcome: Equatable {
        var expected: [String: Int64] = [:]
        var emitted: [String: Int64] = [:]
    }

    static func history(seed: UInt64) -> Outcome {
        var random = TestRandom(seed: seed)
        let table = SeriesTable(capacity: 4096)
        let metric = table.metric(
            MetricIdentity(name: "requests", kind: .sum, temporality: .cumulative, isMonotonic: true)
        )
        let began = 1_000_000 * second
        var now = began
        var reaggregator = Reaggregator(table: table, lane: "test", watchingSince: began)
        var senders: [Int: Sender] = [:]
        var outcome = Outcome()
        var last: [SeriesID: Int64] = [:]
        var groups = 3
        func resolve(_ series: Series) -> Destination {
            guard case .int(let pid)? = series.attributes["pid"] else { return .drop(reason: 0) }
            return .output(
                resource: .empty,
                attributes: AttributeSet([Attribute("group", .int(pid % Int64(groups)))])
            )
        }
        func collect(_ batch: MetricBatch?) {
            guard let batch else { return }
            for index in 0..<batch.numbers.count {
                let id = batch.numbers.series[index]
                let value = Int64(bitPattern: batch.numbers.values[index])
                #expect(batch.numbers.flags[index] == (last[id] == nil ? [.isInteger, .isNews] : .isInteger))
                #expect(value >= last[id] ?? 0, "a counter fell")
                outcome.emitted["all", default: 0] += value - (last[id] ?? 0)
                last[id] = value
            }
        }
        for _ in 0..<Int.random(in: 5...40, using: &random) {
            now += UInt64.random(in: 1...20, using: &random) * second
            var parts = MetricBatch.Parts()
            for pid in 0..<12 where Bool.random(using: &random) {
                var sender =
                    senders[pid]
                    ?? Sender(
                        start: Bool.random(using: &random) ? now - second / 2 : began - 5 * second,
                        value: 0
                    )
                var contribution: Int64 = 0
                if sender.isKnown, Int.random(in: 0..<8, using: &random) == 0 {
                    // A restart, with a new start or with none of which it tells.
                    if Bool.random(using: &random) { sender.start = now - 1 }
                    let value = Int64.random(in: 0..<max(1, sender.value), using: &random)
                    guard value < sender.value || sender.start == now - 1 else { continue }
                    sender.value = value
                    contribution = value
                } else {
                    let step = Int64.random(in: 0...1000, using: &random)
                    sender.value += step
                    contribution = sender.isKnown ? step : sender.start > began ? sender.value : 0
                }
                sender.isKnown = true
                sender.lastSeen = now
                senders[pid] = sender
                outcome.expected["all", default: 0] += contribution
                let set = table.intern([Attribute("pid", .int(Int64(pid)))])
                guard let id = table.id(resource: table.intern([]), metric: metric, attributes: set) else {
                    continue
                }
                parts.numbers.append(
                    id,
                    time: now,
                    start: sender.start,
                    bits: UInt64(bitPattern: sender.value),
                    flags: .isInteger
                )
            }
            collect(reaggregator.apply(MetricBatch(parts), now: now, resolve))
            if Int.random(in: 0..<6, using: &random) == 0 {
                groups = Int.random(in: 1...4, using: &random)
                reaggregator.remap(now: now, resolve)
                collect(reaggregator.settle(now: now, epoch: 0))
            }
        }
        return outcome
    }

    @Test func increasesAreExactThroughChurnRestartsAndRemaps() async {
        await Histories.each { seed in
            let outcome = Self.history(seed: seed)
            #expect(
                outcome.expected["all", default: 0] == outcome.emitted["all", default: 0],
                "seed \(seed): \(outcome)"
            )
        }
    }
}

/// A small generator whose numbers follow from the seed alone.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
