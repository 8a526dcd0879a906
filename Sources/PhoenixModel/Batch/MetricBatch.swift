/// A column-wise, immutable batch of points: the unit of flow, of backpressure and of accounting.
///
/// Passing it on costs one retain however many points it holds.
public struct MetricBatch: Message {
    public static let kind = MessageKind.metrics

    private final class Contents: Sendable {
        let numbers: NumberPoints
        let histograms: HistogramPoints
        let exponentials: ExponentialPoints
        let summaries: SummaryPoints
        let exemplars: [Exemplar]
        let byteCount: Int
        init(_ parts: borrowing Parts) {
            (numbers, histograms, exponentials) = (parts.numbers, parts.histograms, parts.exponentials)
            (summaries, exemplars) = (parts.summaries, parts.exemplars)
            byteCount = parts.byteCount
        }
    }
    private let contents: Contents
    /// The receiver's epoch, in seconds since 1970 by its clock: conservation is checked by comparing pipelines up to the
    /// same one. Nodes that hold or merge batches forward the least of what they still hold.
    public let epoch: UInt64
    /// When its oldest point was received, on the engine's clock that only goes forward, in nanoseconds; 0 where nobody
    /// noted it. For latency, which nodes that make new batches pass on.
    public var receivedAt: UInt64 = 0

    public init(_ parts: Parts, epoch: UInt64 = 0) {
        contents = Contents(parts)
        self.epoch = epoch
    }
    public var numbers: NumberPoints { contents.numbers }
    public var histograms: HistogramPoints { contents.histograms }
    public var exponentials: ExponentialPoints { contents.exponentials }
    public var summaries: SummaryPoints { contents.summaries }
    public var exemplars: [Exemplar] { contents.exemplars }
    public var byteCount: Int { contents.byteCount }
    /// How many points there are, of all kinds.
    public var count: Int {
        contents.numbers.count + contents.histograms.count + contents.exponentials.count
            + contents.summaries.count
    }
    public var pointCount: Int { count }
    public var isEmpty: Bool { count == 0 }
    /// The contents, to be changed into another batch.
    public var parts: Parts {
        Parts(
            numbers: numbers,
            histograms: histograms,
            exponentials: exponentials,
            summaries: summaries,
            exemplars: exemplars
        )
    }

    /// The contents of a batch while it is made.
    public struct Parts: Sendable {
        public var numbers = NumberPoints()
        public var histograms = HistogramPoints()
        public var exponentials = ExponentialPoints()
        public var summaries = SummaryPoints()
        public var exemplars: [Exemplar] = []
        public init() {}
        init(
            numbers: NumberPoints,
            histograms: HistogramPoints,
            exponentials: ExponentialPoints,
            summaries: SummaryPoints,
            exemplars: [Exemplar]
        ) {
            (self.numbers, self.histograms, self.exponentials) = (numbers, histograms, exponentials)
            (self.summaries, self.exemplars) = (summaries, exemplars)
        }
        public var count: Int { numbers.count + histograms.count + exponentials.count + summaries.count }
        public var byteCount: Int {
            var bytes = 128 + numbers.count * 33
            bytes += histograms.count * 80 + histograms.buckets.count * 8
            bytes += exponentials.count * 160 + exponentials.buckets.count * 8
            bytes += summaries.count * 56 + summaries.quantiles.count * 16
            return bytes + exemplars.count * 160
        }
    }
}
