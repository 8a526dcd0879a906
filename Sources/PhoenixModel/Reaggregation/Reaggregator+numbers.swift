/// Sums and gauges.
extension Reaggregator {
    mutating func applyNumbers(_ points: NumberPoints, _ resolve: Resolve) {
        let seconds = nowSeconds
        let (series, times, starts) = (points.series.span, points.times.span, points.starts.span)
        let (values, flags) = (points.values.span, points.flags.span)
        for index in series.indices {
            let id = series[index]
            let member = members.element(id.slot)
            let point = NumberPoint(
                time: times[index],
                start: starts[index],
                bits: values[index],
                flags: flags[index]
            )
            if member.pointee.generation != id.generation || member.pointee.output >= Self.firstDropped
                || id.slot >= unasked || member.pointee.state.contains(.isOpen)
                || isForgotten(member.pointee.seen, at: seconds)
            {
                guard find(id, resolve) else {
                    skip(point, id)
                    continue
                }
            }
            let number = member.pointee.output
            let output = outputs.element(number)
            member.pointee.seen = seconds
            switch output.pointee.kind {
            case .counter:
                wake(number, seen: output.pointee.seen)
                if member.pointee.state.contains(.isDelta) {
                    addUp(point, &member.pointee, number, &output.pointee)
                } else {
                    count(point, id.slot, &member.pointee, number, &output.pointee)
                }
            case .gauge: show(point, id.slot, member, number, output)
            case .delta:
                if member.pointee.state.contains(.isDelta) {
                    accumulate(point, &member.pointee, number, &output.pointee)
                } else {
                    count(point, id.slot, &member.pointee, number, &output.pointee)
                }
            case .compound: counts.invalid += 1
            }
        }
    }

    /// Looks at points that somebody else passes on: what their series grow by from here on is ours.
    mutating func watchNumbers(_ points: NumberPoints, _ resolve: Resolve) {
        for index in points.series.indices {
            let point = NumberPoint(
                time: points.times[index],
                start: points.starts[index],
                bits: points.values[index],
                flags: points.flags[index]
            )
            let id = points.series[index]
            let isFound = find(id, resolve)
            skip(point, id)
            guard isFound else { continue }
            let number = members[id.slot].output
            let output = outputs.element(number)
            output.pointee.sum.join(isInteger: point.isInteger)
            showStanding(number, time: point.time)
        }
    }
    /// Has an output emitted to which nothing is added; an empty window says nothing.
    mutating func showStanding(_ number: UInt32, time: UInt64) {
        let output = outputs.element(number)
        if output.pointee.state.contains(.isDelta) { return }
        wake(number, seen: output.pointee.seen)
        output.pointee.begin(at: time, ahead: lead(time))
        touch(&output.pointee, number, time: time)
    }

    /// Follows a point that goes nowhere: what its stream grew by meanwhile is nobody's, and nobody's stays a window that
    /// came, should it come once more.
    @inline(never)
    private mutating func skip(_ point: NumberPoint, _ id: SeriesID) {
        let member = members.element(id.slot)
        guard member.pointee.generation == id.generation, !point.flags.contains(.noRecordedValue) else {
            return
        }
        if member.pointee.state.contains(.isDelta) {
            guard point.isFinite else { return }
            member.pointee.takeWindow(
                start: point.start,
                time: point.time,
                after: windowFloor(point.flags),
                at: now
            )
            return
        }
        let isTold = member.pointee.state.intersection([.hasValue, .isTold]) == .isTold
        guard isTold || point.time > member.pointee.time else { return }
        if member.pointee.state.contains(.isCumulative) {
            guard point.isAmount else { return }
            // A twin would find what went by while nobody counted.
            if member.pointee.state.contains(.hasTwins) { twins[id.slot] = nil }
            member.pointee.state.remove(.hasTwins)
            member.pointee.remember(point)
        } else {
            member.pointee.time = point.time
        }
    }

    // MARK: Cumulative monotonic sums

