import PhoenixModel

/// Adds up series that share an output, so that no total is ever wrong.
///
/// Of monotonic cumulative sums it adds the increases of each input to an accumulator of the output; deltas it adds;
/// of gauges and of sums that go up and down it shows the members' current values together. Where an input goes may
/// change at any batch: what it grows by then counts elsewhere, and the output it left stands still.
struct Merger {
    struct Policy: Sendable, Equatable {
        var gauges: [String: GaugeMerge] = GaugeMerge.byConvention
        /// How long a gauge's value holds, in nanoseconds; nil takes 2.5 times its own interval.
        var staleAfter: UInt64?
        /// How long an input or output that is not seen is remembered, in nanoseconds.
        var expiry: UInt64 = 300_000_000_000
    }
    struct Result: Sendable {
        var merged: MetricBatch?
        /// Points of kinds that cannot be merged here.
        var unmergeable = 0
    }
    private struct Input: Sendable {
        var output: SeriesID
        var amount: Amount
        var time: UInt64
        var start: UInt64
        /// Between its last two points.
        var interval: UInt64 = 0
    }
    private let table: SeriesTable
    private var inputs: [SeriesID: Input] = [:]
    private var outputs: [SeriesID: MergedOutput] = [:]
    private var touched: Set<SeriesID> = []
    /// An input that began later than this was not seen before and forgotten: it counts from zero.
    private var horizon: UInt64
    /// Inputs that went through as they were before they had to be merged: what they say first was told already.
    private var displaced: Set<SeriesID> = []
    private var newest: UInt64 = 0
    private var sweepAt: UInt64 = 0
    var policy: Policy

    /// `now` is when the node began to watch.
    init(_ table: SeriesTable, _ policy: Policy, at now: UInt64) {
        (self.table, self.policy, horizon) = (table, policy, now)
    }

    /// How many outputs have an input that was seen within the expiry.
    var liveOutputs: Int { outputs.values.count { $0.seen &+ policy.expiry >= newest } }

    /// These inputs were passed on as they were until now: they count from their next value on.
    mutating func takeOver(_ ids: [SeriesID]) { displaced.formUnion(ids) }

    /// Books a batch under its input series; each output touched is emitted once, at its newest time.
    mutating func apply(_ batch: MetricBatch, _ output: (SeriesID) -> SeriesID?) -> Result {
        let points = batch.numbers
        var result = Result()
        result.unmergeable = batch.count - points.count
        for index in points.series.indices {
            guard let target = output(points.series[index]) else { continue }
            let value = Amount(bits: points.values[index], points.flags[index])
            let input = Input(output: target, amount: value, time: points.times[index], start: points.starts[index])
            newest = max(newest, input.time)
            book(input, points.series[index], hasEnded: points.flags[index].contains(.noRecordedValue))
        }
        lapse()
        result.merged = emit(epoch: batch.epoch)
        return result
    }

    /// Takes members out whose values no longer hold at `now`, and emits what changed by that.
    mutating func advance(to now: UInt64) -> MetricBatch? {
        newest = max(newest, now)
        lapse()
        return emit(epoch: 0)
    }

    /// Takes the current values of gauges to where they go from now on: they do not wait for their next point.
    mutating func remap(_ output: (SeriesID) -> SeriesID?) -> MetricBatch? {
        for (id, input) in inputs where outputs[input.output]?.isLive == true {
            let target = output(id)
            guard target != input.output else { continue }
            if let target {
                var moved = input
                moved.output = target
                book(moved, id, hasEnded: false)
                inputs[id]?.interval = input.interval
                outputs[target]?.time = newest
            } else {
                leave(id, input.output)
                inputs[id] = nil
            }
        }
        return emit(epoch: 0)
    }

    private mutating func book(_ point: Input, _ id: SeriesID, hasEnded: Bool) {
        guard var output = outputs[point.output] ?? makeOutput(point) else { return }
        let known = inputs[id]
        if let known, known.output != point.output { leave(id, known.output) }
        if hasEnded {
            output.members[id] = nil
            inputs[id] = nil
        } else {
            if let known, point.time < known.time { return }
            if output.isLive {
                output.members[id] = .init(amount: point.amount, time: point.time)
            } else if output.isDelta {
                output.amount += point.amount
            } else {
                count(point, of: id, known, &output)
            }
            var input = point
            input.interval = known.map { point.time - $0.time } ?? 0
            inputs[id] = input
        }
        (output.time, output.seen) = (max(output.time, point.time), newest)
        if output.start == 0 || output.isDelta { output.start = point.start }
        outputs[point.output] = output
        touched.insert(point.output)
    }

    /// Adds the increase of a monotonic input (data model, "Resets and Gaps").
    private mutating func count(_ point: Input, of id: SeriesID, _ known: Input?, _ output: inout MergedOutput) {
        guard let known else {
            // Never seen: from zero only if it cannot have been seen before.
            let isNew = point.start > horizon && point.start < point.time && displaced.remove(id) == nil
            if isNew { output.amount += point.amount }
            if output.start == 0 { output.start = isNew ? point.start : point.time }
            return
        }
        if output.start == 0 { output.start = known.time }
        let increase = point.amount - known.amount
        let isReset = increase.value < 0 || (point.start != known.start && point.start >= known.time)
        output.amount += isReset ? point.amount : increase
    }

    private func makeOutput(_ point: Input) -> MergedOutput? {
        guard let metric = table.series(point.output)?.metric else { return nil }
        return MergedOutput(metric, policy.gauges[metric.name] ?? .last)
    }
    private mutating func leave(_ id: SeriesID, _ output: SeriesID) {
        guard outputs[output]?.isLive == true else { return }
        outputs[output]?.members[id] = nil
        outputs[output]?.time = newest
        touched.insert(output)
    }

    /// Lets members go whose values no longer hold, and forgets what was not seen for long.
    private mutating func lapse() {
        guard newest >= sweepAt else { return }
        sweepAt = newest &+ 1_000_000_000
        for (id, input) in inputs {
            let isLive = outputs[input.output]?.isLive == true
            let age = newest - min(newest, input.time)
            let holds = policy.staleAfter ?? (input.interval == 0 ? policy.expiry : input.interval * 5 / 2)
            if isLive, age > holds {
                leave(id, input.output)
                inputs[id] = nil
            } else if age > policy.expiry {
                horizon = max(horizon, input.time)
                inputs[id] = nil
            }
        }
        displaced = displaced.filter { table.isCurrent($0) }
        for (id, output) in outputs where output.seen &+ policy.expiry < newest && !touched.contains(id) {
            outputs[id] = nil
        }
    }

    private mutating func emit(epoch: UInt64) -> MetricBatch? {
        guard !touched.isEmpty else { return nil }
        var parts = MetricBatch.Parts()
        for id in touched.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard var output = outputs[id] else { continue }
            table.touch(id)
            if let (bits, flags) = output.value {
                parts.numbers.append(id, time: output.time, start: output.start, bits: bits, flags: flags)
            } else {
                parts.numbers.append(
                    id, time: max(newest, output.time), start: output.start, bits: 0, flags: .noRecordedValue
                )
                outputs[id] = nil
                continue
            }
            if output.isDelta { output.amount = Amount() }
            outputs[id] = output
        }
        touched = []
        return MetricBatch(parts, epoch: epoch)
    }
}
