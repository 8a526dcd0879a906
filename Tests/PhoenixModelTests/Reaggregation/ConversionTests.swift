import PhoenixModel
import Testing

/// Sums and histograms that change their temporality: against slow oracles, and there and back again.
@Suite struct ConversionTests {
    static let second: UInt64 = 1_000_000_000
    private static func other(_ series: Series) -> Destination {
        var identity = series.metric.identity
        identity.temporality = identity.temporality == .delta ? .cumulative : .delta
        return .output(metric: identity, resource: series.resource, attributes: series.attributes)
    }

    /// A point of any kind that stands for `value` things counted.
    private static func append(
        _ id: SeriesID,
        _ kind: PointKind,
        _ window: (start: UInt64, time: UInt64),
        _ value: UInt64,
        to parts: inout MetricBatch.Parts
    ) {
        let layout = BucketLayout(bounds: [1])
        switch kind {
        case .histogram:
            parts.histograms.series.append(id)
            parts.histograms.times.append(window.time)
            parts.histograms.starts.append(window.start)
            parts.histograms.flags.append(.hasSum)
            parts.histograms.counts.append(value)
            parts.histograms.sums.append(Double(value))
            parts.histograms.minima.append(0)
            parts.histograms.maxima.append(0)
            parts.histograms.layouts.append(layout)
            parts.histograms.offsets.append(parts.histograms.buckets.count)
            parts.histograms.buckets += [value / 3, value - value / 3]
        case .exponentialHistogram:
            parts.exponentials.series.append(id)
            parts.exponentials.times.append(window.time)
            parts.exponentials.starts.append(window.start)
            parts.exponentials.flags.append(.hasSum)
            parts.exponentials.counts.append(value)
            parts.exponentials.sums.append(Double(value))
            parts.exponentials.minima.append(0)
            parts.exponentials.maxima.append(0)
            parts.exponentials.scales.append(2)
            parts.exponentials.zeroCounts.append(value / 3)
            parts.exponentials.zeroThresholds.append(0)
            parts.exponentials.positives.append(
                .init(offset: 4, start: parts.exponentials.buckets.count, count: 1)
            )
            parts.exponentials.negatives.append(.init())
            parts.exponentials.buckets.append(value - value / 3)
        default:
            parts.numbers.append(id, time: window.time, start: window.start, bits: value, flags: .isInteger)
        }
    }
    /// A point that came out, whatever its kind.
    private struct Shown: Hashable {
        var start: UInt64
        var time: UInt64
        var value: UInt64
    }
    private static func shown(_ batch: MetricBatch?) -> [(id: SeriesID, point: Shown)] {
        guard let batch else { return [] }
        let (numbers, histograms, exponentials) = (batch.numbers, batch.histograms, batch.exponentials)
        var points = numbers.series.indices.map { index in
            (
                numbers.series[index],
                Shown(start: numbers.starts[index], time: numbers.times[index], value: numbers.values[index])
            )
        }
        for index in histograms.series.indices {
            let (count, offset) = (histograms.counts[index], histograms.offsets[index])
            #expect(histograms.buckets[offset] + histograms.buckets[offset + 1] == count)
            #expect(histograms.sums[index] == Double(count))
            points.append(
                (
                    histograms.series[index],
                    Shown(start: histograms.starts[index], time: histograms.times[index], value: count)
                )
            )
        }
        for index in exponentials.series.indices {
            let (count, side) = (exponentials.counts[index], exponentials.positives[index])
            let buckets = side.count > 0 ? exponentials.buckets[side.start] : 0
            #expect(exponentials.zeroCounts[index] + buckets == count)
            #expect(exponentials.sums[index] == Double(count))
            points.append(
                (
                    exponentials.series[index],
                    Shown(start: exponentials.starts[index], time: exponentials.times[index], value: count)
                )
            )
        }
        return points
    }

    private static let kinds: [PointKind] = [.sum, .histogram, .exponentialHistogram]

