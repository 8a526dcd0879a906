/// What the points of histograms and summaries have in common.
struct CompoundHeader {
    var id: SeriesID
    var time: UInt64
    var start: UInt64
    var flags: PointFlags
}

/// The way of a point of several numbers to its output: the same for all kinds, but for what is added.
extension Reaggregator {
    /// Books a point where its series goes; answers the number of the output, nil where it changed none.
    @inline(__always)
    mutating func bookCompound<Point: CompoundPoint>(
        _ point: Point,
        _ header: CompoundHeader,
        _ resolve: Resolve
    ) -> UInt32? {
        let isFound = isFound(header.id, resolve)
        guard isFound, !isWatching else {
            look(at: point, header, isFound: isFound)
            return nil
        }
        if header.flags.contains(.noRecordedValue) {
            counts.ends += 1
            return nil
        }
        let member = members.element(header.id.slot)
        guard let number = point.fitting(member.pointee.output, in: &self) else { return nil }
        let isNews =
            member.pointee.state.contains(.isDelta)
            ? addWindow(point, header, &member.pointee, number)
            : addIncrease(point, header, &member.pointee, number)
        guard isNews else {
            counts.late += 1
            return nil
        }
        touch(&outputs.element(number).pointee, number, time: header.time)
        return number
    }
    @inline(__always)
    private mutating func addWindow<Point: CompoundPoint>(
        _ point: Point,
        _ header: CompoundHeader,
        _ member: inout Member,
        _ number: UInt32
    ) -> Bool {
        let (output, time) = (outputs.element(number), header.time)
        let since = member.windowStart(header.start, time: time)
        guard member.takeWindow(start: header.start, time: time, after: windowFloor(header.flags), at: now)
        else { return false }
        if output.pointee.state.contains(.isDelta) {
            output.pointee.open(at: header.start)
        } else {
            wake(number, seen: output.pointee.seen)
            output.pointee.begin(at: since, ahead: lead(time))
        }
        point.add(to: &compounds.totals.element(number).pointee)
        return true
    }
    /// Adds a cumulative point's increase; false for a late point.
    @inline(__always)
    private mutating func addIncrease<Point: CompoundPoint>(
        _ point: Point,
        _ header: CompoundHeader,
        _ member: inout Member,
        _ number: UInt32
    ) -> Bool {
        let (slot, time, start) = (header.id.slot, header.time, header.start)
        let output = outputs.element(number)
        wake(number, seen: output.pointee.seen)
        let (last, total) = (compounds.points.element(slot), compounds.totals.element(number))
        let since: UInt64
        if !member.state.contains(.hasValue) || !last.pointee.holds(Point.Head.self) {
            // A point of another kind says nothing of what was counted by then, but that something may have been.
            if member.state.contains(.hasValue) { compounds.forgetTwins(slot) }
            let isCounted =
                !member.state.contains(.hasValue)
                && countsFromZero(member, start: start, time: time, header.flags)
            since = isCounted ? start : time
            if isCounted {
                point.add(to: &total.pointee)
            } else {
                counts.unwatched += 1
                point.join(&total.pointee)
            }
        } else if member.isFollowedBefore(start: start) {
            guard let moment = addTwin(point, header, member, to: &total.pointee) else { return false }
            output.pointee.begin(at: moment, ahead: lead(time))
            return true
        } else {
            guard time > member.time else { return false }
            since = member.time
            let isRestarted = member.isRestarted(start: start, time: time)
            if isRestarted || !point.add(to: &total.pointee, since: last.pointee) {
                counts.resets += 1
                point.add(to: &total.pointee)
            }
        }
        member.follow(time: time, start: start)
        point.keep(in: &last.pointee)
        output.pointee.begin(at: since, ahead: lead(time))
        return true
    }
    /// Adds what a writer beside the one followed grew by; answers since when, nil for a late point. See `countTwin`.
    @inline(never)
    private mutating func addTwin<Point: CompoundPoint>(
        _ point: Point,
        _ header: CompoundHeader,
        _ followed: Member,
        to total: inout CompoundRow
    ) -> UInt64? {
        let (slot, time, start) = (header.id.slot, header.time, header.start)
        var known = compounds.twins[slot] ?? []
        defer { compounds.twins[slot] = known.isEmpty ? nil : known }
        let index = known.firstIndex {
            max($0.member.start, start) - min($0.member.start, start) <= Member.startJitter
        }
        guard let index else {
            guard time > followed.time else { return nil }
            counts.overlaps += 1
            if known.count == Twin.limit,
                let oldest = known.indices.min(by: { known[$0].member.time < known[$1].member.time })
            {
                known.remove(at: oldest).point.release()
            }
            var twin = CompoundTwin(member: Member(), point: .none)
            twin.member.follow(time: time, start: start)
            point.keep(in: &twin.point)
            known.append(twin)
            point.join(&total)
            return time
        }
        let since = known[index].member.time
        guard time > since else { return nil }
        counts.overlaps += 1
        if !point.add(to: &total, since: known[index].point) {
            counts.resets += 1
            point.add(to: &total)
        }
        known[index].member.follow(time: time, start: start)
        point.keep(in: &known[index].point)
        return since
    }

    /// Follows a point that adds nothing: its input goes nowhere, or somebody else passes it on.
    @inline(never)
    private mutating func look<Point: CompoundPoint>(at point: Point, _ header: CompoundHeader, isFound: Bool)
    {
        let (slot, time) = (header.id.slot, header.time)
        let (member, last) = (members.element(slot), compounds.points.element(slot))
        guard member.pointee.generation == header.id.generation, !header.flags.contains(.noRecordedValue)
        else { return }
        if member.pointee.state.contains(.isDelta) {
            member.pointee.takeWindow(
                start: header.start,
                time: time,
                after: windowFloor(header.flags),
                at: now
            )
        } else if !member.pointee.state.contains(.hasValue) || time > member.pointee.time,
            last.pointee.isNone || last.pointee.holds(Point.Head.self)
        {
            compounds.forgetTwins(slot)
            member.pointee.follow(time: time, start: header.start)
            point.keep(in: &last.pointee)
        }
        guard isFound, let number = point.fitting(member.pointee.output, in: &self) else { return }
        showStanding(number, time: time)
    }

    /// Whether the points of an input go to an output; see `find`.
    @inline(__always)
    private mutating func isFound(_ id: SeriesID, _ resolve: Resolve) -> Bool {
        let member = members.element(id.slot)
        guard member.pointee.generation == id.generation, member.pointee.output < Self.firstDropped,
            id.slot < unasked, !member.pointee.state.contains(.isOpen),
            !isForgotten(member.pointee.seen, at: nowSeconds)
        else { return find(id, resolve) }
        member.pointee.seen = nowSeconds
        return true
    }

    /// Whether an output counts in such a total; makes it one where it has none, and its metric is of that kind.
    @inline(__always)
    mutating func hasTotal<Head: RowHead>(
        _ number: UInt32,
        _: Head.Type,
        _ make: (CompoundExtras) -> CompoundRow
    ) -> Bool {
        let total = compounds.totals.element(number)
        if total.pointee.holds(Head.self) { return true }
        guard total.pointee.isNone, table.series(kept: names[number]).metric.kind == Head.kind.points else {
            counts.invalid += 1
            return false
        }
        let keepsExtremes = outputs[number].state.contains(.keepsExtremes)
        total.pointee = make(CompoundExtras(keepsExtremes: keepsExtremes))
        return true
    }
}

extension Member {
    @inline(__always)
    mutating func follow(time: UInt64, start: UInt64) {
        (self.time, self.start) = (time, start)
        state.insert(.hasValue)
    }
}
