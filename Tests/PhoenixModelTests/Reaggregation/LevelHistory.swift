import PhoenixModel

/// A random history of sums that may fall, the same to a reaggregator, to one behind it, and to the oracle.
struct LevelHistory: ~Copyable {
    private struct Sender {
        /// How often it tells; how far its clock is ahead of ours, or behind it.
        var rhythm: UInt64
        var skew: Int64
        var start: UInt64
        var due: UInt64
        var last: LevelOracle.Point?
    }
    private static let second: UInt64 = 1_000_000_000
    private var random: TestRandom
    private let table = SeriesTable(capacity: 2048)
    private let metric: Metric
    private var now = 1_000_000 * second
    private var first: Reaggregator
    private var behind: Reaggregator
    private var oracle = LevelOracle(memorySeconds: 600)
    private var senders: [Int: Sender] = [:]
    private var ids = SenderIDs(count: 8)
    private var groups = Groups()
    private var shown = LevelLedger()
    private var chained = LevelLedger()
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        random = TestRandom(seed: seed)
        metric = table.metric(
            MetricIdentity(name: "open", kind: .sum, temporality: .cumulative, isMonotonic: false)
        )
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = 600
        first = Reaggregator(table: table, lane: "first", options: options, watchingSince: now)
        behind = Reaggregator(table: table, lane: "behind", options: options, watchingSince: now)
    }
    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    mutating func run(steps: Int) {
        for step in 0..<steps {
            now += .random(in: 1...8 * Self.second, using: &random)
            if chance(15) { now += Self.second * .random(in: 20...800, using: &random) }
            oracle.lapse(now: now)
            pass(first.lapse(now: now, epoch: 0))
            compare("lapse \(step)")
            if chance(8) {
                remap()
                compare("remap \(step)")
            }
            send()
            compare("step \(step)")
        }
        complaints += shown.complaints + chained.complaints
        if first.counts.late != oracle.late {
            complaints.append("\(first.counts.late) late for \(oracle.late)")
        }
    }
    private mutating func remap() {
        groups.change(&random)
        let groups = groups
        oracle.remap { groups.place($0) }
        first.remap(now: now) { groups.destination(of: $0) }
        pass(first.settle(now: now, epoch: 0))
    }

    private mutating func send() {
        var (parts, points) = (MetricBatch.Parts(), [LevelOracle.Point]())
        for name in 0..<8 {
            var sender = senders[name] ?? newSender()
            if now >= sender.due {
                let before = sender.last
                let point = next(name, &sender)
                points.append(point)
                if chance(9) { points.append(point) }
                if chance(9) { points.append(amended(point)) }
                if chance(9), let before { points.append(before) }
                sender.last = points.last { $0.name == name && $0.time == point.time }
                // Now and then it says nothing for long.
                sender.due = now + (chance(12) ? .random(in: 0...20, using: &random) : 1) * sender.rhythm
            }
            senders[name] = sender
        }
        let groups = groups
        for point in points {
            oracle.apply(point, now: now) { groups.place($0) }
            let id = ids.id(point.name, metric, table)
            let units = point.units ?? 0
            parts.numbers.append(
                id,
                time: point.time,
                start: senders[point.name]!.start,
                bits: point.isDouble
                    ? (Double(units) / 1024).bitPattern : UInt64(bitPattern: Int64(units / 1024)),
                flags: point.units == nil ? .noRecordedValue : point.isDouble ? [] : .isInteger
            )
        }
        pass(first.apply(MetricBatch(parts), now: now) { groups.destination(of: $0) })
    }
    private mutating func newSender() -> Sender {
        let skews: [Int64] = [0, 0, 0, 2_000_000_000, 3600_000_000_000, -2_000_000_000, -3600_000_000_000]
        return Sender(
            rhythm: .random(in: Self.second...40 * Self.second, using: &random),
            skew: skews.randomElement(using: &random)!,
            start: now,
            due: now
        )
    }
    private mutating func next(_ name: Int, _ sender: inout Sender) -> LevelOracle.Point {
        if chance(8) { sender.start = now }
        let time = UInt64(Int64(now) + sender.skew)
        var point = LevelOracle.Point(
            name: name,
            time: max(time, (sender.last?.time ?? 0) + 1),
            units: nil,
            isDouble: name % 3 == 0 && chance(2)
        )
        if !chance(10) { point.units = units(point.isDouble) }
        return point
    }
    private mutating func amended(_ point: LevelOracle.Point) -> LevelOracle.Point {
        var point = point
        if point.units != nil { point.units = units(point.isDouble) }
        return point
    }
    /// Few different ones, so that the same comes again, and some that doubles cannot tell apart.
    private mutating func units(_ isDouble: Bool) -> Int128 {
        if isDouble { return Int128(Int64.random(in: -4000...4000, using: &random)) }
        let wide = Int64.random(in: -(1 << 58)...1 << 58, using: &random)
        return Int128(chance(2) ? wide : .random(in: -2...2, using: &random)) * 1024
    }

    // MARK: What comes out

    private mutating func pass(_ batch: MetricBatch?) {
        guard let batch else { return }
        shown.note(batch, table)
        let passed = behind.apply(batch, now: now) {
            .output(resource: $0.resource, attributes: $0.attributes)
        }
        if let passed { chained.note(passed, table) }
        if let moved = behind.settle(now: now, epoch: 0) { chained.note(moved, table) }
    }
    private mutating func compare(_ moment: String) {
        let levels = oracle.levels
        for name in Set(levels.keys).union(shown.levels.keys) {
            let expected = levels[name]
            for (title, found) in [
                ("first", shown.levels[name] ?? nil), ("chained", chained.levels[name] ?? nil),
            ] {
                if !Self.isEqual(found, expected) {
                    let (found, expected) = (String(describing: found), String(describing: expected))
                    complaints.append(
                        "\(moment), \(title), \(Groups.name(of: name)): \(found) for \(expected)"
                    )
                }
            }
        }
    }
    /// To the last one for integers, within 2 ulp of what was added for doubles.
    private static func isEqual(_ found: LevelOracle.Level?, _ expected: LevelOracle.Level?) -> Bool {
        guard let found, let expected else { return found == nil && expected == nil }
        if found.isInteger || expected.isInteger {
            return found.isInteger && expected.isInteger && found.units == expected.units
        }
        let allowed = Int128(2 * (Double(expected.magnitude) / 1024).ulp * 1024)
        let difference = found.units - expected.units
        return (difference < 0 ? -difference : difference) <= allowed
    }
}

/// What each group shows last; nil where that was its end.
struct LevelLedger {
    private(set) var levels: [Int: LevelOracle.Level?] = [:]
    private(set) var complaints: [String] = []
    private var places: [SeriesID: Int] = [:]
    private var times: [Int: UInt64] = [:]

    mutating func note(_ batch: MetricBatch, _ table: SeriesTable) {
        let points = batch.numbers
        for index in 0..<points.count {
            let id = points.series[index]
            guard let name = places[id] ?? Groups.place(of: table.series(id)) else {
                complaints.append("a point of no group")
                continue
            }
            places[id] = name
            let (bits, flags, time) = (points.values[index], points.flags[index], points.times[index])
            if time < times[name] ?? 0 { complaints.append("\(name) went back in time") }
            times[name] = time
            if flags.contains(.noRecordedValue) {
                levels[name] = .some(nil)
            } else if flags.contains(.isInteger) {
                levels[name] = LevelOracle.Level(units: Int128(Int64(bitPattern: bits)) * 1024)
            } else {
                let units = Int128((Double(bitPattern: bits) * 1024).rounded())
                levels[name] = LevelOracle.Level(units: units, isInteger: false)
            }
        }
    }
}
