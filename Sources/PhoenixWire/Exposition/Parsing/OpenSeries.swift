public import PhoenixModel

/// Series of a target whose ends are yet to be told, for whoever goes on with the target or ends it.
public struct OpenSeries: Sendable {
    struct Member: Sendable {
        var id: SeriesID
        var kind: PointKind
    }
    private var members: [Member]

    /// None.
    public init() { members = [] }
    init(_ members: [Member]) { self.members = members }

    public var isEmpty: Bool { members.isEmpty }
    /// About how much memory they take.
    public var byteCount: Int { members.count * MemoryLayout<Member>.stride }

    public mutating func append(_ others: OpenSeries) { members += others.members }
    /// Leaves out series that go on.
    public mutating func remove(_ series: Set<SeriesID>) { members.removeAll { series.contains($0.id) } }
    /// The ends of all; nil where there are none.
    public func ends(at time: UInt64) -> MetricBatch? {
        guard !members.isEmpty else { return nil }
        var parts = MetricBatch.Parts()
        for member in members.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
            parts.appendEnd(of: member.id, member.kind, at: time)
        }
        return MetricBatch(parts, epoch: time / 1_000_000_000)
    }
}

extension MetricBatch {
    /// The series of its points, one for each point.
    public var allSeries: [SeriesID] {
        numbers.series + histograms.series + exponentials.series + summaries.series
    }
}

extension TargetReader {
    /// What `lost` and `endReport` would end.
    var open: OpenSeries {
        let live = streams.known.filter { streams[$0].isLive }.map { place in
            OpenSeries.Member(id: streams[place].id, kind: streams[place].metric.kind)
        }
        let told = figures.sorted { $0.key < $1.key }.map { OpenSeries.Member(id: $0.value, kind: .gauge) }
        return OpenSeries(live + told)
    }
}
