/// How members lapse, and inputs and outputs are forgotten.
extension Reaggregator {
    /// Lets go of members that lapsed or are to be forgotten, and emits what that changed; to be called every few
    /// seconds.
    public mutating func lapse(now: UInt64, epoch: UInt64) -> MetricBatch? {
        self.now = now
        let (seconds, options) = (nowSeconds, options)
        var lapsed: [UInt32] = []
        forgetUnseen { slot, member in
            let silent = seconds &- member.seen
            if Int32(bitPattern: silent) > 0, member.state.contains(.isLive),
                silent > options.staleSeconds(member.interval)
            {
                lapsed.append(slot)
            }
        }
        for slot in lapsed { leave(slot) }
        return settle(now: now, epoch: epoch)
    }

    /// Forgets inputs where nobody called `lapse` for long, lest one comes back under another id while we remember it
    /// under the old one.
    mutating func forgetOverdue() {
        let since = Int32(bitPattern: nowSeconds &- sweptAt)
        if since > 30 || since < 0 { forgetUnseen { _, _ in } }
    }
    /// How long an input is remembered, by our choice and by the series table's.
    var memorySeconds: UInt32 {
        min(
            options.forgetAfterSeconds,
            table.idleSeconds > 120 ? table.idleSeconds - 60 : table.idleSeconds / 2
        )
    }
    /// Whether what was last seen then is to be remembered no more.
    @inline(__always)
    func isForgotten(_ seen: UInt32, at seconds: UInt32) -> Bool {
        isForgotten(seen, at: seconds, after: memory)
    }
    @inline(__always)
    private func isForgotten(_ seen: UInt32, at seconds: UInt32, after memory: UInt32) -> Bool {
        Int32(bitPattern: seconds &- seen) > 0 && seconds &- seen > memory
    }
    private mutating func forgetUnseen(_ visit: (UInt32, Member) -> Void) {
        let (seconds, memory) = (nowSeconds, memorySeconds)
        sweptAt = seconds
        var forgotten: [UInt32] = []
        members.sweep { slot, member in
            guard member.generation != 0 else { return false }
            let silent = seconds &- member.seen
            if Int32(bitPattern: silent) > 0, silent > memory {
                forgotten.append(slot)
            } else {
                visit(slot, member)
            }
            return true
        }
        for slot in forgotten { evict(slot) }
        if !forgotten.isEmpty { compounds.points.sweep { !$1.isNone } }
        // At the same moment as a reaggregator behind us, which has not seen them for as long.
        freeOutputsUnseen()
    }

    /// Forgets a slot's member, if it has one.
    mutating func evict(_ slot: UInt32) {
        guard members[slot].generation != 0 else { return }
        displace(slot)
        let member = members[slot]
        var last = member.time
        if member.state.contains(.hasTwins) {
            for twin in twins[slot] ?? [] { last = max(last, twin.member.time) }
            twins[slot] = nil
        }
        last = max(last, compounds.newestTwin(slot))
        let isKnown = !member.state.isDisjoint(with: [.hasValue, .isTold])
        if isKnown { forget(seenAt: bounded(last, member.seen)) }
        compounds.forget(slot)
        if member.state.contains(.isBehind) { behind -= 1 }
        members.element(slot).pointee = Member()
        counts.members -= 1
    }
    /// A sender's time, but not beyond the second of ours in which it was seen: a clock that is ahead must not hold up
    /// the streams of all others.
    private func bounded(_ time: UInt64, _ seen: UInt32) -> UInt64 {
        let age = UInt64(nowSeconds &- seen)
        let second = now / 1_000_000_000
        return age > second ? time : min(time, (second - age) * 1_000_000_000 + 999_999_999)
    }

    /// How long an output is kept at most whose last point is in our future.
    private static var longestLeadSeconds: UInt32 { 86_400 }

    /// Forgets outputs that nobody is in. One whose last point is in our future, by its members' clocks, is kept until that
    /// has passed: so those that come after it can be later, and not be ahead of us for its sake.
    private mutating func freeOutputsUnseen() {
        let (seconds, memory) = (nowSeconds, memorySeconds)
        // Gauges whose last member just left have yet to say so.
        let leaving = Set(moved)
        var freed: [SeriesKey] = []
        for number in 0..<outputCount {
            let output = outputs.element(number)
            guard !output.pointee.state.contains(.isFree), !leaving.contains(number), !isHeld(number),
                output.pointee.members == 0, output.pointee.live == 0,
                isForgotten(output.pointee.seen, at: seconds, after: memory),
                output.pointee.emitted <= now
                    || isForgotten(output.pointee.seen, at: seconds, after: Self.longestLeadSeconds)
            else { continue }
            freedHorizon = max(freedHorizon, min(output.pointee.emitted, now))
            freed.append(names[number])
            numbers.remove(number, hash: names[number].hash) { names[$0].hash }
            output.pointee = Output()
            output.pointee.state = .isFree
            candidates[number] = nil
            notFinite[number] = nil
            compounds.drop(output: number)
            freeOutputs.append(number)
            counts.outputs -= 1
        }
        if !freed.isEmpty { table.letGo(freed) }
    }
    /// Has an output begin anew that was silent for so long that whoever reads it may have forgotten it: a reader counts
    /// what comes now from its new start. When it is swept away does not matter then.
    @inline(__always)
    mutating func wake(_ number: UInt32, seen: UInt32) {
        if isForgotten(seen, at: nowSeconds) { restart(number) }
    }
    @inline(never)
    private mutating func restart(_ number: UInt32) {
        if isHeld(number) { return }
        let output = outputs.element(number)
        output.pointee.seen = nowSeconds
        output.pointee.sum = ExactSum()
        output.pointee.state.subtract([.hasEmitted, .hasBegun, .goesByOurClock])
        compounds.restart(output: number)
    }

    /// Has gauges merge as the options now say, those that go on too; `settle` emits what that changed.
    public mutating func applyGaugeOptions() {
        guard mergesDiffer else { return }
        mergesDiffer = false
        var merges: [UInt32: GaugeMerge] = [:]
        for number in 0..<outputCount where !outputs[number].state.contains(.isFree) {
            let metric = table.series(kept: names[number]).metric
            guard metric.kind == .gauge else { continue }
            let merge = options.gauges[metric.name] ?? GaugeMerge.conventional(for: metric.name)
            if outputs[number].merge != merge { merges[number] = merge }
        }
        if !merges.isEmpty { change(merges) }
    }
    private mutating func change(_ merges: [UInt32: GaugeMerge]) {
        var live: [UInt32] = []
        members.sweep { slot, member in
            if member.generation != 0, member.state.contains(.isLive), merges[member.output] != nil {
                live.append(slot)
            }
            return member.generation != 0
        }
        for slot in live {
            leave(slot)
            members.element(slot).pointee.state.remove(.isCandidate)
        }
        for (number, merge) in merges {
            candidates[number] = nil
            outputs.element(number).pointee.merge = merge
        }
        for slot in live { enter(slot, members[slot].output) }
    }
}

extension Reaggregator.Options {
    /// How long a member with this interval may be silent.
    func staleSeconds(_ interval: UInt16) -> UInt32 {
        if interval == 0 { return unknownIntervalSeconds }
        return max(leastStaleSeconds, UInt32((Double(interval) / 10 * staleAfter).rounded(.up)))
    }
}