    @inline(__always)
    private mutating func count(
        _ point: NumberPoint,
        _ slot: UInt32,
        _ member: inout Member,
        _ number: UInt32,
        _ output: inout Output
    ) {
        if point.flags.contains(.noRecordedValue) {
            counts.ends += 1
            return
        }
        guard point.isAmount else {
            counts.invalid += 1
            return
        }
        guard member.state.contains(.hasValue) else {
            return countFirst(point, &member, number, &output)
        }
        if member.isFollowedBefore(start: point.start) {
            return countTwin(point, slot, &member, number, &output)
        }
        guard point.time > member.time else {
            counts.late += 1
            return
        }
        output.begin(at: member.time, ahead: lead(point.time))
        output.sum.join(isInteger: point.isInteger)
        if member.isRestarted(start: point.start, time: point.time) || member.isAbove(point) {
            counts.resets += 1
            output.sum.add(point)
        } else {
            output.sum.add(from: member, to: point)
        }
        member.remember(point)
        touch(&output, number, time: point.time)
    }
    @inline(never)
    private mutating func countFirst(
        _ point: NumberPoint,
        _ member: inout Member,
        _ number: UInt32,
        _ output: inout Output
    ) {
        let isCounted = countsFromZero(member, start: point.start, time: point.time, point.flags)
        member.remember(point)
        // No window ends where a stream is first seen.
        if output.kind == .delta, !isCounted { return }
        output.sum.join(isInteger: point.isInteger)
        if isCounted {
            output.begin(at: point.start, ahead: lead(point.time))
            output.sum.add(point)
        } else {
            counts.unwatched += 1
            output.begin(at: point.time, ahead: lead(point.time))
        }
        touch(&output, number, time: point.time)
    }

    /// Counts a writer whose start is earlier than the one we follow, beside it. Its past may have been counted while it
    /// was the one followed, so it counts from its first value on.
    @inline(never)
    private mutating func countTwin(
        _ point: NumberPoint,
        _ slot: UInt32,
        _ member: inout Member,
        _ number: UInt32,
        _ output: inout Output
    ) {
        var known = twins[slot] ?? []
        let index = known.firstIndex {
            max($0.member.start, point.start) - min($0.member.start, point.start) <= Member.startJitter
        }
        guard let index else {
            // Out of order, from before the restart: not a writer of today.
            guard point.time > member.time else {
                counts.late += 1
                return
            }
            counts.overlaps += 1
            if known.count == Twin.limit,
                let oldest = known.indices.min(by: { known[$0].member.time < known[$1].member.time })
            {
                known.remove(at: oldest)
            }
            var twin = Member()
            twin.remember(point)
            known.append(Twin(member: twin))
            twins[slot] = known
            member.state.insert(.hasTwins)
            return
        }
        guard point.time > known[index].member.time else {
            counts.late += 1
            return
        }
        counts.overlaps += 1
        output.begin(at: known[index].member.time, ahead: lead(point.time))
        if known[index].member.isAbove(point) {
            counts.resets += 1
            output.sum.add(point)
        } else {
            output.sum.add(from: known[index].member, to: point)
        }
        known[index].member.remember(point)
        twins[slot] = known
        touch(&output, number, time: point.time)
    }

    // MARK: Delta sums

    @inline(__always)
    private mutating func accumulate(
        _ point: NumberPoint,
        _ member: inout Member,
        _ number: UInt32,
        _ output: inout Output
    ) {
        if point.flags.contains(.noRecordedValue) {
            counts.ends += 1
            return
        }
        let isMonotonic = output.state.contains(.isMonotonic)
        guard isMonotonic ? point.isAmount : point.isFinite else {
            counts.invalid += 1
            return
        }
        guard
            member.takeWindow(start: point.start, time: point.time, after: windowFloor(point.flags), at: now)
        else {
            counts.late += 1
            return
        }
        output.open(at: point.start)
        output.sum.join(isInteger: point.isInteger)
        output.sum.add(point)
        touch(&output, number, time: point.time)
    }
    /// Adds a window to a total.
    @inline(never)
    private mutating func addUp(
        _ point: NumberPoint,
        _ member: inout Member,
        _ number: UInt32,
        _ output: inout Output
    ) {
        if point.flags.contains(.noRecordedValue) {
            counts.ends += 1
            return
        }
        guard output.state.contains(.isMonotonic) ? point.isAmount : point.isFinite else {
            counts.invalid += 1
            return
        }
        let since = member.windowStart(point.start, time: point.time)
        guard
            member.takeWindow(start: point.start, time: point.time, after: windowFloor(point.flags), at: now)
        else {
            counts.late += 1
            return
        }
        output.begin(at: since, ahead: lead(point.time))
        output.sum.join(isInteger: point.isInteger)
        output.sum.add(point)
        touch(&output, number, time: point.time)
    }
    /// Windows that ended before may have been counted for an input since forgotten.
    @inline(__always)
    func windowFloor(_ flags: PointFlags) -> UInt64 { hasForgotten && !flags.contains(.isNews) ? horizon : 0 }
}
