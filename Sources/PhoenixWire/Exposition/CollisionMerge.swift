import PhoenixModel

/// Several series under one exposed label set, made one: increments of counters and histograms add up, the newest gauge
/// stands.
///
/// An output goes on from what its first input had exposed, so that nothing jumps when a second one joins. A new input
/// counts from zero only if it began after anything of it could have been missed (the horizon), else from its first value
/// on. Exact for integers; doubles carry a compensation term. The small path: a `Reaggregator` upstream makes it
/// unnecessary.
struct CollisionMerge {
    /// What an input said last.
    struct Input {
        var output: UInt32
        var number: Number
        var compound: CompoundPoint?
        var start: UInt64
        var time: UInt64
        var seen: UInt32
    }
    /// How the inputs of an output make one value.
    enum Law {
        /// Of the newest point.
        case newest
        /// Of all increments, each point being cumulative.
        case increments
        /// Of all points, each being an increment.
        case deltas
    }
    private(set) var inputs: [UInt32: Input] = [:]
    /// How many inputs an output has.
    private var uses: [UInt32: Int] = [:]
    /// The doubles of outputs, with what rounding took from them.
    private var sums: [UInt32: (sum: Double, error: Double)] = [:]
    /// From when on a series that begins was watched from its beginning.
    private var horizon: UInt64
    var isEmpty: Bool { inputs.isEmpty }

    init(watchingSince horizon: UInt64) { self.horizon = horizon }

    /// Takes in a series whose value is what its output already shows.
    mutating func adopt(_ slot: UInt32, _ input: Input) {
        inputs[slot] = input
        uses[input.output, default: 0] += 1
    }
    /// Takes in a series of which nothing is known yet.
    mutating func adopt(_ slot: UInt32, into output: UInt32, seen: UInt32) {
        adopt(slot, Input(output: output, number: .zero, compound: nil, start: 0, time: 0, seen: seen))
    }
    /// Lets an input go; what it added stays. Answers its output.
    @discardableResult
    mutating func remove(_ slot: UInt32) -> UInt32? {
        guard let input = inputs.removeValue(forKey: slot) else { return nil }
        horizon = max(horizon, input.time)
        let left = uses[input.output, default: 1] - 1
        uses[input.output] = left > 0 ? left : nil
        return input.output
    }
    mutating func end(_ output: UInt32) { sums[output] = nil }
    func slots(seenBefore limit: UInt32) -> [UInt32] { inputs.filter { $0.value.seen < limit }.map(\.key) }
    func hasInputs(_ output: UInt32) -> Bool { uses[output] != nil }

    /// What a number point adds to the output; nil for one older than what its input said last.
    mutating func increment(
        _ slot: UInt32,
        _ number: Number,
        start: UInt64,
        time: UInt64,
        _ law: Law
    ) -> Number? {
        guard let last = inputs[slot], time > last.time || (time == last.time && law != .deltas) else {
            return nil
        }
        defer {
            inputs[slot]!.number = number
            inputs[slot]!.start = start
            inputs[slot]!.time = time
        }
        switch law {
        case .newest, .deltas: return number
        case .increments:
            if last.time == 0 { return isWatched(start, time) ? number : .zero }
            return isReset(last, number < last.number, start) ? number : number - last.number
        }
    }
    /// The same for a point of several numbers. A first point from which nothing counts adds an empty one.
    mutating func increment(
        _ slot: UInt32,
        _ point: CompoundPoint,
        time: UInt64,
        _ law: Law
    ) -> CompoundPoint? {
        guard let last = inputs[slot], time > last.time || (time == last.time && law != .deltas) else {
            return nil
        }
        defer {
            inputs[slot]!.compound = point
            inputs[slot]!.start = point.start
            inputs[slot]!.time = time
        }
        guard law == .increments else { return point }
        guard let earlier = last.compound else {
            return isWatched(point.start, time) ? point : point.increase(since: point)
        }
        let increase = point.increase(since: earlier)
        return isReset(last, increase == nil, point.start) ? point : increase
    }
    mutating func touch(_ slot: UInt32, at tick: UInt32) { inputs[slot]?.seen = tick }

    private func isWatched(_ start: UInt64, _ time: UInt64) -> Bool { start > horizon && start < time }
    /// A fall, or a beginning after the last point. Other changes of the start are jitter.
    private func isReset(_ last: Input, _ fell: Bool, _ start: UInt64) -> Bool {
        fell || (start != last.start && start != 0 && start >= last.time)
    }

    /// An output's value with an increment, the rounding of doubles carried along (Neumaier).
    mutating func sum(_ value: Number, _ increment: Number, output: UInt32) -> Number {
        let plain = value + increment
        guard !plain.isInteger else { return plain }
        let right = increment.double
        var exact = sums[output] ?? (value.double, 0)
        let total = exact.sum + right
        let lost =
            abs(exact.sum) >= abs(right) ? (exact.sum - total) + right : (right - total) + exact.sum
        exact = (total, exact.error + (lost.isFinite ? lost : 0))
        sums[output] = exact
        return Number(exact.sum + exact.error)
    }
}
