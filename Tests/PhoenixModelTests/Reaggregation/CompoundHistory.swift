import PhoenixModel

/// A random history of histograms, summaries or sums, or of all of them at once, the same to a reaggregator, to one behind it,
/// and to the oracle: what each output grew by, bucket by bucket, in windows and in totals.
struct CompoundHistory: ~Copyable {
    enum Kind: String, CaseIterable, Sendable {
        case histogram, exponential, summary
        /// Whole numbers and quarters, as integers and doubles.
        case sum
        var point: PointKind {
            switch self {
            case .histogram: .histogram
            case .exponential: .exponentialHistogram
            case .summary: .summary
            case .sum: .sum
            }
        }
        var index: Int {
            switch self {
            case .sum: 0
            case .histogram: 1
            case .exponential: 2
            case .summary: 3
            }
        }
    }
    /// The buckets that all senders' points can be told in, then the sum in quarters.
    typealias Cells = SIMD4<Int64>
    static let second: UInt64 = 1_000_000_000
    static let coarse = BucketLayout(bounds: [10, 100])
    static let fine = BucketLayout(bounds: [5, 10, 50, 100])

    struct Sender {
        var start: UInt64 = 0
        var buckets: [UInt64] = []
        var quarters: UInt64 = 0
        var isNegative = false
        var last: Sent?
        /// Windows that are still under way: they come late.
        var held: [Sent] = []
    }
    struct Sent {
        var name: Int
        var time: UInt64
        var start: UInt64
        var buckets: [UInt64]
        var quarters: UInt64
        var isNegative: Bool
        /// What a sum says, in quarters.
        var value: Int64 { (isNegative ? -1 : 1) * Int64(buckets[0] * 4 + quarters) }
    }
    /// Those of the senders in turn.
    let kinds: [Kind]
    let isDelta: Bool
    /// Sums that may fall: what comes is added as it is.
    let isMonotonic: Bool
    /// Whether totals become windows, and windows totals.
    let converts: Bool
    /// How far the senders' clocks are ahead of ours, in nanoseconds.
    private let leads: [Int64]
    var random: TestRandom
    let table = SeriesTable(capacity: 4096)
    private(set) var metrics: [Kind: Metric] = [:]
    private let began = 1_000_000 * second
    var now: UInt64
    private var first: Reaggregator
    private var behind: Reaggregator
    private(set) var oracle: CompoundOracle
    private(set) var ledger = CompoundLedger()
    private(set) var chained = CompoundLedger()
    var senders: [Sender]
    private var ids: SenderIDs
    private var groups = Groups()
    var counts: ReaggregatorCounts { first.counts }

    init(
        seed: UInt64,
        _ kinds: [Kind],
        isDelta: Bool,
        isMonotonic: Bool = true,
        converts: Bool = false,
        clocks: Clocks
    ) {
        (random, self.kinds, self.isDelta) = (TestRandom(seed: seed), kinds, isDelta)
        (self.isMonotonic, self.converts) = (isMonotonic, converts)
        var lots = TestRandom(seed: ~seed)
        leads = (0..<6 * kinds.count).map { _ in clocks.lead(&lots) }
        senders = Array(repeating: Sender(), count: 6 * kinds.count)
        ids = SenderIDs(count: senders.count)
        for kind in kinds {
            metrics[kind] = table.metric(
                MetricIdentity(
                    name: kind.rawValue,
                    kind: kind.point,
                    temporality: isDelta && kind != .summary ? .delta : .cumulative,
                    isMonotonic: kind == .sum && isMonotonic
                )
            )
        }
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = 120
        now = began
        first = Reaggregator(table: table, lane: "first", options: options, watchingSince: began)
        behind = Reaggregator(table: table, lane: "behind", options: options, watchingSince: began)
        oracle = CompoundOracle(watchingSince: began, memorySeconds: 120, isDelta: isDelta)
    }

