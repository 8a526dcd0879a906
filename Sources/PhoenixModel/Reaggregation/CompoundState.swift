/// What is remembered of histograms and summaries: they are wider than numbers, and fewer.
struct CompoundState: Sendable {
    var histograms = CompoundPool<HistogramMember, HistogramOutput>()
    var exponentials = CompoundPool<ExponentialMember, ExponentialOutput>()
    var summaries = CompoundPool<SummaryMember, SummaryOutput>()

    mutating func forget(_ slot: UInt32) {
        histograms.forget(slot)
        exponentials.forget(slot)
        summaries.forget(slot)
    }
    mutating func drop(output number: UInt32) {
        histograms.totals[number] = nil
        exponentials.totals[number] = nil
        summaries.totals[number] = nil
    }
    mutating func restart(output number: UInt32) {
        histograms.totals[number]?.clear()
        exponentials.totals[number]?.clear()
        summaries.totals[number]?.clear()
    }
    /// When a writer beside the one followed was last seen; 0 where there is none.
    func newestTwin(_ slot: UInt32) -> UInt64 {
        max(histograms.newestTwin(slot), exponentials.newestTwin(slot), summaries.newestTwin(slot))
    }

    /// Emits an output; a window is empty again afterwards.
    mutating func emit(_ number: UInt32, _ output: Output, _ parts: inout MetricBatch.Parts) {
        let isDelta = output.state.contains(.isDelta)
        if let total = histograms.totals[number] {
            if !isDelta || !total.isEmpty { total.emit(output, to: &parts.histograms) }
            if isDelta { histograms.totals[number]?.clear() }
        } else if let total = exponentials.totals[number] {
            if !isDelta || !total.isEmpty { total.emit(output, to: &parts.exponentials) }
            if isDelta { exponentials.totals[number]?.clear() }
        } else if let total = summaries.totals[number] {
            total.emit(output, to: &parts.summaries)
        }
    }
}

/// The accumulator of a compound output.
protocol CompoundTotal: Sendable {
    associatedtype Point: Sendable
    /// Adds a whole point.
    mutating func add(_ point: Point)
    /// Adds nothing of a point, but what it lacks is lacking from now on.
    mutating func join(_ point: Point)
    /// Adds what came between two points of a stream; false, and nothing, where a count fell: the stream began anew.
    mutating func add(from old: Point, to new: Point) -> Bool
}

/// The last points of compound streams by slot, and their outputs by number.
struct CompoundPool<Point: Sendable, Total: CompoundTotal>: Sendable where Total.Point == Point {
    struct Twin: Sendable {
        var member: Member
        var point: Point
    }
    /// How a cumulative point follows the one before of its stream, and since when what it adds was under way.
    private enum Succession {
        case nothing(since: UInt64)
        case whole(since: UInt64)
        case increase(from: Point, since: UInt64)
    }
    var totals: [UInt32: Total] = [:]
    var last: [UInt32: Point] = [:]
    var twins: [UInt32: [Twin]] = [:]

    mutating func forget(_ slot: UInt32) {
        if !last.isEmpty { last[slot] = nil }
        if !twins.isEmpty { twins[slot] = nil }
    }
    func newestTwin(_ slot: UInt32) -> UInt64 {
        twins.isEmpty ? 0 : twins[slot]?.map(\.member.time).max() ?? 0
    }
    /// Follows a point that goes nowhere.
    mutating func skip(_ point: Point, _ slot: UInt32, _ member: inout Member, time: UInt64, start: UInt64) {
        guard !member.state.contains(.hasValue) || time > member.time else { return }
        if !twins.isEmpty { twins[slot] = nil }
        member.follow(time: time, start: start)
        last[slot] = point
    }

    /// Adds a cumulative point's increase to an output; answers since when that was under way, nil for a late point.
    mutating func add(
        _ point: Point,
        _ slot: UInt32,
        _ member: inout Member,
        to number: UInt32,
        time: UInt64,
        start: UInt64,
        fromZero: Bool,
        _ counts: inout ReaggregatorCounts
    ) -> UInt64? {
        guard
            let succession = follow(
                point,
                slot,
                &member,
                time: time,
                start: start,
                fromZero: fromZero,
                &counts
            )
        else {
            counts.late += 1
            return nil
        }
        switch succession {
        case .nothing(let since):
            totals[number]?.join(point)
            return since
        case .whole(let since):
            totals[number]?.add(point)
            return since
        case .increase(let old, let since):
            if totals[number]?.add(from: old, to: point) == false {
                counts.resets += 1
                totals[number]?.add(point)
            }
            return since
        }
    }
    private mutating func follow(
        _ point: Point,
        _ slot: UInt32,
        _ member: inout Member,
        time: UInt64,
        start: UInt64,
        fromZero: Bool,
        _ counts: inout ReaggregatorCounts
    ) -> Succession? {
        guard member.state.contains(.hasValue), let old = last[slot] else {
            member.follow(time: time, start: start)
            last[slot] = point
            if fromZero { return .whole(since: start) }
            counts.unwatched += 1
            return .nothing(since: time)
        }
        if member.isFollowedBefore(start: start) {
            return followTwin(point, slot, member, time: time, start: start, &counts)
        }
        guard time > member.time else { return nil }
        let since = member.time
        let isRestarted = member.isRestarted(start: start, time: time)
        member.follow(time: time, start: start)
        last[slot] = point
        guard isRestarted else { return .increase(from: old, since: since) }
        counts.resets += 1
        return .whole(since: since)
    }
    /// See `Reaggregator.countTwin`.
    private mutating func followTwin(
        _ point: Point,
        _ slot: UInt32,
        _ followed: Member,
        time: UInt64,
        start: UInt64,
        _ counts: inout ReaggregatorCounts
    ) -> Succession? {
        var known = twins[slot] ?? []
        defer { twins[slot] = known.isEmpty ? nil : known }
        let index = known.firstIndex {
            max($0.member.start, start) - min($0.member.start, start) <= Member.startJitter
        }
        guard let index else {
            guard time > followed.time else { return nil }
            counts.overlaps += 1
            if known.count == PhoenixModel.Twin.limit,
                let oldest = known.indices.min(by: { known[$0].member.time < known[$1].member.time })
            {
                known.remove(at: oldest)
            }
            var member = Member()
            member.follow(time: time, start: start)
            known.append(Twin(member: member, point: point))
            return .nothing(since: time)
        }
        guard time > known[index].member.time else { return nil }
        counts.overlaps += 1
        let old = known[index]
        known[index].member.follow(time: time, start: start)
        known[index].point = point
        return .increase(from: old.point, since: old.member.time)
    }
}

extension Member {
    @inline(__always)
    mutating func follow(time: UInt64, start: UInt64) {
        (self.time, self.start) = (time, start)
        state.insert(.hasValue)
    }
}
