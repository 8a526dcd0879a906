/// The live values of a gauge's members.
extension Reaggregator {
    /// Adds a member's value to its output's.
    mutating func contribute(_ slot: UInt32, _ number: UInt32) {
        let member = members.element(slot)
        member.pointee.state.insert(.isLive)
        let output = Int(number)
        outputs[output].live += 1
        let isInteger = member.pointee.state.contains(.isInteger)
        switch outputs[output].merge {
        case .sum, .avg:
            if outputs[output].live == 1 { outputs[output].sum = ExactSum() }
            if isInteger {
                outputs[output].sum.add(Int64(bitPattern: member.pointee.value))
            } else {
                outputs[output].sum.add(member.pointee.double)
            }
        case .last:
            if member.pointee.time >= outputs[output].shownTime || outputs[output].live == 1 {
                show(member.pointee, output)
            }
            makeCandidate(slot, number)
        case .min, .max:
            if outputs[output].live == 1 || isMoreExtreme(member.pointee, outputs[output]) {
                show(member.pointee, output)
            }
            makeCandidate(slot, number)
        }
    }
    private mutating func makeCandidate(_ slot: UInt32, _ number: UInt32) {
        let member = members.element(slot)
        guard !member.pointee.state.contains(.isCandidate) else { return }
        member.pointee.state.insert(.isCandidate)
        candidates[number, default: []].append(slot)
    }
    private mutating func show(_ member: Member, _ output: Int) {
        outputs[output].shown = member.value
        outputs[output].shownIsInteger = member.state.contains(.isInteger)
        outputs[output].shownTime = member.time
    }
    private func isMoreExtreme(_ member: Member, _ output: Output) -> Bool {
        if output.merge == .last { return member.time >= output.shownTime }
        let shown =
            output.shownIsInteger ? Double(Int64(bitPattern: output.shown)) : Double(bitPattern: output.shown)
        return output.merge == .min ? member.double < shown : member.double > shown
    }

    /// Takes a live member's value out of its output's again.
    mutating func withdraw(_ slot: UInt32, _ number: UInt32) {
        let member = members.element(slot)
        member.pointee.state.remove(.isLive)
        let output = Int(number)
        outputs[output].live -= 1
        switch outputs[output].merge {
        case .sum, .avg:
            if member.pointee.state.contains(.isInteger) {
                outputs[output].sum.add(integerDifference: 0, Int64(bitPattern: member.pointee.value))
            } else {
                outputs[output].sum.add(-member.pointee.double)
            }
        case .last:
            if outputs[output].shownTime == member.pointee.time { outputs[output].mustRescan = true }
        case .min, .max:
            if outputs[output].shown == member.pointee.value { outputs[output].mustRescan = true }
        }
    }

    /// A member no longer counts: it ended, lapsed, or goes elsewhere.
    mutating func leave(_ slot: UInt32) {
        let member = members[slot]
        guard member.state.contains(.isLive), member.output < Self.firstDropped else { return }
        withdraw(slot, member.output)
        noteMoved(member.output)
    }
    /// A member that was live elsewhere counts here now.
    mutating func enter(_ slot: UInt32, _ number: UInt32) {
        guard outputs[Int(number)].kind == .gauge else { return }
        contribute(slot, number)
        outputs[Int(number)].time = max(outputs[Int(number)].time, members[slot].time)
        noteMoved(number)
    }
    private mutating func noteMoved(_ number: UInt32) {
        if moved.last != number { moved.append(number) }
    }

    private func isCandidate(_ slot: UInt32, of number: UInt32) -> Bool {
        members[slot].output == number && members[slot].state.contains(.isCandidate)
    }

    /// What a gauge shows now; nil where it has no live member.
    mutating func value(of number: UInt32) -> (bits: UInt64, isInteger: Bool)? {
        let output = Int(number)
        guard outputs[output].live > 0 else { return nil }
        switch outputs[output].merge {
        case .sum: return outputs[output].sum.result
        case .avg:
            if outputs[output].live == 1 { return outputs[output].sum.result }
            return ((outputs[output].sum.double / Double(outputs[output].live)).bitPattern, false)
        case .last, .min, .max:
            if outputs[output].mustRescan {
                outputs[output].mustRescan = false
                var isFirst = true
                for slot in candidates[number] ?? [] {
                    let member = members[slot]
                    guard member.state.contains(.isLive), member.output == number else { continue }
                    if isFirst || isMoreExtreme(member, outputs[output]) { show(member, output) }
                    isFirst = false
                }
                candidates[number] = (candidates[number] ?? []).filter { isCandidate($0, of: number) }
            }
            return (outputs[output].shown, outputs[output].shownIsInteger)
        }
    }
}
