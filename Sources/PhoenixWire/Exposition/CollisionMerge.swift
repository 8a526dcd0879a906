import PhoenixModel

/// Several series under one exposed label set, made one, by the rules of the `Reaggregator`: increments of counters,
/// histograms and summaries add up; of gauges, and of sums that may fall, the levels of now make one.
///
/// An output goes on from what its first input had exposed, so that nothing jumps when a second one joins. A new input
/// counts from zero only if it began after anything of it could have been missed (the horizon), else from its first value
/// on. Exact for integers; doubles carry a compensation term. A level counts until its input ends or expires. The small
/// path: a `Reaggregator` upstream makes it unnecessary.
struct CollisionMerge {
    /// What an input said last.
    struct Input {
        var output: UInt32
        var number: Number
        var compound: CompoundPoint?
        var start: UInt64
        var time: UInt64
        var seen: UInt32
        /// Whether its number is part of its output's level.
        var isLive = false
        /// Its neighbours among those inputs of its output.
        var before = CollisionLevel.nobody
        var after = CollisionLevel.nobody
    }
    /// How the inputs of an output make one value.
    enum Law: Equatable {
        /// Of what each says now. The law of the first input is that of all.
        case level(GaugeMerge)
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
    /// The outputs that show levels.
    private var levels: [UInt32: CollisionLevel] = [:]
    /// Those of them whose level is to be looked for among their inputs.
    private var unsettled: Set<UInt32> = []
    /// From when on a series that begins was watched from its beginning.
    private var horizon: UInt64
    var isEmpty: Bool { inputs.isEmpty }

    init(watchingSince horizon: UInt64) { self.horizon = horizon }

    /// Takes in the first series of an output, whose value is what that already shows.
    mutating func adopt(_ slot: UInt32, _ input: Input, _ law: Law) {
        inputs[slot] = input
        uses[input.output, default: 0] += 1
        guard case .level(let rule) = law else { return }
        levels[input.output] = CollisionLevel(rule)
        if input.time != 0 { enter(slot) }
    }
    /// Takes in a series of which nothing is known yet.
    mutating func adopt(_ slot: UInt32, into output: UInt32, seen: UInt32) {
        inputs[slot] = Input(output: output, number: .zero, compound: nil, start: 0, time: 0, seen: seen)
        uses[output, default: 0] += 1
    }
    /// Lets an input go; what it added stays, its level does not.
    mutating func remove(_ slot: UInt32) {
        leave(slot)
        guard let input = inputs.removeValue(forKey: slot) else { return }
        horizon = max(horizon, input.time)
        let left = uses[input.output, default: 1] - 1
        uses[input.output] = left > 0 ? left : nil
    }
    mutating func end(_ output: UInt32) {
        sums[output] = nil
        levels[output] = nil
        unsettled.remove(output)
    }
    func slots(seenBefore limit: UInt32) -> [UInt32] { inputs.filter { $0.value.seen < limit }.map(\.key) }
    func hasInputs(_ output: UInt32) -> Bool { uses[output] != nil }
    func hasOneInput(_ output: UInt32) -> Bool { uses[output] == 1 }
    func isLevel(_ output: UInt32) -> Bool { levels[output] != nil }

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
        case .level, .deltas: return number
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

    // MARK: Levels

    /// Puts a level in the place of what its input said before; false for one older than that.
    mutating func replace(_ slot: UInt32, with number: Number, start: UInt64, time: UInt64) -> Bool {
        guard let old = inputs[slot], time >= old.time else { return false }
        var new = old
        (new.number, new.start, new.time) = (number, start, time)
        inputs[slot] = new
        guard old.isLive else {
            enter(slot)
            return true
        }
        guard var level = levels[old.output] else { return true }
        level.replace(old, with: new, slot, beside: inputs[level.shown])
        put(level, old.output)
        return true
    }
    /// What the inputs of an output say together; nil where that is to be looked for, or none of them has said anything.
    func level(of output: UInt32) -> Number? {
        guard let level = levels[output], level.count > 0 else { return nil }
        if level.count == 1 { return inputs[level.first]?.number }
        if level.isOpen { return nil }
        return level.addsUp ? level.number : inputs[level.shown]?.number
    }
    /// Looks for what was left open, and tells it; to be called before it is read, not whenever somebody leaves.
    mutating func settle(_ tell: (_ output: UInt32, _ level: Number) -> Void) {
        guard !unsettled.isEmpty else { return }
        for output in unsettled {
            guard var level = levels[output] else { continue }
            level.beginAnew()
            var slot = level.first
            while let input = inputs[slot] {
                level.take(input, slot, beside: inputs[level.shown])
                slot = input.after
            }
            levels[output] = level
            if let number = self.level(of: output) { tell(output, number) }
        }
        unsettled.removeAll()
    }
    private mutating func enter(_ slot: UInt32) {
        guard let input = inputs[slot], var level = levels[input.output] else { return }
        inputs[slot]!.isLive = true
        inputs[slot]!.after = level.first
        inputs[level.first]?.before = slot
        level.first = slot
        level.count += 1
        level.take(input, slot, beside: inputs[level.shown])
        put(level, input.output)
    }
    private mutating func leave(_ slot: UInt32) {
        guard let input = inputs[slot], input.isLive, var level = levels[input.output] else { return }
        inputs[input.before]?.after = input.after
        inputs[input.after]?.before = input.before
        if level.first == slot { level.first = input.after }
        level.count -= 1
        level.drop(input, slot)
        put(level, input.output)
    }
    private mutating func put(_ level: CollisionLevel, _ output: UInt32) {
        levels[output] = level
        if level.isOpen { unsettled.insert(output) }
    }
}
