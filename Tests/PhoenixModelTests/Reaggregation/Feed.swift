import PhoenixModel

/// A reaggregator with a table of its own, fed and read by names: for examples.
struct Feed: ~Copyable {
    static let second: UInt64 = 1_000_000_000
    static let began: UInt64 = 1_000_000 * second
    let table = SeriesTable(capacity: 4096)
    let metric: Metric
    var reaggregator: Reaggregator
    /// Seconds since it began to watch.
    var clock: UInt64 = 0
    var now: UInt64 { Self.began + clock * Self.second }
    /// What points are sent to: all to one output unless said otherwise.
    var resolve: (String) -> String? = { _ in "all" }

    init(
        _ name: String = "requests",
        _ kind: PointKind = .sum,
        _ temporality: Temporality = .cumulative,
        isMonotonic: Bool = true,
        merge: GaugeMerge? = nil,
        options: Reaggregator.Options = .init()
    ) {
        metric = table.metric(
            MetricIdentity(name: name, kind: kind, temporality: temporality, isMonotonic: isMonotonic)
        )
        var options = options
        if let merge { options.gauges[name] = merge }
        reaggregator = Reaggregator(table: table, lane: "out", options: options, watchingSince: Self.began)
    }

    enum Number {
        case int(Int64)
        case double(Double)
        case ended
        var bits: UInt64 {
            switch self {
            case .int(let value): UInt64(bitPattern: value)
            case .double(let value): value.bitPattern
            case .ended: 0
            }
        }
        var flags: PointFlags {
            switch self {
            case .int: .isInteger
            case .double: []
            case .ended: .noRecordedValue
            }
        }
    }
    /// A point of one input; times in seconds since it began to watch, which may be before.
    struct Point {
        var name: String
        var value: Number
        var time: Int64
        var start: Int64?
        init(_ name: String, _ value: Number, at time: Int64, since start: Int64? = nil) {
            (self.name, self.value, self.time, self.start) = (name, value, time, start)
        }
    }
    /// A point that came out.
    struct Shown: Equatable {
        var name: String
        var time: UInt64
        var start: UInt64
        var bits: UInt64
        var flags: PointFlags
        var integer: Int64? { kind == .isInteger ? Int64(bitPattern: bits) : nil }
        var double: Double? { kind == [] ? Double(bitPattern: bits) : nil }
        private var kind: PointFlags { flags.subtracting(.isNews) }
        var isEnd: Bool { flags.contains(.noRecordedValue) }
    }

    static func moment(_ seconds: Int64) -> UInt64 { UInt64(Int64(began) + seconds * Int64(second)) }
    func id(_ name: String) -> SeriesID {
        let set = table.intern([Attribute("name", name)])
        guard let id = table.id(resource: table.intern([]), metric: metric, attributes: set) else {
            preconditionFailure("the table is full")
        }
        return id
    }
    private static func destination(_ resolve: (String) -> String?, _ series: Series) -> Destination {
        guard case .string(let name)? = series.attributes["name"], let output = resolve(name) else {
            return .drop(reason: 2)
        }
        return .output(resource: .empty, attributes: AttributeSet([Attribute("out", output)]))
    }

    /// Applies one batch at the time of the clock.
    mutating func send(_ points: Point...) -> [Shown] {
        var parts = MetricBatch.Parts()
        for point in points {
            parts.numbers.append(
                id(point.name),
                time: Self.moment(point.time),
                start: point.start.map(Self.moment) ?? 0,
                bits: point.value.bits,
                flags: point.value.flags
            )
        }
        return shown(apply(parts))
    }
    mutating func apply(_ parts: MetricBatch.Parts) -> MetricBatch? {
        let resolve = resolve
        return reaggregator.apply(MetricBatch(parts), now: now) { Self.destination(resolve, $0) }
    }
    mutating func takeOver(_ names: String...) {
        var ids: [SeriesID] = []
        for name in names { ids.append(id(name)) }
        let resolve = resolve
        _ = reaggregator.takeOver(ids, passing: nil, now: now) { Self.destination(resolve, $0) }
    }
    mutating func remap(_ change: @escaping (String) -> String?) -> [Shown] {
        resolve = change
        reaggregator.remap(now: now) { Self.destination(change, $0) }
        return shown(reaggregator.settle(now: now, epoch: 0))
    }
    mutating func lapse() -> [Shown] { shown(reaggregator.lapse(now: now, epoch: 0)) }

    func shown(_ batch: MetricBatch?) -> [Shown] {
        guard let points = batch?.numbers else { return [] }
        return points.series.indices.map { index in
            var name = "?"
            if case .string(let out)? = table.series(points.series[index])?.attributes["out"] { name = out }
            return Shown(
                name: name,
                time: points.times[index],
                start: points.starts[index],
                bits: points.values[index],
                flags: points.flags[index]
            )
        }
    }
}
