/// The live values of a gauge's members, and of sums that may fall.
extension Reaggregator {
    mutating func show(
        _ point: NumberPoint,
        _ slot: UInt32,
        _ member: UnsafeMutablePointer<Member>,
        _ number: UInt32,
        _ output: UnsafeMutablePointer<Output>
    ) {
        let isLive = member.pointee.state.contains(.isLive)
        if member.pointee.time != 0 {
            // What ended has no value that could be told again.
            let isRepetition =
                member.pointee.state.contains(.hasValue) && point.time == member.pointee.time
                && point.bits == member.pointee.value
            guard point.time >= member.pointee.time, !isRepetition || point.flags.contains(.noRecordedValue)
            else {
                counts.late += 1
                return
            }
        }
        if point.flags.contains(.noRecordedValue) {
            member.pointee.time = point.time
            guard isLive else {
                member.pointee.state.remove(.hasValue)
                counts.ends += 1
                return
            }
            withdraw(slot, number)
            member.pointee.state.remove(.hasValue)
            return touch(&output.pointee, number, time: point.time)
        }
        if isLive, output.pointee.live == 1 || output.pointee.merge != .sum && output.pointee.merge != .avg {
            return change(point, slot, member, number, output)
        }
        member.pointee.noteInterval(until: point.time)
        if isLive, output.pointee.sum.replace(member.pointee, with: point) {
            member.pointee.remember(point)
            return touch(&output.pointee, number, time: point.time)
        }
        if isLive { withdraw(slot, number) }
        member.pointee.remember(point)
        contribute(slot, number)
        touch(&output.pointee, number, time: point.time)
    }

    /// Shows another value of a live member, where no sum is kept.
    @inline(__always)
    private mutating func change(
        _ point: NumberPoint,
        _ slot: UInt32,
        _ member: UnsafeMutablePointer<Member>,
        _ number: UInt32,
        _ output: UnsafeMutablePointer<Output>
    ) {
        member.pointee.noteInterval(until: point.time)
        let old = member.pointee
        recount(old, number, output, by: -1)
        member.pointee.remember(point)
        recount(member.pointee, number, output, by: 1)
        touch(&output.pointee, number, time: point.time)
        guard output.pointee.live > 1, !output.pointee.state.contains(.mustRescan) else { return }
        if output.pointee.shownSlot != slot {
            let shown = members[output.pointee.shownSlot]
            if isBefore(member.pointee, shown, output.pointee.merge) { output.pointee.shownSlot = slot }
        } else if !isBefore(member.pointee, old, output.pointee.merge) {
            output.pointee.state.insert(.mustRescan)
        }
    }

    /// Adds a member's value to its output's.
    mutating func contribute(_ slot: UInt32, _ number: UInt32) {
        let (member, output) = (members.element(slot), outputs.element(number))
        member.pointee.state.insert(.isLive)
        output.pointee.live += 1
        output.pointee.liveSlots ^= slot
        recount(member.pointee, number, output, by: 1)
        switch output.pointee.merge {
        case .sum, .avg:
            // The first is shown as it is, and added when a second comes.
            if output.pointee.live == 2 {
                output.pointee.sum = ExactSum()
                addFinite(members[output.pointee.liveSlots ^ slot], output, sign: .plus)
            }
            if output.pointee.live > 1 { addFinite(member.pointee, output, sign: .plus) }
        case .last, .min, .max:
            guard output.pointee.live > 1 else { break }
            if output.pointee.live == 2 {
                let other = output.pointee.liveSlots ^ slot
                makeCandidate(other, number)
                output.pointee.shownSlot = other
                output.pointee.state.remove(.mustRescan)
            }
            makeCandidate(slot, number)
            if !output.pointee.state.contains(.mustRescan),
                isBefore(member.pointee, members[output.pointee.shownSlot], output.pointee.merge)
            {
                output.pointee.shownSlot = slot
            }
        }
    }
    /// Takes a live member's value out of its output's again.
    mutating func withdraw(_ slot: UInt32, _ number: UInt32) {
        let (member, output) = (members.element(slot), outputs.element(number))
        member.pointee.state.remove(.isLive)
        output.pointee.live -= 1
        output.pointee.liveSlots ^= slot
        recount(member.pointee, number, output, by: -1)
        switch output.pointee.merge {
        case .sum, .avg:
            guard output.pointee.live > 1 else { break }
            addFinite(member.pointee, output, sign: .minus)
            if output.pointee.liveDoubles == 0 { output.pointee.sum.removeDoubles() }
        case .last, .min, .max:
            if output.pointee.shownSlot == slot { output.pointee.state.insert(.mustRescan) }
        }
    }
    /// Keeps the numbers of live doubles, and of live values that are not finite.
    @inline(__always)
    private mutating func recount(
        _ member: Member,
        _ number: UInt32,
        _ output: UnsafeMutablePointer<Output>,
        by step: Int32
    ) {
        guard !member.state.contains(.isInteger) else { return }
        output.pointee.liveDoubles = UInt32(bitPattern: Int32(bitPattern: output.pointee.liveDoubles) &+ step)
        guard !Double(bitPattern: member.value).isFinite else { return }
        var count = notFinite[number] ?? NotFinite()
        count.note(Double(bitPattern: member.value), by: Int(step))
        notFinite[number] = count.isEmpty ? nil : count
    }
    private func addFinite(_ member: Member, _ output: UnsafeMutablePointer<Output>, sign: FloatingPointSign)
    {
        if member.state.contains(.isInteger) {
            let value = Int64(bitPattern: member.value)
            if sign == .plus {
                output.pointee.sum.add(value)
            } else {
                output.pointee.sum.add(integerDifference: 0, value)
            }
        } else {
            let value = Double(bitPattern: member.value)
            if value.isFinite { output.pointee.sum.add(sign == .plus ? value : -value) }
        }
    }

