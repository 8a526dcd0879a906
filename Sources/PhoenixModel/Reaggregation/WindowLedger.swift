/// What a stream of batches grew by, per metric and window of epochs: the measure of whether two streams say the same.
///
/// Increases are those of a `Reaggregator` that adds each metric up, so that starts, resets, restarts and ends of streams
/// mean here what they mean everywhere. They are booked to the epoch of their batch: nodes pass epochs on, so that a
/// window of one pipeline holds what the same window of another does, however far apart they are. Bounded in metrics
/// and in windows.
public struct WindowLedger: ~Copyable, Sendable {
    /// What a window holds of one measure.
    public struct Entry: Sendable {
        /// Of series that have a name of their own, and of those that are the rest of others.
        public var named = Increase()
        public var rest = Increase()
        public init() {}
        public var total: Increase {
            var total = named
            total.add(rest)
            return total
        }
    }
    public struct Window: Sendable {
        public var increases: [Measure: Entry] = [:]
        /// The last sums of the live values of what adds up, by metric: gauges that are amounts, and sums that may fall.
        public var levels: [String: Double] = [:]
        public init() {}
    }
    /// Metrics beyond so many are not compared, and counted.
    public static let maximumMetrics = 10_000
    /// So many windows may be open; what comes for more is late.
    public static let maximumWindows = 64

    private let table: SeriesTable
    private let isRest: @Sendable (Series) -> Bool
    private let named: AttributeSet
    private let rest: AttributeSet
    private let windowLength: UInt64
    private var reaggregator: Reaggregator
    /// One for each series that our reaggregator shows: two a metric at most, and siblings of other bounds.
    private var tracks: [SeriesID: Track] = [:]
    private var windows: [UInt64: [SeriesID: Booked]] = [:]
    /// Windows below this number were taken.
    private var firstOpen: UInt64 = 0
    /// The newest epoch of a batch.
    public private(set) var watermark: UInt64 = 0
    /// Points that came after their window was taken: they were booked to the first that was open.
    public private(set) var late = 0
    /// Points of metrics beyond the bound.
    public private(set) var ignored = 0

    /// A ledger with windows of so many epochs; `isRest` tells series that stand for others.
    public init(
        table: SeriesTable,
        lane: String,
        windowLength: UInt64,
        forgetAfterSeconds: UInt32,
        watchingSince now: UInt64,
        isRest: @escaping @Sendable (Series) -> Bool
    ) {
        (self.table, self.isRest, self.windowLength) = (table, isRest, max(1, windowLength))
        named = table.intern([Attribute("share", "named")])
        rest = table.intern([Attribute("share", "rest")])
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = forgetAfterSeconds
        reaggregator = Reaggregator(table: table, lane: lane, options: options, watchingSince: now)
    }

    /// Streams whose beginning nobody saw: what they grew by before, while we were down, is in no total.
    public var unwatched: UInt64 { reaggregator.counts.unwatched }

    /// Books what a batch grew by.
    public mutating func book(_ batch: MetricBatch, now: UInt64) {
        let (isRest, named, rest) = (isRest, named, rest)
        watermark = max(watermark, batch.epoch)
        let changed = reaggregator.apply(batch, now: now) { series in
            // A gauge that does not add up says nothing of a whole.
            if series.metric.kind == .gauge, GaugeMerge.conventional(for: series.metric.name) != .sum {
                return .drop(reason: 0)
            }
            return .output(resource: isRest(series) ? rest : named, attributes: .empty)
        }
        if let changed { book(changed, at: batch.epoch) }
    }
    /// Lets go of gauges that are not told any more, and of metrics that nobody sends.
    public mutating func lapse(now: UInt64) {
        if let changed = reaggregator.lapse(now: now, epoch: watermark) { book(changed, at: watermark) }
        let open = windows.values.reduce(into: Set<SeriesID>()) { $0.formUnion($1.keys) }
        let table = table
        tracks = tracks.filter { open.contains($0.key) || table.isCurrent($0.key) }
    }

    /// The numbers of the windows that hold something.
    public var open: [UInt64] { windows.keys.sorted() }
    /// Whether nothing more is to be expected of a window, if batches are out of order by less than `slack` epochs.
    public func isPast(_ number: UInt64, slack: UInt64) -> Bool {
        (number + 1) * windowLength + slack <= watermark
    }
    /// Takes a window out: it is settled.
    public mutating func take(_ number: UInt64) -> Window {
        firstOpen = max(firstOpen, number + 1)
        var window = Window()
        let booked = windows.removeValue(forKey: number) ?? [:]
        for (id, booked) in booked { tracks[id]?.settle(booked) }
        // A level that was not told shows what it showed.
        for track in tracks.values where track.behaviour == .level {
            window.levels[track.metric, default: 0] += track.settled
        }
        for (id, booked) in booked {
            guard let track = tracks[id], track.behaviour != .level else { continue }
            for part in Measure.Part.allCases where booked.has(part) {
                let measure = Measure(track.metric, part)
                if track.isRest {
                    window.increases[measure, default: Entry()].rest.add(booked[part])
                } else {
                    window.increases[measure, default: Entry()].named.add(booked[part])
                }
            }
        }
        return window
    }

