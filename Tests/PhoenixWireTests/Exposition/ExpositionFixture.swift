import PhoenixModel

@testable import PhoenixWire

/// A store with a table, and short words for points.
struct ExpositionFixture {
    let table = SeriesTable()
    let store: ExpositionStore
    var now = Duration.seconds(0)

    init(
        watchingSince: UInt64 = 0,
        _ change: (inout ExpositionOptions) -> Void = { $0.addsScopeLabels = false }
    ) {
        var options = ExpositionOptions()
        change(&options)
        store = ExpositionStore(options, watchingSince: watchingSince)
    }
    func series(
        _ name: String,
        _ attributes: [Attribute] = [],
        kind: PointKind = .gauge,
        unit: String = "",
        temporality: Temporality? = nil,
        monotonic: Bool? = nil,
        resource: [Attribute] = [],
        scope: Scope = Scope(),
        help: String = ""
    ) -> SeriesID {
        let usual: Temporality = kind == .gauge || kind == .summary ? .unspecified : .cumulative
        let metric = table.metric(
            MetricIdentity(
                scope: scope,
                name: name,
                unit: unit,
                kind: kind,
                temporality: temporality ?? usual,
                isMonotonic: monotonic ?? (kind == .sum)
            ),
            description: help
        )
        return table.id(
            resource: table.intern(resource),
            metric: metric,
            attributes: table.intern(attributes)
        )!
    }
    func put(_ id: SeriesID, _ value: Double, at time: UInt64 = 1, start: UInt64 = 0, flags: PointFlags = [])
    {
        put([(id, Number(value))], at: time, start: start, flags: flags)
    }
    func put(_ id: SeriesID, _ value: Int, at time: UInt64 = 1, start: UInt64 = 0) {
        put([(id, Number(Int64(value)))], at: time, start: start)
    }
    func put(_ points: [(SeriesID, Number)], at time: UInt64 = 1, start: UInt64 = 0, flags: PointFlags = []) {
        var parts = MetricBatch.Parts()
        for (id, number) in points {
            let flags = number.isInteger ? flags.union(.isInteger) : flags
            parts.numbers.append(id, time: time, start: start, bits: number.bits, flags: flags)
        }
        store.ingest(MetricBatch(parts), table, now: now)
    }
    func end(_ id: SeriesID, at time: UInt64) { put(id, 0.0, at: time, flags: .noRecordedValue) }
    func put(
        histogram id: SeriesID,
        _ buckets: [UInt64],
        bounds: [Double],
        sum: Double? = 1,
        at time: UInt64 = 1,
        start: UInt64 = 0,
        exemplars: [Exemplar] = []
    ) {
        var parts = MetricBatch.Parts()
        parts.histograms.series = [id]
        parts.histograms.times = [time]
        parts.histograms.starts = [start]
        parts.histograms.flags = [sum == nil ? [] : .hasSum]
        parts.histograms.counts = [buckets.reduce(0, +)]
        parts.histograms.sums = [sum ?? 0]
        parts.histograms.minima = [0]
        parts.histograms.maxima = [0]
        parts.histograms.layouts = [BucketLayout(bounds: bounds)]
        parts.histograms.offsets = [0]
        parts.histograms.buckets = buckets
        parts.exemplars = exemplars
        store.ingest(MetricBatch(parts), table, now: now)
    }
    func put(
        exponential id: SeriesID,
        scale: Int32,
        zero: UInt64 = 0,
        threshold: Double = 0,
        positive: (Int32, [UInt64]) = (0, []),
        negative: (Int32, [UInt64]) = (0, []),
        sum: Double? = 1,
        at time: UInt64 = 1,
        start: UInt64 = 0,
        exemplars: [Exemplar] = []
    ) {
        var parts = MetricBatch.Parts()
        parts.exemplars = exemplars
        parts.exponentials.series = [id]
        parts.exponentials.times = [time]
        parts.exponentials.starts = [start]
        parts.exponentials.flags = [sum == nil ? [] : .hasSum]
        parts.exponentials.counts = [zero + positive.1.reduce(0, +) + negative.1.reduce(0, +)]
        parts.exponentials.sums = [sum ?? 0]
        parts.exponentials.minima = [0]
        parts.exponentials.maxima = [0]
        parts.exponentials.scales = [scale]
        parts.exponentials.zeroCounts = [zero]
        parts.exponentials.zeroThresholds = [threshold]
        parts.exponentials.positives = [.init(offset: positive.0, start: 0, count: positive.1.count)]
        parts.exponentials.negatives = [
            .init(offset: negative.0, start: positive.1.count, count: negative.1.count)
        ]
        parts.exponentials.buckets = positive.1 + negative.1
        store.ingest(MetricBatch(parts), table, now: now)
    }
    func put(
        summary id: SeriesID,
        count: UInt64,
        sum: Double,
        _ values: [(Double, Double)],
        at time: UInt64 = 1,
        start: UInt64 = 0
    ) {
        var parts = MetricBatch.Parts()
        parts.summaries.series = [id]
        parts.summaries.times = [time]
        parts.summaries.starts = [start]
        parts.summaries.flags = [.hasSum]
        parts.summaries.counts = [count]
        parts.summaries.sums = [sum]
        parts.summaries.offsets = [0]
        parts.summaries.quantiles = values.map(\.0)
        parts.summaries.values = values.map(\.1)
        store.ingest(MetricBatch(parts), table, now: now)
    }
    /// The exposition; always read by the strict reader as well.
    func text(
        _ format: ExpositionFormat = .text,
        _ escaping: EscapingScheme = .underscores
    ) throws -> String {
        let bytes = store.scrape(format, escaping: escaping, now: now).all()
        _ = try ExpositionReader(bytes, format == .openMetrics)
        return String(decoding: bytes, as: UTF8.self)
    }
    /// The families of the protobuf exposition.
    func messages(_ escaping: EscapingScheme = .underscores) throws -> MessageReader {
        try MessageReader(store.scrape(.protobuf, escaping: escaping, now: now).all())
    }
    func read(
        _ format: ExpositionFormat = .openMetrics,
        _ escaping: EscapingScheme = .underscores
    ) throws -> ExpositionReader {
        let bytes = store.scrape(format, escaping: escaping, now: now).all()
        return try ExpositionReader(bytes, format == .openMetrics)
    }
}
