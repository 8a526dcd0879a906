/// How inputs come to their outputs, and change them.
extension Reaggregator {
    /// Whether the points of an input go to an output now; admits one that is new, or whose slot had another tenant.
    /// Counts the point if not.
    @inline(never)
    mutating func find(_ id: SeriesID, _ resolve: Resolve) -> Bool {
        let member = members.element(id.slot)
        // To the second, whenever those to be forgotten are looked for: so a reaggregator behind us can rely on it.
        if member.pointee.generation == id.generation, isForgotten(member.pointee.seen, at: nowSeconds) {
            evict(id.slot)
        }
        if member.pointee.generation != id.generation {
            guard let series = table.series(id) else {
                counts.stale += 1
                return false
            }
            evict(id.slot)
            guard counts.members < options.memberLimit else {
                counts.beyondLimit += 1
                return false
            }
            member.pointee.generation = id.generation
            if series.isFollowed { member.pointee.state = .isCumulative }
            if series.metric.temporality == .delta { member.pointee.state.insert(.isDelta) }
            counts.members += 1
            let new = number(of: series, resolve)
            if notesMoves { noteMove(id.slot, to: new) }
            place(id.slot, at: new)
        } else if id.slot >= unasked || member.pointee.state.contains(.isOpen) {
            remap(id.slot, resolve)
        } else if member.pointee.output == Self.refusedOutput, let series = table.series(id) {
            place(id.slot, at: number(of: series, resolve))
        }
        member.pointee.seen = nowSeconds
        guard member.pointee.output >= Self.firstDropped else { return true }
        if member.pointee.output == Self.refusedOutput {
            counts.refused += 1
        } else {
            counts.dropped[Int(Member.dropped - member.pointee.output)] += 1
        }
        return false
    }

    /// Where a series' points go: the number of an output, or one from `firstDropped` on.
    private mutating func number(of series: Series, _ resolve: Resolve) -> UInt32 {
        switch resolve(series) {
        case .drop(let reason): return Member.dropped - UInt32(min(max(reason, 0), Self.maximumReasons - 1))
        case .output(let identity, let resource, let attributes):
            let metric = table.metric(series.metric, as: identity)
            let adds = series.metric.temporality == .delta
            return output(resource: resource, metric: metric, attributes: attributes, addsWindows: adds)
                ?? Self.refusedOutput
        }
    }
    mutating func place(_ slot: UInt32, at number: UInt32) {
        members.element(slot).pointee.output = number
        guard number < Self.firstDropped else { return }
        let output = outputs.element(number)
        output.pointee.members += 1
        if output.pointee.members == 1 { counts.admitted += 1 }
    }
    /// Takes a member out of its output, whatever it counted stays there.
    mutating func displace(_ slot: UInt32) {
        leave(slot)
        let member = members.element(slot)
        member.pointee.state.remove(.isCandidate)
        guard member.pointee.output < Self.firstDropped else { return }
        let output = outputs.element(member.pointee.output)
        output.pointee.members -= 1
        if output.pointee.members == 0 { counts.admitted -= 1 }
    }
    /// The output numbers from here on mean that points go nowhere: by reason, the greatest for reason 0.
    static var firstDropped: UInt32 { Member.dropped - UInt32(maximumReasons) }
    /// The input's destination found no room in the series table; asked anew with each point.
    static var refusedOutput: UInt32 { Member.dropped - UInt32(maximumReasons) }

    /// The number of the output of that name, made where there is none; nil where the table is full.
    mutating func output(
        resource: AttributeSet,
        metric: Metric,
        attributes: AttributeSet,
        addsWindows: Bool = false
    ) -> UInt32? {
        let (resource, attributes) = (table.intern(resource), table.intern(attributes))
        let name = SeriesKey(resource: resource.slot, metric: metric.slot, attributes: attributes.slot)
        if let number = numbers.find(name.hash, where: { names[$0] == name }) { return number }
        // The objects are held here until the table keeps them for us.
        defer { withExtendedLifetime((resource, metric, attributes)) {} }
        guard let id = table.id(name, lane) else { return nil }
        var output = Output()
        (output.id, output.seen, output.emitted) = (id, nowSeconds, freedHorizon)
        switch (metric.kind, metric.temporality, metric.isMonotonic) {
        case (.sum, .delta, _): output.kind = .delta
        case (.sum, _, true): output.kind = .counter
        // Where it may fall: the sum of what came.
        case (.sum, _, false) where addsWindows: output.kind = .counter
        case (.sum, _, false), (.gauge, _, _): output.kind = .gauge
        default: output.kind = .compound
        }
        if metric.temporality == .delta { output.state.insert(.isDelta) }
        if metric.temporality == .delta || addsWindows { output.state.insert(.keepsExtremes) }
        if metric.isMonotonic { output.state.insert(.isMonotonic) }
        output.merge =
            metric.kind == .sum
            ? .sum : options.gauges[metric.name] ?? GaugeMerge.conventional(for: metric.name)
        counts.outputs += 1
        let number = freeOutputs.popLast() ?? outputCount
        if number == outputCount { outputCount += 1 }
        outputs.element(number).pointee = output
        names.element(number).pointee = name
        table.keep(name)
        numbers.insert(number, hash: name.hash) { names[$0].hash }
        return number
    }

