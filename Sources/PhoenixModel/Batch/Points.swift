/// The number points of a batch, gauges and sums, column by column: the same index is the same point.
public struct NumberPoints: Sendable {
    public var series: [SeriesID] = []
    /// Nanoseconds since 1970.
    public var times: [UInt64] = []
    /// When the stream began, in nanoseconds since 1970; 0 is unknown.
    public var starts: [UInt64] = []
    /// The bits of an `Int64` or a `Double`, as the flags say: integers beyond 2^53 stay exact.
    public var values: [UInt64] = []
    public var flags: [PointFlags] = []
    public init() {}
    public var count: Int { series.count }
    public mutating func append(
        _ id: SeriesID,
        time: UInt64,
        start: UInt64,
        bits: UInt64,
        flags pointFlags: PointFlags
    ) {
        series.append(id)
        times.append(time)
        starts.append(start)
        values.append(bits)
        flags.append(pointFlags)
    }
    public mutating func reserve(_ capacity: Int) {
        series.reserveCapacity(capacity)
        times.reserveCapacity(capacity)
        starts.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
        flags.reserveCapacity(capacity)
    }
}

/// The histogram points of a batch; bucket counts lie in one column, by offset.
public struct HistogramPoints: Sendable {
    public var series: [SeriesID] = []
    public var times: [UInt64] = []
    public var starts: [UInt64] = []
    public var flags: [PointFlags] = []
    public var counts: [UInt64] = []
    public var sums: [Double] = []
    public var minima: [Double] = []
    public var maxima: [Double] = []
    /// The bounds of the buckets; no part of the identity.
    public var layouts = LayoutColumn()
    /// Where a point's buckets begin in `buckets`; there are `layout.bucketCount` of them.
    public var offsets: [Int] = []
    public var buckets: [UInt64] = []
    public init() {}
    public var count: Int { series.count }
    /// Room for so many points, which have so many buckets in all.
    public mutating func reserve(_ count: Int, buckets bucketCount: Int) {
        series.reserveCapacity(count)
        times.reserveCapacity(count)
        starts.reserveCapacity(count)
        flags.reserveCapacity(count)
        counts.reserveCapacity(count)
        sums.reserveCapacity(count)
        minima.reserveCapacity(count)
        maxima.reserveCapacity(count)
        layouts.reserveCapacity(count)
        offsets.reserveCapacity(count)
        buckets.reserveCapacity(bucketCount)
    }
}

/// The upper bounds of explicit histogram buckets; equal layouts are compared by contents, once per object.
public final class BucketLayout: Sendable, Hashable {
    /// Strictly increasing; the last bucket has no upper bound.
    public let bounds: [Double]
    /// Whether the points carry buckets at all: a histogram may be count and sum alone.
    public let hasBuckets: Bool
    public init(bounds: [Double], hasBuckets: Bool = true) {
        (self.bounds, self.hasBuckets) = (bounds, hasBuckets)
    }
    /// Count and sum alone.
    public static let none = BucketLayout(bounds: [], hasBuckets: false)
    public var bucketCount: Int { hasBuckets ? bounds.count + 1 : 0 }
    public static func == (left: BucketLayout, right: BucketLayout) -> Bool {
        left === right || (left.hasBuckets == right.hasBuckets && left.bounds == right.bounds)
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(bounds)
        hasher.combine(hasBuckets)
    }
}

/// The exponential histogram points of a batch (OpenTelemetry data model, ExponentialHistogram).
public struct ExponentialPoints: Sendable {
    /// One side of a point's buckets: `count` of them in `buckets` from `start`, the first at bucket index `offset`.
    public struct Side: Sendable, Hashable {
        public var offset: Int32
        public var start: Int
        public var count: Int
        public init(offset: Int32 = 0, start: Int = 0, count: Int = 0) {
            (self.offset, self.start, self.count) = (offset, start, count)
        }
    }
    public var series: [SeriesID] = []
    public var times: [UInt64] = []
    public var starts: [UInt64] = []
    public var flags: [PointFlags] = []
    public var counts: [UInt64] = []
    public var sums: [Double] = []
    public var minima: [Double] = []
    public var maxima: [Double] = []
    public var scales: [Int32] = []
    public var zeroCounts: [UInt64] = []
    public var zeroThresholds: [Double] = []
    public var positives: [Side] = []
    public var negatives: [Side] = []
    public var buckets: [UInt64] = []
    public init() {}
    public var count: Int { series.count }
    /// Room for so many points, which have so many buckets in all.
    public mutating func reserve(_ count: Int, buckets bucketCount: Int) {
        series.reserveCapacity(count)
        times.reserveCapacity(count)
        starts.reserveCapacity(count)
        flags.reserveCapacity(count)
        counts.reserveCapacity(count)
        sums.reserveCapacity(count)
        minima.reserveCapacity(count)
        maxima.reserveCapacity(count)
        scales.reserveCapacity(count)
        zeroCounts.reserveCapacity(count)
        zeroThresholds.reserveCapacity(count)
        positives.reserveCapacity(count)
        negatives.reserveCapacity(count)
        buckets.reserveCapacity(bucketCount)
    }
}

/// The summary points of a batch; quantiles lie in two columns, by offset.
public struct SummaryPoints: Sendable {
    public var series: [SeriesID] = []
    public var times: [UInt64] = []
    public var starts: [UInt64] = []
    public var flags: [PointFlags] = []
    public var counts: [UInt64] = []
    public var sums: [Double] = []
    /// Where a point's quantiles begin; they end where the next point's begin.
    public var offsets: [Int] = []
    public var quantiles: [Double] = []
    public var values: [Double] = []
    public init() {}
    public var count: Int { series.count }
    /// The places of a point's quantiles in `quantiles` and `values`.
    public func quantileRange(_ index: Int) -> Range<Int> {
        offsets[index]..<(index + 1 < offsets.count ? offsets[index + 1] : quantiles.count)
    }
}

/// A measurement that stands for others, with the trace it belongs to.
public struct Exemplar: Sendable, Hashable {
    /// The series whose point carries it.
    public var series: SeriesID
    public var timeUnixNano: UInt64
    public var bits: UInt64
    public var flags: PointFlags
    /// 16 bytes, or none.
    public var traceID: [UInt8]
    /// 8 bytes, or none.
    public var spanID: [UInt8]
    /// The attributes that the point's series does not carry.
    public var filteredAttributes: AttributeSet
    public init(
        series: SeriesID,
        timeUnixNano: UInt64,
        bits: UInt64,
        flags: PointFlags,
        traceID: [UInt8],
        spanID: [UInt8],
        filteredAttributes: AttributeSet
    ) {
        (self.series, self.timeUnixNano, self.bits, self.flags) = (series, timeUnixNano, bits, flags)
        (self.traceID, self.spanID, self.filteredAttributes) = (traceID, spanID, filteredAttributes)
    }
}
