import PhoenixModel

/// One output of a merger: what its inputs have come to.
struct MergedOutput: Sendable {
    struct Member: Sendable {
        var amount: Amount
        var time: UInt64
    }
    /// Whether it shows the current values of its members, rather than counting.
    let isLive: Bool
    let isDelta: Bool
    private let gauges: GaugeMerge
    /// Of one that counts.
    var amount = Amount()
    /// Of one that shows.
    var members: [SeriesID: Member] = [:]
    var time: UInt64 = 0
    var start: UInt64 = 0
    /// When it last had a point, by the newest time known.
    var seen: UInt64 = 0

    init(_ metric: Metric, _ gauges: GaugeMerge) {
        isDelta = metric.kind == .sum && metric.temporality == .delta
        isLive = metric.kind == .gauge || (!isDelta && !metric.isMonotonic)
        self.gauges = metric.kind == .sum ? .sum : gauges
    }

    /// The value to emit; nil when the last member has left.
    var value: (bits: UInt64, flags: PointFlags)? {
        guard isLive else { return amount.bits }
        guard !members.isEmpty else { return nil }
        let amounts = members.values.map(\.amount)
        switch gauges {
        case .sum: return total.bits
        case .avg: return ((total.value / Double(members.count)).bitPattern, [])
        case .min: return amounts.min { $0.value < $1.value }?.bits
        case .max: return amounts.max { $0.value < $1.value }?.bits
        // Of several at one time the greatest series id, so that chance decides nothing.
        case .last: return members.max { ($0.value.time, $0.key.rawValue) < ($1.value.time, $1.key.rawValue) }?.value.amount.bits
        }
    }
    private var total: Amount {
        // In the order of the ids: sums of doubles then come to the same each time.
        members.sorted { $0.key.rawValue < $1.key.rawValue }.reduce(into: Amount()) { $0 += $1.value.amount }
    }
}
