/// What series that share one exposed label set must show, by the rules as they are written: made anew from what each said,
/// as exact numbers by the words that stand for them (`count`, `sum`, the bound of a bucket).
struct CollisionOracle {
    enum Rule { case sum, mean, newest, increments }
    struct Input {
        var amount: [String: Double]
        var time: UInt64
        var start: UInt64
        var seen: Int
    }
    let rule: Rule
    private(set) var inputs: [Int: Input] = [:]
    /// What increments have come to; of one series that never had to share what it said.
    private var total: [String: Double] = [:]
    private var isShared = false
    private var seen = 0
    /// The median, as long as it is known.
    private(set) var median: Double?

    init(_ rule: Rule) { self.rule = rule }

    var shown: [String: Double] {
        guard rule != .increments else { return total }
        guard let newest = inputs.values.max(by: { $0.time < $1.time }) else { return [:] }
        let sum = inputs.values.reduce(0) { $0 + $1.amount["", default: 0] }
        switch rule {
        case .newest, .increments: return newest.amount
        case .mean: return ["": sum / Double(inputs.count)]
        case .sum: return ["": sum]
        }
    }
    mutating func put(_ name: Int, _ new: Input, median: Double?, isWatched: Bool) {
        let last = inputs[name]
        if let last, new.time < last.time { return }
        inputs[name] = new
        seen = new.seen
        self.median = inputs.count == 1 ? median : nil
        if total.isEmpty || (last != nil && !isShared) {
            total = new.amount
        } else if let last {
            add(new.start != last.start ? new.amount : new.amount.merging(last.amount) { $0 - $1 })
        } else {
            isShared = true
            add(isWatched ? new.amount : new.amount.mapValues { _ in 0 })
        }
    }
    /// What only one of two says is not known of both.
    private mutating func add(_ increment: [String: Double]) {
        total = total.filter { increment[$0.key] != nil }.merging(increment.filter { total[$0.key] != nil }) {
            $0 + $1
        }
    }
    mutating func end(_ name: Int, at time: UInt64) {
        guard let last = inputs[name], time >= last.time else { return }
        inputs[name] = nil
        if inputs.isEmpty { forget() }
    }
    mutating func expire(seenBefore limit: Int) {
        inputs = inputs.filter { $0.value.seen >= limit }
        if inputs.isEmpty, seen < limit { forget() }
    }
    private mutating func forget() { (total, isShared, median) = ([:], false, nil) }
}
