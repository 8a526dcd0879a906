/// What the points of histograms and summaries have in common.
struct CompoundHeader {
    var id: SeriesID
    var time: UInt64
    var start: UInt64
    var flags: PointFlags
}

/// The way of a point of several numbers to its output: the same for all kinds, but for what is added.
extension Reaggregator {
    typealias Pool<Total: CompoundTotal> = WritableKeyPath<CompoundState, CompoundPool<Total.Point, Total>>

    /// Books a point where its series goes; answers the number of the output, nil where it changed none.
    ///
    /// - Parameter fitting: finds the output that the point fits and sees to its total. It is the one of the series, or a
    ///   sibling; nil where there is no room for one.
    mutating func book<Total: CompoundTotal>(
        _ point: Total.Point,
        _ header: CompoundHeader,
        in pool: Pool<Total>,
        _ resolve: Resolve,
        fitting: (inout Reaggregator, _ number: UInt32) -> UInt32?
    ) -> UInt32? {
        let (slot, time, start) = (header.id.slot, header.time, header.start)
        let isFound = isFound(header.id, resolve)
        guard isFound, !isWatching else {
            guard follows(header.id, header.flags) else { return nil }
            compounds[keyPath: pool]
                .skip(point, slot, &members.element(slot).pointee, time: time, start: start)
            guard isFound, let number = fitting(&self, members[slot].output) else { return nil }
            showStanding(number, time: time)
            return nil
        }
        if header.flags.contains(.noRecordedValue) {
            counts.ends += 1
            return nil
        }
        guard let number = fitting(&self, members[slot].output) else { return nil }
        let output = outputs.element(number)
        if members[slot].state.contains(.isDelta) {
            let since = members[slot].windowStart(start, time: time)
            let isNew = members.element(slot).pointee
                .takeWindow(start: start, time: time, after: windowFloor)
            guard isNew else {
                counts.late += 1
                return nil
            }
            if output.pointee.state.contains(.isDelta) {
                output.pointee.open(at: start)
            } else {
                wake(number, seen: output.pointee.seen)
                output.pointee.begin(at: since, ahead: lead(time))
            }
            compounds[keyPath: pool].totals[number]?.add(point)
        } else {
            wake(number, seen: output.pointee.seen)
            let since = compounds[keyPath: pool]
                .add(
                    point,
                    slot,
                    &members.element(slot).pointee,
                    to: number,
                    time: time,
                    start: start,
                    fromZero: countsFromZero(start: start, time: time),
                    &counts
                )
            guard let since else { return nil }
            output.pointee.begin(at: since, ahead: lead(time))
        }
        touch(&output.pointee, number, time: time)
        return number
    }

    /// Whether the points of an input go to an output; see `find`.
    private mutating func isFound(_ id: SeriesID, _ resolve: Resolve) -> Bool {
        let member = members.element(id.slot)
        guard member.pointee.generation == id.generation, member.pointee.output < Self.firstDropped,
            id.slot < unasked, !member.pointee.state.contains(.isOpen), !isForgotten(member.pointee.seen, at: nowSeconds)
        else { return find(id, resolve) }
        member.pointee.seen = nowSeconds
        return true
    }
    /// Whether a point that goes nowhere is followed all the same.
    private func follows(_ id: SeriesID, _ flags: PointFlags) -> Bool {
        let member = members[id.slot]
        return member.generation == id.generation && member.state.contains(.isCumulative)
            && !flags.contains(.noRecordedValue)
    }
}