    /// Random windows: with gaps, some sent twice, some after the next one. Totals come to what was sent, never fall, and
    /// the way back gives the same windows.
    @Test(arguments: kinds) func windowsMakeTotalsAndTotalsWindows(_ kind: PointKind) async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            let (table, began) = (SeriesTable(capacity: 2048), 1_000_000 * Self.second)
            var now = began
            var forth = Reaggregator(table: table, lane: "forth", watchingSince: now)
            var back = Reaggregator(table: table, lane: "back", watchingSince: now)
            let metric = table.metric(
                MetricIdentity(name: "m", kind: kind, temporality: .delta, isMonotonic: kind == .sum)
            )
            let isOrderly = seed % 3 == 0
            var ends: [Int: UInt64] = [:]
            var (sent, totals, returned) = ([SeriesID: UInt64](), [SeriesID: UInt64](), [SeriesID: UInt64]())
            for _ in 0..<Int.random(in: 3...20, using: &random) {
                now += .random(in: 1...20, using: &random) * Self.second
                var (parts, given) = (MetricBatch.Parts(), [SeriesID: Shown]())
                for name in 0..<4 where Bool.random(using: &random) {
                    let set = table.intern([Attribute("name", .int(Int64(name)))])
                    let id = table.id(resource: table.intern([]), metric: metric, attributes: set) ?? .none
                    // The first begins a second after the watch: what a first total says of before is not told apart.
                    var end = ends[name] ?? began + Self.second + 1
                    var windows: [(start: UInt64, time: UInt64, value: UInt64)] = []
                    for _ in 0..<(isOrderly ? 1 : Int.random(in: 1...2, using: &random)) {
                        let hasGap = !isOrderly && Int.random(in: 0..<4, using: &random) == 0
                        let start = end + (hasGap ? Self.second : 0)
                        end = start + .random(in: 1...9, using: &random) * Self.second
                        windows.append((start, end, .random(in: 0...1000, using: &random)))
                    }
                    ends[name] = end
                    now = max(now, end)
                    sent[id, default: 0] += windows.reduce(0) { $0 + $1.value }
                    if windows.count == 2, Bool.random(using: &random) { windows.swapAt(0, 1) }
                    if !isOrderly, Bool.random(using: &random) { windows.append(windows[windows.count - 1]) }
                    for window in windows {
                        Self.append(id, kind, (window.start, window.time), window.value, to: &parts)
                        given[id] = Shown(start: window.start, time: window.time, value: window.value)
                    }
                }
                let there = forth.apply(MetricBatch(parts), now: now, Self.other)
                for (id, point) in Self.shown(there) {
                    #expect(point.value >= totals[id] ?? 0, "seed \(seed): a total fell")
                    totals[id] = point.value
                }
                let here = there.flatMap { back.apply($0, now: now, Self.other) }
                for (id, point) in Self.shown(here) {
                    returned[id, default: 0] += point.value
                    if isOrderly { #expect(given[id] == point, "seed \(seed)") }
                }
                if isOrderly { #expect(Self.shown(here).count == given.count, "seed \(seed)") }
            }
            #expect(totals.values.sorted() == sent.values.sorted(), "seed \(seed)")
            #expect(returned == sent, "seed \(seed)")
        }
    }

