/// Sums and gauges.
extension Reaggregator {
    mutating func applyNumbers(_ points: NumberPoints, _ resolve: Resolve) {
        let seconds = nowSeconds
        for index in 0..<points.count {
            let id = points.series[index]
            var number = members[id.slot].output
            if members[id.slot].generation != id.generation || number == Self.refusedOutput {
                guard let admitted = admit(id, resolve) else { continue }
                number = admitted
            }
            guard number < Self.firstDropped else {
                members.element(id.slot).pointee.seen = seconds
                countDropped(number)
                continue
            }
            let point = NumberPoint(
                time: points.times[index], start: points.starts[index], bits: points.values[index],
                flags: points.flags[index]
            )
            switch outputs[Int(number)].kind {
            case .counter: count(point, id.slot, number, seconds)
            case .gauge: show(point, id.slot, number, seconds)
            case .delta: accumulate(point, id.slot, number, seconds)
            case .compound: continue
            }
        }
    }

    // MARK: Cumulative monotonic sums

    private mutating func count(_ point: NumberPoint, _ slot: UInt32, _ number: UInt32, _ seconds: UInt32) {
        let member = members.element(slot)
        member.pointee.seen = seconds
        if point.flags.contains(.noRecordedValue) { return }
        let isInteger = point.flags.contains(.isInteger)
        guard member.pointee.state.contains(.hasValue) else {
            member.pointee.remember(point)
            if countsFromZero(start: point.start, time: point.time) {
                outputs[Int(number)].sum.add(point)
                open(number, from: point.start)
            } else {
                outputs[Int(number)].sum.join(isInteger: isInteger)
            }
            return touch(number, time: point.time)
        }
        if member.pointee.isOfAnotherWriter(point) {
            return countTwin(point, slot, number)
        }
        guard point.time > member.pointee.time else {
            counts.late += 1
            return
        }
        if member.pointee.isReset(by: point) {
            counts.resets += 1
            outputs[Int(number)].sum.add(point)
        } else if isInteger, member.pointee.state.contains(.isInteger) {
            outputs[Int(number)].sum.add(
                integerDifference: Int64(bitPattern: point.bits), Int64(bitPattern: member.pointee.value)
            )
        } else {
            outputs[Int(number)].sum.add(difference: point.double, member.pointee.double)
        }
        member.pointee.remember(point)
        touch(number, time: point.time)
    }

    /// A writer whose start is earlier than the one we follow: counted beside it.
    @inline(never)
    private mutating func countTwin(_ point: NumberPoint, _ slot: UInt32, _ number: UInt32) {
        counts.overlaps += 1
        var known = twins[slot] ?? []
        defer { twins[slot] = known }
        members.element(slot).pointee.state.insert(.hasTwins)
        let tolerance = Member.startJitter
        guard let index = known.firstIndex(where: { $0.start.distance(to: point.start).magnitude <= tolerance }) else {
            let twin = Twin(
                start: point.start, value: point.bits, isInteger: point.flags.contains(.isInteger), time: point.time
            )
            if known.count < 4 { known.append(twin) }
            if countsFromZero(start: point.start, time: point.time) {
                outputs[Int(number)].sum.add(point)
                touch(number, time: point.time)
            }
            return
        }
        var twin = Member()
        (twin.start, twin.value, twin.time) = (known[index].start, known[index].value, known[index].time)
        twin.state = known[index].isInteger ? [.hasValue, .isInteger] : .hasValue
        guard point.time > twin.time else {
            counts.late += 1
            return
        }
        if twin.isReset(by: point) {
            outputs[Int(number)].sum.add(point)
        } else if twin.state.contains(.isInteger), point.flags.contains(.isInteger) {
            outputs[Int(number)].sum.add(
                integerDifference: Int64(bitPattern: point.bits), Int64(bitPattern: twin.value)
            )
        } else {
            outputs[Int(number)].sum.add(difference: point.double, twin.double)
        }
        known[index].value = point.bits
        known[index].isInteger = point.flags.contains(.isInteger)
        known[index].time = point.time
        touch(number, time: point.time)
    }

