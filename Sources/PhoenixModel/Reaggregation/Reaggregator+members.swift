/// How inputs come to their outputs, change them, and leave.
extension Reaggregator {
    /// Makes the member of an input that is new, or whose slot had another tenant; nil where it goes nowhere.
    @inline(never)
    mutating func admit(_ id: SeriesID, _ resolve: Resolve) -> UInt32? {
        evict(id.slot)
        guard let series = table.series(id) else {
            counts.stale += 1
            return nil
        }
        let member = members.element(id.slot)
        member.pointee = Member()
        member.pointee.generation = id.generation
        member.pointee.seen = nowSeconds
        counts.members += 1
        place(id.slot, series, resolve(series))
        return members[id.slot].output
    }

    /// Sends a member's points to a destination from now on.
    private mutating func place(_ slot: UInt32, _ series: Series, _ destination: Destination) {
        switch destination {
        case .drop(let reason): members.element(slot).pointee.output = Member.dropped &- UInt32(reason)
        case .output(let resource, let attributes):
            let name = OutputName(
                resource: table.intern(resource), metric: series.metric, attributes: table.intern(attributes)
            )
            guard let number = output(name) else {
                members.element(slot).pointee.output = Self.refusedOutput
                return
            }
            members.element(slot).pointee.output = number
            outputs[Int(number)].members += 1
        }
    }
    /// The output numbers from here on mean that points are dropped, by reason.
    static var firstDropped: UInt32 { Member.dropped - UInt32(maximumReasons) }
    /// The input's destination found no room in the series table; asked anew with each point.
    static var refusedOutput: UInt32 { Member.dropped - UInt32(maximumReasons) }

    /// Counts a point whose member goes nowhere.
    mutating func countDropped(_ output: UInt32) {
        if output == Self.refusedOutput {
            counts.refused += 1
        } else {
            counts.dropped[Int(Member.dropped - output)] += 1
        }
    }

    /// The number of the output of that name, made where there is none; nil where the table is full.
    mutating func output(_ name: OutputName) -> UInt32? {
        if let number = numbers[name] { return number }
        guard
            let id = table.id(
                resource: name.resource, metric: name.metric, attributes: name.attributes, lane: lane
            )
        else { return nil }
        let metric = name.metric
        let kind: Output.Kind
        switch (metric.kind, metric.temporality, metric.isMonotonic) {
        case (.sum, .delta, _): kind = .delta
        case (.sum, _, true): kind = .counter
        case (.sum, _, false), (.gauge, _, _): kind = .gauge
        default: kind = .compound
        }
        let merge =
            metric.kind == .sum
            ? .sum : options.gauges[metric.name] ?? GaugeMerge.conventional(for: metric.name)
        // It begins now: whatever goes into it comes later, and a reader after us may count its first value from zero.
        var output = Output(id: id, kind: kind, merge: merge, start: max(horizon &+ 1, now &- 1))
        output.seen = nowSeconds
        counts.outputs += 1
        let number: UInt32
        if let free = freeOutputs.popLast() {
            number = free
            outputs[Int(free)] = output
            names[Int(free)] = name
        } else {
            number = UInt32(outputs.count)
            outputs.append(output)
            names.append(name)
        }
        numbers[name] = number
        return number
    }

    /// Forgets a slot's member, if it has one.
    mutating func evict(_ slot: UInt32) {
        let member = members[slot]
        guard member.generation != 0 else { return }
        leave(slot)
        if member.output < Self.firstDropped {
            outputs[Int(member.output)].members -= 1
            forget(seenAt: member.time)
        }
        if member.state.contains(.hasTwins) { twins[slot] = nil }
        compounds.forget(slot)
        members.element(slot).pointee = Member()
        counts.members -= 1
    }

    /// Asks anew where inputs go: all of them, or those of some slots. What was counted stays where it was; from now on
    /// increases go to the new outputs, and gauges that nobody is in any more end with the next emission.
    public mutating func remap(_ slots: [UInt32]? = nil, now: UInt64, _ resolve: Resolve) {
        self.now = max(self.now, now)
        if let slots {
            for slot in slots { remap(slot, resolve) }
            return
        }
        var all: [UInt32] = []
        members.sweep { slot, member in
            if member.generation != 0 { all.append(slot) }
            return true
        }
        for slot in all { remap(slot, resolve) }
    }
    private mutating func remap(_ slot: UInt32, _ resolve: Resolve) {
        let member = members[slot]
        let id = SeriesID(slot: slot, generation: member.generation)
        guard member.generation != 0, let series = table.series(id) else { return }
        let old = member.output
        let wasLive = member.state.contains(.isLive)
        leave(slot)
        members.element(slot).pointee.state.remove(.isCandidate)
        if old < Self.firstDropped { outputs[Int(old)].members -= 1 }
        place(slot, series, resolve(series))
        let new = members[slot].output
        if wasLive, new < Self.firstDropped { enter(slot, new) }
        if old < Self.firstDropped, old != new, outputs[Int(old)].kind == .gauge, outputs[Int(old)].live == 0 {
            ended.append(old)
        }
    }

    /// Emits what remapping changed: gauges in their new places, and the ends of those that were replaced.
    public mutating func settle(now: UInt64, epoch: UInt64) -> MetricBatch? {
        begin(now)
        for number in ended where outputs[Int(number)].live == 0 && !outputs[Int(number)].isFree {
            touch(number, time: outputs[Int(number)].time &+ 1)
        }
        ended.removeAll()
        // A nanosecond later than what was shown before: newer, and never newer than the sender's next point.
        for number in moved where outputs[Int(number)].touched != serial {
            touch(number, time: outputs[Int(number)].time &+ 1)
        }
        moved.removeAll()
        return emit(epoch: epoch)
    }

    /// Lets go of members that lapsed or are to be forgotten, and emits what that changed; to be called every few
    /// seconds.
    public mutating func lapse(now: UInt64, epoch: UInt64) -> MetricBatch? {
        self.now = now
        let seconds = nowSeconds
        let options = options
        var (lapsed, forgotten): ([UInt32], [UInt32]) = ([], [])
        members.sweep { slot, member in
            guard member.generation != 0 else { return false }
            let silent = seconds &- member.seen
            guard Int32(bitPattern: silent) > 0 else { return true }
            if silent > options.forgetAfterSeconds {
                forgotten.append(slot)
            } else if member.state.contains(.isLive), silent > options.staleSeconds(member.interval) {
                lapsed.append(slot)
            }
            return true
        }
        for slot in lapsed { leave(slot) }
        for slot in forgotten { evict(slot) }
        for number in outputs.indices where !outputs[number].isFree && outputs[number].members == 0 {
            guard seconds &- outputs[number].seen > options.forgetAfterSeconds else { continue }
            if let name = names[number] { numbers[name] = nil }
            names[number] = nil
            outputs[number].isFree = true
            candidates[UInt32(number)] = nil
            compounds.drop(output: UInt32(number))
            freeOutputs.append(UInt32(number))
            counts.outputs -= 1
        }
        return settle(now: now, epoch: epoch)
    }
}

extension Reaggregator.Options {
    /// How long a member with this interval may be silent.
    func staleSeconds(_ interval: UInt16) -> UInt32 {
        if interval == 0 { return unknownIntervalSeconds }
        return max(leastStaleSeconds, UInt32((Double(interval) / 10 * staleAfter).rounded(.up)))
    }
}