    /// Asks anew where inputs go: all of them, or those of some slots. What was counted stays where it was; from now on
    /// increases go to the new outputs, and gauges that nobody is in any more end with the next emission.
    public mutating func remap(_ slots: [UInt32]? = nil, now: UInt64, _ resolve: Resolve) {
        self.now = max(self.now, now)
        if let slots {
            for slot in slots { remap(slot, resolve) }
            return
        }
        beginRemap(now: now)
        while remapSlice(1 << 16, now: now, resolve) {}
    }
    /// Begins to ask all inputs anew where they go, a slice at a time: `remapSlice` until it answers false.
    ///
    /// Whoever sends a point meanwhile is asked first, so that every point goes where `resolve` now says.
    public mutating func beginRemap(now: UInt64) {
        self.now = max(self.now, now)
        applyGaugeOptions()
        unasked = 0
        open.removeAll()
    }
    /// The same for the inputs of some slots only.
    public mutating func beginRemap(of slots: [UInt32], now: UInt64) {
        self.now = max(self.now, now)
        for slot in slots {
            guard let member = members.known(slot), member.pointee.generation != 0 else { continue }
            if !member.pointee.state.contains(.isOpen) { open.append(slot) }
            member.pointee.state.insert(.isOpen)
        }
    }
    /// Whether some inputs are still to be asked.
    public var isRemapping: Bool { unasked != .max || !open.isEmpty }
    /// Asks the inputs of the next `slots` slots; false when none is left. `settle` emits what that changed.
    public mutating func remapSlice(_ slots: Int, now: UInt64, _ resolve: Resolve) -> Bool {
        self.now = max(self.now, now)
        for _ in 0..<slots {
            if let slot = open.popLast() {
                if members[slot].state.contains(.isOpen) { remap(slot, resolve) }
                continue
            }
            guard let slot = members.firstStored(from: unasked) else {
                unasked = .max
                return false
            }
            unasked = slot + 1
            remap(slot, resolve)
        }
        return true
    }
    private mutating func remap(_ slot: UInt32, _ resolve: Resolve) {
        members.known(slot)?.pointee.state.remove(.isOpen)
        if !members[slot].state.contains(.isBehind) { move(slot, resolve) }
    }
    /// Asks an input anew where it goes, also one that is behind.
    mutating func move(_ slot: UInt32, _ resolve: Resolve) {
        let member = members[slot]
        let id = SeriesID(slot: slot, generation: member.generation)
        guard member.generation != 0, let series = table.series(id) else { return }
        let new = number(of: series, resolve)
        guard new != member.output else { return }
        if notesMoves { noteMove(slot, to: new) }
        displace(slot)
        place(slot, at: new)
        if member.state.contains(.isLive), new < Self.firstDropped { enter(slot, new) }
    }

    /// Visits every known input: its id, when a point of it last came, in seconds of the receiver's clock, and the number
    /// of its output, which is dense; nil where it goes nowhere.
    public mutating func visitInputs(_ visit: (_ id: SeriesID, _ seen: UInt32, _ output: UInt32?) -> Void) {
        members.sweep { slot, member in
            guard member.generation != 0 else { return true }
            visit(
                SeriesID(slot: slot, generation: member.generation),
                member.seen,
                member.output < Self.firstDropped ? member.output : nil
            )
            return true
        }
    }

    /// Emits what remapping changed: gauges in their new places, and the ends of those that were replaced.
    public mutating func settle(now: UInt64, epoch: UInt64) -> MetricBatch? {
        begin(now)
        for number in moved {
            let output = outputs.element(number)
            guard output.pointee.touched != serial else { continue }
            // A nanosecond later than what was shown before: newer, and never newer than the sender's next point.
            let isShown = output.pointee.state.contains(.hasEmitted)
            touch(&output.pointee, number, time: isShown ? output.pointee.emitted + 1 : output.pointee.time)
        }
        moved.removeAll(keepingCapacity: true)
        return emit(epoch: epoch)
    }
}

extension Series {
    /// Whether each point tells all that came before, so that increases need the point before.
    public var isFollowed: Bool {
        switch metric.kind {
        case .gauge: false
        case .sum: metric.temporality != .delta && metric.isMonotonic
        case .histogram, .exponentialHistogram: metric.temporality != .delta
        case .summary: true
        }
    }
}
