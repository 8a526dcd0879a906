import PhoenixModel
import Testing

/// Gauges against an oracle that looks at all live values each time.
@Suite struct GaugePropertyTests {
    private struct Live {
        var output: String
        var number: Feed.Number
        var time: Int64
    }
    /// What a group must show.
    private static func expected(_ live: [Live], _ merge: GaugeMerge) -> Double? {
        guard !live.isEmpty else { return nil }
        let values = live.map { live in
            switch live.number {
            case .int(let value): Double(value)
            case .double(let value): value
            case .ended: 0.0
            }
        }
        // Whole multiples of 2^-10 of moderate size: adding them is exact.
        let sum = values.reduce(0, +)
        switch merge {
        case .sum: return sum
        case .avg: return sum / Double(values.count)
        case .min: return values.min()!
        case .max: return values.max()!
        case .last: return live.indices.max { live[$0].time < live[$1].time }.map { values[$0] }
        }
    }

    private func history(seed: UInt64, _ merge: GaugeMerge) {
        var random = TestRandom(seed: seed)
        var feed = Feed("m", .gauge, .unspecified, merge: merge)
        var live: [String: Live] = [:]
        var groups = 2
        feed.resolve = { "\(Int($0)! % 2)" }
        var exposed: [String: Feed.Shown] = [:]
        func note(_ shown: [Feed.Shown]) {
            for point in shown {
                #expect(point.time >= exposed[point.name]?.time ?? 0, "seed \(seed): time went back")
                exposed[point.name] = point
            }
        }
        for step in 1...Int.random(in: 4...25, using: &random) {
            feed.clock += .random(in: 1...10, using: &random)
            if Int.random(in: 0..<8, using: &random) == 0 {
                groups = .random(in: 1...3, using: &random)
                let count = groups
                note(feed.remap { "\(Int($0)! % count)" })
                for name in live.keys { live[name]!.output = "\(Int(name)! % count)" }
            }
            if Int.random(in: 0..<10, using: &random) == 0 {
                // Longer than anyone lives.
                feed.clock += 700
                live = [:]
                note(feed.lapse())
            }
            var parts = MetricBatch.Parts()
            for name in 0..<6 where Bool.random(using: &random) {
                var number = Feed.Number.int(.random(in: -20...20, using: &random))
                if Bool.random(using: &random) {
                    number = .double(Double(Int.random(in: -9000...9000, using: &random)) / 1024)
                }
                if Int.random(in: 0..<8, using: &random) == 0 { number = .ended }
                let time = Int64(feed.clock)
                parts.numbers.append(
                    feed.id("\(name)"),
                    time: Feed.moment(time),
                    start: 0,
                    bits: number.bits,
                    flags: number.flags
                )
                if case .ended = number {
                    live["\(name)"] = nil
                } else {
                    live["\(name)"] = Live(output: "\(name % groups)", number: number, time: time)
                }
                if Int.random(in: 0..<9, using: &random) == 0 {
                    parts.numbers.append(
                        feed.id("\(name)"),
                        time: Feed.moment(time - 1),
                        start: 0,
                        bits: 77,
                        flags: .isInteger
                    )
                }
            }
            note(feed.shown(feed.apply(parts)))
            for group in 0..<3 {
                let members = live.values.filter { $0.output == "\(group)" }
                let found = exposed["\(group)"].flatMap { point in
                    point.isEnd ? nil : point.integer.map(Double.init) ?? point.double
                }
                let expected = Self.expected(Array(members), merge)
                // Those of one time may stand for each other in `last`.
                if merge == .last, members.count > 1 {
                    let newest = members.map(\.time).max()
                    let allowed = members.filter { $0.time == newest }.map { Self.expected([$0], .sum) }
                    #expect(allowed.contains(found), "seed \(seed), step \(step), group \(group)")
                } else {
                    #expect(found == expected, "seed \(seed), step \(step), group \(group), \(merge)")
                }
            }
        }
    }
    @Test(arguments: GaugeMerge.allCases) func gaugesShowTheirLiveMembers(merge: GaugeMerge) async {
        await Histories.each { seed in history(seed: seed, merge) }
    }
}
