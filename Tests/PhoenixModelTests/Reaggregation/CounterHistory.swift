import PhoenixModel

/// A random history of counters, the same to a reaggregator, to one behind it, and to the oracle.
struct CounterHistory: ~Copyable {
    enum Numbers: Sendable { case integers, doubles, mixed }
    private struct Sender {
        var start: UInt64
        var value: Double = 0
        /// How far its clock is ahead of ours, or behind it.
        var skew: Int64
        var last: CounterOracle.Point?
    }
    static let second: UInt64 = 1_000_000_000
    private let numbers: Numbers
    private let clocks: Clocks
    private var random: TestRandom
    private let table = SeriesTable(capacity: 2048)
    private let metric: Metric
    private let began: UInt64 = 1_000_000 * second
    private var now: UInt64
    private var first: Reaggregator
    private var second: Reaggregator
    private(set) var oracle: CounterOracle
    private(set) var ledger = EmissionLedger()
    /// Of the reaggregator behind the first.
    private(set) var chained = EmissionLedger()
    private var senders: [Int: Sender] = [:]
    private var ids = SenderIDs(count: 8)
    private var groups = Groups()
    /// The places of what came out.
    private var places: [SeriesID: Int] = [:]
    var counts: ReaggregatorCounts { first.counts }
    /// Whether the reaggregator behind the first forgot an input: one that then comes back counts from its first value
    /// on, so that what it grew by meanwhile is a gap there.
    var chainForgot: Bool { second.horizon > began }

    init(seed: UInt64, _ numbers: Numbers, clocks: Clocks) {
        (random, self.numbers, self.clocks) = (TestRandom(seed: seed), numbers, clocks)
        metric = table.metric(
            MetricIdentity(name: "requests", kind: .sum, temporality: .cumulative, isMonotonic: true)
        )
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = 120
        now = began
        first = Reaggregator(table: table, lane: "first", options: options, watchingSince: began)
        second = Reaggregator(table: table, lane: "second", options: options, watchingSince: began)
        oracle = CounterOracle(watchingSince: began, memorySeconds: 120)
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps {
            let isIdle = chance(12)
            now += isIdle ? Self.second * .random(in: 60...400, using: &random) : step()
            switch Int.random(in: 0..<10, using: &random) {
            case 0: remap()
            case 1: lapse()
            default: send()
            }
        }
    }
    private mutating func step() -> UInt64 { .random(in: 1...20 * Self.second, using: &random) }
    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    private mutating func remap() {
        groups.change(&random)
        let groups = groups
        oracle.remap { groups.place($0) }
        first.remap(now: now) { groups.destination(of: $0) }
        pass(first.settle(now: now, epoch: 0))
    }
    private mutating func lapse() {
        oracle.sweep(now: now)
        pass(first.lapse(now: now, epoch: 0))
        collect(second.lapse(now: now, epoch: 0), isChained: true)
    }
    private mutating func send() {
        var parts = MetricBatch.Parts()
        var points: [CounterOracle.Point] = []
        for pid in 0..<8 where Bool.random(using: &random) {
            let point = next(pid)
            if chance(10), let last = senders[pid]?.last { points.append(last) }
            points.append(point)
            // Late, or twice, or amended.
            if chance(10) { points.append(point) }
            if chance(12), var earlier = senders[pid]?.last {
                earlier.time -= .random(in: 0...3 * Self.second, using: &random)
                points.append(earlier)
            }
            senders[pid]!.last = point
        }
        oracle.beginBatch(now: now)
        let groups = groups
        for point in points {
            oracle.apply(point, now: now) { groups.place($0) }
            let id = ids.id(point.name, metric, table)
            let value = Double(point.value) / 0x1p40
            parts.numbers.append(
                id,
                time: point.time,
                start: point.start,
                bits: point.isDouble ? value.bitPattern : UInt64(bitPattern: Int64(value)),
                flags: point.isDouble ? [] : .isInteger
            )
        }
        pass(first.apply(MetricBatch(parts), now: now) { groups.destination(of: $0) })
    }

    /// What a sender says next.
    private mutating func next(_ pid: Int) -> CounterOracle.Point {
        let isNew = senders[pid] == nil
        var sender = senders[pid] ?? Sender(start: 0, skew: clocks.lead(&random))
        let time = max(UInt64(Int64(now) + sender.skew), (sender.last?.time ?? 0) + 1)
        if isNew || chance(8) {
            // It begins, or begins anew: with a start of its own, with none, or with one that says nothing.
            let watch = UInt64(Int64(began) + sender.skew)
            let since = sender.last?.time ?? watch
            switch Int.random(in: 0..<6, using: &random) {
            case 0: sender.start = 0
            case 1: sender.start = time
            case 2 where isNew: sender.start = watch - 5 * Self.second
            default: sender.start = since + (time - since) / 2
            }
            sender.value = amount()
        } else {
            sender.value += amount()
            // Jitter: never so far back that it would be another writer's.
            if sender.start > Self.second, chance(6), sender.start + 1000 < (sender.last?.time ?? 0) {
                sender.start += .random(in: 0...1000, using: &random)
            }
        }
        senders[pid] = sender
        let isDouble =
            switch numbers {
            case .integers: false
            case .doubles: true
            case .mixed: sender.value != sender.value.rounded() || chance(3)
            }
        return CounterOracle.Point(
            name: pid,
            time: time,
            start: sender.start,
            value: EmissionLedger.units(sender.value),
            isDouble: isDouble
        )
    }
    /// Whole multiples of 2^-40 whose sums stay so, as doubles too.
    private mutating func amount() -> Double {
        switch numbers {
        case .integers: Double(Int.random(in: 0...1_000_000, using: &random))
        case .doubles: Double(Int.random(in: 0...(1 << 50), using: &random)) * 0x1p-40 * (chance(9) ? 8 : 1)
        case .mixed: Double(Int.random(in: 0...1000, using: &random)) * (chance(2) ? 1 : 0.125)
        }
    }

    private mutating func pass(_ batch: MetricBatch?) {
        collect(batch, isChained: false)
        guard let batch else { return }
        collect(
            second.apply(batch, now: now) { .output(resource: $0.resource, attributes: $0.attributes) },
            isChained: true
        )
    }
    private mutating func collect(_ batch: MetricBatch?, isChained: Bool) {
        guard let points = batch?.numbers else { return }
        for index in 0..<points.count {
            let id = points.series[index]
            guard let name = places[id] ?? Groups.place(of: table.series(id)) else { continue }
            places[id] = name
            let value: Int128 =
                points.flags[index].contains(.isInteger)
                ? Int128(Int64(bitPattern: points.values[index])) << 40
                : EmissionLedger.units(Double(bitPattern: points.values[index]))
            if isChained {
                chained.note(name, time: points.times[index], start: points.starts[index], value: value)
            } else {
                ledger.note(name, time: points.times[index], start: points.starts[index], value: value)
            }
        }
    }
}
