/// What a batch changed, as a batch.
extension Reaggregator {
    mutating func emit(epoch: UInt64, _ exemplars: [Exemplar] = []) -> MetricBatch? {
        guard !touched.isEmpty, !isHolding else {
            counts.exemplars += UInt64(exemplars.count)
            return nil
        }
        var (parts, list, compound) = (MetricBatch.Parts(), [UInt32](), [CompoundState.Emission]())
        swap(&list, &touched)
        let numbers = NumberPoints(capacity: list.count) { points in
            for number in list { emit(number, &points, &compound) }
        }
        parts.numbers = numbers
        if !compound.isEmpty { compounds.emit(compound, outputs.reader, &parts) }
        if !exemplars.isEmpty { parts.exemplars = carried(exemplars) }
        list.removeAll(keepingCapacity: true)
        swap(&list, &touched)
        return parts.count > 0 ? MetricBatch(parts, epoch: epoch) : nil
    }
    /// Emits an output of numbers; notes one of points of several numbers, once its time is settled.
    @inline(__always)
    private mutating func emit(
        _ number: UInt32,
        _ points: inout NumberWriter,
        _ compound: inout [CompoundState.Emission]
    ) {
        let output = outputs.element(number)
        if !table.touch(output.pointee.id) {
            guard !output.pointee.state.contains(.isFree), renew(number) else { return }
        }
        output.pointee.seen = nowSeconds
        switch output.pointee.kind {
        case .counter:
            let isZero = output.pointee.sum.isZero
            let news = stamp(&output.pointee, isZero: isZero)
            points.append(output.pointee, output.pointee.sum.result, news)
        case .delta:
            output.pointee.stampWindow(now)
            points.append(output.pointee, output.pointee.sum.result, .isNews)
            output.pointee.sum = ExactSum()
        case .gauge:
            let value = value(of: number)
            output.pointee.stampLevel(now)
            var flags: PointFlags = .noRecordedValue
            if let value { flags = value.isInteger ? .isInteger : [] }
            points.append(
                output.pointee.id,
                time: output.pointee.time,
                start: 0,
                bits: value?.bits ?? 0,
                flags: flags
            )
        case .compound:
            var news = PointFlags.isNews
            if output.pointee.state.contains(.isDelta) {
                output.pointee.stampWindow(now)
            } else {
                news = stamp(&output.pointee, isZero: false)
            }
            compound.append(.init(number: number, news: news))
        }
    }

    /// Emits what was held, each output once, at its newest time; nil where there is nothing.
    public mutating func release(now: UInt64, epoch: UInt64) -> MetricBatch? {
        let isHolding = isHolding
        self.isHolding = false
        defer { self.isHolding = isHolding }
        begin(now)
        return emit(epoch: epoch)
    }
    /// Whether something of an output is held.
    func isHeld(_ number: UInt32) -> Bool { !touched.isEmpty && outputs[number].touched == serial }

    /// Settles the time of the total to be emitted, and with the first one its start; answers whether all of it is news.
    @inline(__always)
    private func stamp(_ output: inout Output, isZero: Bool) -> PointFlags {
        guard output.state.contains(.hasEmitted) else {
            stampFirst(&output, isZero: isZero)
            return .isNews
        }
        output.stampTotal(now)
        return []
    }
    /// All that the first total counts is told with it: whoever sees it must take it from zero. Our nodes are told so; for
    /// others its start says it, where it can: also to who has forgotten something meanwhile, or goes by a clock that is
    /// behind the members'.
    @inline(never)
    private func stampFirst(_ output: inout Output, isZero: Bool) {
        let remembered = UInt64(memory / 2) * 1_000_000_000
        let floor = max(now - min(now, remembered), began + 1_000_000_000)
        output.stampFirst(since: floor, now: now, isZero: isZero)
    }

    /// Names an output anew whose id went stale while it was frozen; false where the table is full.
    private mutating func renew(_ number: UInt32) -> Bool {
        guard let id = table.id(names[number], lane) else {
            counts.refused += 1
            return false
        }
        outputs.element(number).pointee.id = id
        return true
    }
}

extension Output {
    @inline(__always)
    mutating func stampTotal(_ now: UInt64) {
        if time <= emitted { advance(now) }
        emitted = time
    }
    /// Settles the time and the start of the first total.
    ///
    /// The start is before the time unless nothing was counted yet: whoever sees the output begin counts its first value.
    /// It is no earlier than `floor`, by our clock, nor than what was told under its name before.
    mutating func stampFirst(since floor: UInt64, now: UInt64, isZero: Bool) {
        if time <= emitted { advance(now) }
        start = max(start, floor)
        // From our time to that of its points.
        if time > now { start += time - now }
        if start <= emitted { start = emitted + 1 }
        if start >= time { start = isZero ? time : time - 1 }
        emitted = time
        state.insert(.hasEmitted)
    }
    /// Settles the window to be emitted: after the one before, however the members' windows overlap.
    @inline(__always)
    mutating func stampWindow(_ now: UInt64) {
        if time <= emitted { advance(now) }
        if start != 0, start < emitted { start = emitted }
        emitted = time
        state.remove(.hasBegun)
        state.insert(.hasEmitted)
    }
    /// Settles the time of a level: no earlier than that of the one before.
    @inline(__always)
    mutating func stampLevel(_ now: UInt64) {
        if time < emitted { state.insert(.goesByOurClock) }
        if time <= emitted, state.contains(.goesByOurClock) { time = max(emitted, now) }
        emitted = time
        state.insert(.hasEmitted)
    }
    /// Has the time of a total or a window go on where its members tell none that is newer: by a nanosecond, or by our clock
    /// where theirs are behind from its first point on.
    @inline(never)
    private mutating func advance(_ now: UInt64) {
        if !state.contains(.hasEmitted) {
            state.insert(.goesByOurClock)
            // From the time of its points to ours.
            if start != 0, now > time { start += now - time }
        }
        time = state.contains(.goesByOurClock) ? max(emitted + 1, now) : emitted + 1
    }
}

extension NumberWriter {
    @inline(__always)
    fileprivate mutating func append(
        _ output: Output,
        _ value: (bits: UInt64, isInteger: Bool),
        _ news: PointFlags
    ) {
        append(
            output.id,
            time: output.emitted,
            start: output.start,
            bits: value.bits,
            flags: value.isInteger ? news.union(.isInteger) : news
        )
    }
}