    mutating func run(steps: Int) {
        for step in 0..<steps {
            now += .random(in: 1...20 * Self.second, using: &random)
            // Mostly shorter than anything is remembered, and longer.
            if chance(12) { now += Self.second * .random(in: 60...400, using: &random) }
            switch step == 0 ? 9 : Int.random(in: 0..<10, using: &random) {
            case 0: remap()
            case 1: lapse()
            default: send()
            }
        }
    }
    mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    private mutating func remap() {
        groups.change(&random)
        let (groups, kinds, converts) = (groups, kinds, converts)
        oracle.remap { Self.place($0, kinds, groups) }
        first.remap(now: now) { Self.destination(of: $0, groups, converts) }
        pass(first.settle(now: now, epoch: 0))
    }
    private mutating func lapse() {
        oracle.sweep(now: now)
        pass(first.lapse(now: now, epoch: 0))
        chained.note(behind.lapse(now: now, epoch: 0), table)
    }
    /// The place of an output in the oracle and the ledgers: by its kind, then by its group.
    private static func place(_ name: Int, _ kinds: [Kind], _ groups: Groups) -> Int? {
        groups.place(name).map { kinds[name % kinds.count].index * Groups.placeCount + $0 }
    }
    func kind(_ name: Int) -> Kind { kinds[name % kinds.count] }
    private static func destination(of series: Series, _ groups: Groups, _ converts: Bool) -> Destination {
        guard converts else { return groups.destination(of: series) }
        var metric = series.metric.identity
        metric.temporality = metric.temporality == .delta ? .cumulative : .delta
        return groups.destination(of: series, metric: metric)
    }

    private mutating func send() {
        var points: [Sent] = []
        for name in senders.indices where Bool.random(using: &random) {
            if isDelta {
                points += windows(name)
                continue
            }
            let (before, point) = (senders[name].last, total(name))
            // Twice, late, or once more after the next one.
            if let before, chance(10) { points.append(before) }
            points.append(point)
            if chance(10) { points.append(point) }
            if let before, chance(12) { points.append(before) }
        }
        // A batch holds them by kind: what is forgotten on the way tells whoever comes behind.
        if kinds.count > 1 {
            let order: [Kind] = [.sum, .histogram, .exponential, .summary]
            points = order.flatMap { kind in points.filter { self.kind($0.name) == kind } }
        }
        var parts = MetricBatch.Parts()
        oracle.beginBatch(now: now)
        let (groups, kinds, converts) = (groups, kinds, converts)
        for point in points {
            let told = CompoundOracle.Point(
                name: point.name,
                time: point.time,
                start: point.start,
                own: kind(point.name) == .sum ? [UInt64(clamping: point.value)] : told(point),
                cells: cells(point)
            )
            oracle.apply(told, now: now) { Self.place($0, kinds, groups) }
            let metric = metrics[kind(point.name)]
            let id = ids.id(point.name, metric, table)
            append(point, id, to: &parts)
        }
        pass(
            first.apply(MetricBatch(parts), now: now) { Self.destination(of: $0, groups, converts) }
        )
    }
    private mutating func total(_ name: Int) -> Sent {
        var sender = senders[name]
        let isNew = sender.last == nil
        let (now, began) = (time(now, of: name), time(began, of: name))
        if isNew || chance(8) {
            let since = sender.last?.time ?? began
            switch Int.random(in: 0..<5, using: &random) {
            case 0: sender.start = 0
            case 1: sender.start = now
            case 2 where isNew: sender.start = began - 5 * Self.second
            default: sender.start = since + (now - since) / 2
            }
            (sender.buckets, sender.quarters) = (Array(repeating: 0, count: width(name)), 0)
        }
        defer { senders[name] = sender }
        return say(name, &sender, at: max(now, (sender.last?.time ?? 0) + 1))
    }
    /// What a sender's clock shows at a moment.
    func time(_ moment: UInt64, of name: Int) -> UInt64 { UInt64(Int64(moment) + leads[name]) }
    /// Has a sender count something and tell it.
    mutating func say(_ name: Int, _ sender: inout Sender, at time: UInt64) -> Sent {
        for index in sender.buckets.indices { sender.buckets[index] += .random(in: 0...9, using: &random) }
        sender.quarters += isWhole(name) ? 4 : .random(in: 0...100, using: &random)
        sender.isNegative = isDelta && !isMonotonic && Bool.random(using: &random)
        let sent = Sent(
            name: name,
            time: time,
            start: sender.start,
            buckets: sender.buckets,
            quarters: sender.quarters,
            isNegative: sender.isNegative
        )
        sender.last = sent
        return sent
    }

    private mutating func pass(_ batch: MetricBatch?) {
        ledger.note(batch, table)
        guard let batch else { return }
        let passed = behind.apply(batch, now: now) {
            .output(resource: $0.resource, attributes: $0.attributes)
        }
        chained.note(passed, table)
    }
}