    private mutating func book(_ changed: MetricBatch, at epoch: UInt64) {
        var number = epoch / windowLength
        if windows[number] == nil, number < firstOpen || windows.count >= Self.maximumWindows {
            late += changed.count
            number = windows.keys.min() ?? firstOpen
        }
        var window = windows.removeValue(forKey: number) ?? [:]
        defer { windows[number] = window }
        let numbers = changed.numbers
        for index in numbers.series.indices {
            let point = NumberPoint(
                time: numbers.times[index],
                start: numbers.starts[index],
                bits: numbers.values[index],
                flags: numbers.flags[index]
            )
            book(numbers.series[index], start: point.start, Parts(value: point), &window)
        }
        let (histograms, exponentials, summaries) = (
            changed.histograms, changed.exponentials, changed.summaries
        )
        for index in histograms.series.indices {
            let parts = Parts(histograms.counts[index], histograms.sums[index], histograms.flags[index])
            book(histograms.series[index], start: histograms.starts[index], parts, &window)
        }
        for index in exponentials.series.indices {
            let parts = Parts(exponentials.counts[index], exponentials.sums[index], exponentials.flags[index])
            book(exponentials.series[index], start: exponentials.starts[index], parts, &window)
        }
        for index in summaries.series.indices {
            let parts = Parts(summaries.counts[index], summaries.sums[index], summaries.flags[index])
            book(summaries.series[index], start: summaries.starts[index], parts, &window)
        }
    }
    private mutating func book(
        _ id: SeriesID,
        start: UInt64,
        _ parts: Parts,
        _ window: inout [SeriesID: Booked]
    ) {
        guard var track = tracks[id] ?? newTrack(id) else { return }
        track.book(parts, start: start, &window[id, default: Booked()])
        tracks[id] = track
    }
    private mutating func newTrack(_ id: SeriesID) -> Track? {
        guard tracks.count < 2 * Self.maximumMetrics, let series = table.series(id) else {
            ignored += 1
            return nil
        }
        return Track(series.metric, isRest: series.resource["share"] == .string("rest"))
    }
}

/// The numbers of a point that grow.
private struct Parts: BitwiseCopyable {
    var value: NumberPoint?
    var count: NumberPoint?
    var sum: NumberPoint?
    init(value: NumberPoint) { self.value = value }
    init(_ count: UInt64, _ sum: Double, _ flags: PointFlags) {
        self.count = NumberPoint(time: 0, start: 0, bits: count, flags: .isInteger)
        if flags.contains(.hasSum) {
            self.sum = NumberPoint(time: 0, start: 0, bits: sum.bitPattern, flags: [])
        }
    }
}

/// What a window holds of one series that our reaggregator shows.
private struct Booked: BitwiseCopyable, Sendable {
    private var first = Increase()
    private var second = Increase()
    private var parts: UInt8 = 0
    var level = 0.0
    private static func bit(_ part: Measure.Part) -> UInt8 {
        switch part {
        case .value: 1
        case .count: 2
        case .sum: 4
        }
    }
    func has(_ part: Measure.Part) -> Bool { parts & Self.bit(part) != 0 }
    subscript(part: Measure.Part) -> Increase { part == .sum ? second : first }
    mutating func add(_ increase: Increase, _ part: Measure.Part) {
        parts |= Self.bit(part)
        if part == .sum { second.add(increase) } else { first.add(increase) }
    }
}

/// The last point of a series that our reaggregator shows.
private struct Track: Sendable {
    enum Behaviour { case total, window, level }
    let metric: String
    let isRest: Bool
    let behaviour: Behaviour
    /// What it showed at the end of the last window that was taken.
    private(set) var settled = 0.0
    private var start: UInt64 = 0
    private var last: Parts?

    init(_ metric: Metric, isRest: Bool) {
        (self.metric, self.isRest) = (metric.name, isRest)
        behaviour =
            switch (metric.kind, metric.temporality) {
            case (.gauge, _): .level
            case (.summary, _): .total
            case (_, .delta): .window
            case (.sum, _) where !metric.isMonotonic: .level
            default: .total
            }
    }
    mutating func book(_ parts: Parts, start: UInt64, _ booked: inout Booked) {
        if behaviour == .level {
            booked.level = parts.value.flatMap { $0.flags.contains(.noRecordedValue) ? nil : $0.double } ?? 0
            return
        }
        // A total that begins anew counts from zero; a window is what it is.
        let before = behaviour == .window || start != self.start ? nil : last
        self.start = start
        if let value = parts.value { booked.add(Self.increase(from: before?.value, to: value), .value) }
        if let count = parts.count { booked.add(Self.increase(from: before?.count, to: count), .count) }
        if let sum = parts.sum { booked.add(Self.increase(from: before?.sum, to: sum), .sum) }
        last = parts
    }
    mutating func settle(_ booked: Booked) { settled = booked.level }
    private static func increase(from old: NumberPoint?, to new: NumberPoint) -> Increase {
        var increase = Increase()
        if let old { increase.sum.add(from: old, to: new) } else { increase.sum.add(new) }
        if !new.isInteger { increase.largest = abs(new.double) }
        return increase
    }
}