    // MARK: Delta sums

    private mutating func accumulate(_ point: NumberPoint, _ slot: UInt32, _ number: UInt32, _ seconds: UInt32) {
        let member = members.element(slot)
        member.pointee.seen = seconds
        if point.flags.contains(.noRecordedValue) { return }
        // The same window twice is a repetition; any other window is news, in whatever order.
        if member.pointee.state.contains(.hasValue), member.pointee.time == point.time,
            member.pointee.start == point.start
        {
            counts.late += 1
            return
        }
        member.pointee.remember(point)
        if outputs[Int(number)].touched != serial {
            outputs[Int(number)].sum = ExactSum()
            outputs[Int(number)].start = point.start
            outputs[Int(number)].time = 0
        } else if point.start != 0 {
            outputs[Int(number)].start = min(outputs[Int(number)].start, point.start)
        }
        outputs[Int(number)].sum.add(point)
        touch(number, time: point.time)
    }

    // MARK: Gauges, and sums that may fall

    private mutating func show(_ point: NumberPoint, _ slot: UInt32, _ number: UInt32, _ seconds: UInt32) {
        let member = members.element(slot)
        if member.pointee.state.contains(.hasValue), point.time < member.pointee.time {
            counts.late += 1
            return
        }
        member.pointee.seen = seconds
        if point.flags.contains(.noRecordedValue) {
            leave(slot)
            member.pointee.time = point.time
            return touch(number, time: point.time)
        }
        if member.pointee.state.contains(.isLive) { withdraw(slot, number) }
        member.pointee.noteInterval(until: point.time)
        member.pointee.remember(point)
        contribute(slot, number)
        touch(number, time: point.time)
    }
}

/// One number point out of its columns.
struct NumberPoint {
    var time: UInt64
    var start: UInt64
    var bits: UInt64
    var flags: PointFlags
    @inline(__always) var double: Double {
        flags.contains(.isInteger) ? Double(Int64(bitPattern: bits)) : Double(bitPattern: bits)
    }
}

extension ExactSum {
    /// Adds a whole value.
    @inline(__always)
    mutating func add(_ point: NumberPoint) {
        if point.flags.contains(.isInteger) {
            add(Int64(bitPattern: point.bits))
        } else {
            add(Double(bitPattern: point.bits))
        }
    }
    /// Adds nothing, but becomes a double if a double joins.
    @inline(__always)
    mutating func join(isInteger: Bool) { if !isInteger { add(0.0) } }
}

extension Member {
    /// Starts that differ by less are the same: senders compute them anew, from clocks of different fineness.
    static let startJitter: UInt = 1_000_000_000

    @inline(__always) var double: Double {
        state.contains(.isInteger) ? Double(Int64(bitPattern: value)) : Double(bitPattern: value)
    }
    @inline(__always)
    mutating func remember(_ point: NumberPoint) {
        (value, time, start) = (point.bits, point.time, point.start)
        state.insert(.hasValue)
        if point.flags.contains(.isInteger) { state.insert(.isInteger) } else { state.remove(.isInteger) }
    }
    /// Whether the stream began anew: the value fell, or it says so with a start not before the last point.
    @inline(__always)
    func isReset(by point: NumberPoint) -> Bool {
        if point.start > start, point.start >= time { return true }
        if state.contains(.isInteger), point.flags.contains(.isInteger) {
            return Int64(bitPattern: point.bits) < Int64(bitPattern: value)
        }
        return point.double < double
    }
    /// Whether a point belongs to a stream that began clearly earlier than the one we follow: one writer's start only
    /// moves forward.
    @inline(__always)
    func isOfAnotherWriter(_ point: NumberPoint) -> Bool {
        point.start != 0 && start > point.start && start - point.start > UInt64(Self.startJitter)
    }
    @inline(__always)
    mutating func noteInterval(until next: UInt64) {
        guard state.contains(.hasValue), next > time else { return }
        interval = UInt16(clamping: (next - time + 99_999_999) / 100_000_000)
    }
}