    /// Random totals: increases, restarts that say so and some that do not, points out of order and twice, long gaps. The
    /// windows of each series come to what the rules say, follow each other, and none is of before the watch.
    @Test(arguments: kinds) func totalsMakeTheWindowsThatTheRulesSay(_ kind: PointKind) async {
        await Histories.each { seed in
            var random = TestRandom(seed: seed)
            let (table, began) = (SeriesTable(capacity: 2048), 1_000_000 * Self.second)
            var now = began
            let choice = Reaggregator.FirstValue.allCases[Int(seed % 3)]
            var options = Reaggregator.Options()
            options.firstValue = choice
            var converter = Reaggregator(table: table, lane: "out", options: options, watchingSince: now)
            let metric = table.metric(
                MetricIdentity(name: "m", kind: kind, temporality: .cumulative, isMonotonic: kind == .sum)
            )
            struct Sender {
                var start: UInt64
                var value: UInt64
                var last: (time: UInt64, value: UInt64)?
            }
            var senders: [SeriesID: Sender] = [:]
            var (due, found, ended) = ([SeriesID: UInt64](), [SeriesID: UInt64](), [SeriesID: UInt64]())
            for _ in 0..<Int.random(in: 3...20, using: &random) {
                now += .random(in: 1...40, using: &random) * Self.second
                var parts = MetricBatch.Parts()
                for name in 0..<4 where Bool.random(using: &random) {
                    let set = table.intern([Attribute("name", .int(Int64(name)))])
                    let id = table.id(resource: table.intern([]), metric: metric, attributes: set) ?? .none
                    let isOld = Bool.random(using: &random)
                    var sender =
                        senders[id]
                        ?? Sender(
                            start: isOld ? began - Self.second : now - Self.second / 2,
                            value: 0,
                            last: nil
                        )
                    if let last = sender.last, Int.random(in: 0..<5, using: &random) == 0 {
                        // Late, or twice: no news.
                        let late = last.time - (Bool.random(using: &random) ? 0 : Self.second / 4)
                        Self.append(id, kind, (sender.start, late), last.value, to: &parts)
                    }
                    let step = UInt64.random(in: 0...1000, using: &random)
                    if let last = sender.last, Int.random(in: 0..<6, using: &random) == 0 {
                        if last.value < 3 || Bool.random(using: &random) {
                            sender.start = now - 1
                            sender.value = step
                        } else {
                            // Unsaid: known by the value, which is less in every part.
                            sender.value = last.value / 3
                        }
                        due[id, default: 0] += sender.value
                    } else {
                        sender.value += step
                        let countsFirst = choice == .keep || choice == .auto && sender.start > began
                        due[id, default: 0] += sender.last != nil ? step : countsFirst ? sender.value : 0
                    }
                    sender.last = (now, sender.value)
                    senders[id] = sender
                    Self.append(id, kind, (sender.start, now), sender.value, to: &parts)
                }
                for (id, point) in Self.shown(converter.apply(MetricBatch(parts), now: now, Self.other)) {
                    found[id, default: 0] += point.value
                    #expect(
                        point.start >= ended[id] ?? 0 && point.start < point.time,
                        "seed \(seed): \(point)"
                    )
                    ended[id] = point.time
                }
            }
            #expect(
                found.values.filter { $0 > 0 }.sorted() == due.values.filter { $0 > 0 }.sorted(),
                "seed \(seed)"
            )
            #expect(Set(converter.inputs) == Set(senders.keys), "seed \(seed)")
        }
    }

    @Test func increasesOfSumsThatMayFallAreAddedUp() {
        let table = SeriesTable(capacity: 4096)
        var converter = Reaggregator(table: table, lane: "out", watchingSince: Feed.began)
        let metric = table.metric(MetricIdentity(name: "level", kind: .sum, temporality: .delta))
        let id = table.id(resource: table.intern([]), metric: metric, attributes: table.intern([])) ?? .none
        var shown: [Int64] = []
        for (index, value) in [5, -7, 3].enumerated() {
            var parts = MetricBatch.Parts()
            let time = Feed.moment(Int64(10 * (index + 1)))
            parts.numbers.append(
                id,
                time: time,
                start: time - 10 * Self.second,
                bits: UInt64(bitPattern: Int64(value)),
                flags: .isInteger
            )
            let batch = converter.apply(MetricBatch(parts), now: time, Self.other)
            shown += (batch?.numbers.values ?? []).map { Int64(bitPattern: $0) }
        }
        #expect(shown == [5, -2, 1])
    }

    @Test func inputsBeyondTheLimitAreCounted() {
        var options = Reaggregator.Options()
        options.memberLimit = 2
        var feed = Feed("bytes", .sum, .delta, options: options)
        let shown = feed.send(
            .init("a", .int(1), at: 10, since: 0),
            .init("b", .int(2), at: 10, since: 0),
            .init("c", .int(4), at: 10, since: 0)
        )
        #expect(shown.map(\.integer) == [3])
        #expect(feed.reaggregator.counts.beyondLimit == 1)
    }
}