    /// Whether a member is to be shown before another.
    private func isBefore(_ new: Member, _ shown: Member, _ merge: GaugeMerge) -> Bool {
        if merge == .last { return new.time >= shown.time }
        if new.state.contains(.isInteger), shown.state.contains(.isInteger) {
            let (left, right) = (Int64(bitPattern: new.value), Int64(bitPattern: shown.value))
            return merge == .min ? left < right : left > right
        }
        // Whatever is a number is shown before what is none.
        if shown.double.isNaN { return !new.double.isNaN }
        return merge == .min ? new.double < shown.double : new.double > shown.double
    }
    private mutating func makeCandidate(_ slot: UInt32, _ number: UInt32) {
        let member = members.element(slot)
        guard !member.pointee.state.contains(.isCandidate) else { return }
        member.pointee.state.insert(.isCandidate)
        candidates[number, default: []].append(slot)
        // Those who left are still in the list: it must not grow with the churn.
        if candidates[number]!.count > 2 * Int(outputs[number].live) + 16 { rescan(number) }
    }
    /// Finds the member to show, and leaves in the list who is live.
    private mutating func rescan(_ number: UInt32) {
        let output = outputs.element(number)
        let listed = candidates[number] ?? []
        for slot in listed where members[slot].output == number {
            members.element(slot).pointee.state.remove(.isCandidate)
        }
        var kept: [UInt32] = []
        kept.reserveCapacity(Int(output.pointee.live))
        for slot in listed {
            let member = members.element(slot)
            guard member.pointee.output == number, member.pointee.state.contains(.isLive),
                !member.pointee.state.contains(.isCandidate)
            else { continue }
            member.pointee.state.insert(.isCandidate)
            if kept.isEmpty
                || isBefore(member.pointee, members[output.pointee.shownSlot], output.pointee.merge)
            {
                output.pointee.shownSlot = slot
            }
            kept.append(slot)
        }
        candidates[number] = kept
        output.pointee.state.remove(.mustRescan)
    }

    /// A member no longer counts: it ended, lapsed, or goes elsewhere.
    mutating func leave(_ slot: UInt32) {
        let member = members[slot]
        guard member.state.contains(.isLive), member.output < Self.firstDropped else { return }
        withdraw(slot, member.output)
        moved.append(member.output)
    }
    /// A member that was live elsewhere counts here now.
    mutating func enter(_ slot: UInt32, _ number: UInt32) {
        let output = outputs.element(number)
        guard output.pointee.kind == .gauge else { return }
        contribute(slot, number)
        output.pointee.time = max(output.pointee.time, members[slot].time)
        moved.append(number)
    }

    /// What a gauge shows now; nil where it has no live member.
    mutating func value(of number: UInt32) -> (bits: UInt64, isInteger: Bool)? {
        let output = outputs.element(number)
        guard output.pointee.live > 0 else { return nil }
        func value(_ slot: UInt32) -> (bits: UInt64, isInteger: Bool) {
            let member = members[slot]
            return (member.value, member.state.contains(.isInteger))
        }
        if output.pointee.live == 1 { return value(output.pointee.liveSlots) }
        switch output.pointee.merge {
        case .sum:
            if let special = notFinite[number]?.sum { return (special.bitPattern, false) }
            return output.pointee.sum.result
        case .avg:
            if let special = notFinite[number]?.sum { return (special.bitPattern, false) }
            return ((output.pointee.sum.double / Double(output.pointee.live)).bitPattern, false)
        case .last, .min, .max:
            if output.pointee.state.contains(.mustRescan) { rescan(number) }
            return value(output.pointee.shownSlot)
        }
    }
}

/// How many live members show an infinity or no number: they are kept out of sums, which they would never leave.
struct NotFinite: Sendable {
    private var positive = 0
    private var negative = 0
    private var none = 0
    var isEmpty: Bool { positive == 0 && negative == 0 && none == 0 }
    mutating func note(_ value: Double, by step: Int) {
        if value.isNaN { none += step } else if value > 0 { positive += step } else { negative += step }
    }
    /// What a sum with these shows.
    var sum: Double? {
        if isEmpty { return nil }
        if none > 0 || (positive > 0 && negative > 0) { return .nan }
        return positive > 0 ? .infinity : -.infinity
    }
}
