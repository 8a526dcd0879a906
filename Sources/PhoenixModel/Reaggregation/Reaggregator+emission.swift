/// What a batch changed, as a batch.
extension Reaggregator {
    mutating func emit(epoch: UInt64, _ exemplars: [Exemplar] = []) -> MetricBatch? {
        guard !touched.isEmpty, !isHolding else {
            counts.exemplars += UInt64(exemplars.count)
            return nil
        }
        var (parts, list) = (MetricBatch.Parts(), [UInt32]())
        swap(&list, &touched)
        let numbers = NumberPoints(capacity: list.count) { points in
            for number in list { emit(number, &points, &parts) }
        }
        parts.numbers = numbers
        if !exemplars.isEmpty { parts.exemplars = carried(exemplars) }
        list.removeAll(keepingCapacity: true)
        swap(&list, &touched)
        return parts.count > 0 ? MetricBatch(parts, epoch: epoch) : nil
    }
    @inline(__always)
    private mutating func emit(
        _ number: UInt32,
        _ points: inout NumberWriter,
        _ parts: inout MetricBatch.Parts
    ) {
        let output = outputs.element(number)
        if !table.touch(output.pointee.id) {
            guard !output.pointee.state.contains(.isFree), renew(number) else { return }
        }
        output.pointee.seen = nowSeconds
        switch output.pointee.kind {
        case .counter:
            let isZero = output.pointee.sum.isZero
            stamp(&output.pointee, isZero: isZero)
            points.append(output.pointee, output.pointee.sum.result)
        case .delta:
            output.pointee.stampWindow(after: freed(before: output.pointee.time))
            points.append(output.pointee, output.pointee.sum.result)
            output.pointee.sum = ExactSum()
        case .gauge:
            let value = value(of: number)
            output.pointee.emitted = output.pointee.time
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
            if output.pointee.state.contains(.isDelta) {
                output.pointee.stampWindow(after: freed(before: output.pointee.time))
            } else {
                stamp(&output.pointee, isZero: false)
            }
            compounds.emit(number, output.pointee, &parts)
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

    /// Settles the time of the total to be emitted, and with the first one its start.
    @inline(__always)
    private func stamp(_ output: inout Output, isZero: Bool) {
        if output.state.contains(.hasEmitted) {
            output.stampTotal()
        } else {
            stampFirst(&output, isZero: isZero)
        }
    }
    /// All that the first total counts is told with it: whoever sees it must take it from zero, also who has forgotten
    /// something meanwhile, or goes by a clock that is behind the members'.
    @inline(never)
    private func stampFirst(_ output: inout Output, isZero: Bool) {
        let horizon = freed(before: output.time)
        let remembered = UInt64(memory / 2) * 1_000_000_000
        let floor = max(now - min(now, remembered), began + 1_000_000_000)
        output.stampFirst(after: horizon, since: floor, now: now, isZero: isZero)
    }

    /// The newest time that an output may have shown that was forgotten, whose name this one may have.
    private func freed(before time: UInt64) -> UInt64 {
        freedHorizonAhead < time ? freedHorizonAhead : freedHorizon
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
    mutating func stampTotal() {
        if time <= emitted { time = emitted + 1 }
        emitted = time
    }
    /// Settles the time and the start of the first total.
    ///
    /// The start is before the time unless nothing was counted yet: whoever sees the output begin counts its first value.
    /// It is no earlier than `floor`, by our clock, and that of an output that has the name of one that was forgotten is
    /// `after` that one's last point.
    mutating func stampFirst(after horizon: UInt64, since floor: UInt64, now: UInt64, isZero: Bool) {
        state.insert(.hasEmitted)
        if time <= emitted { time = emitted + 2 }
        start = max(start, floor)
        // From our time to that of its points.
        if time > now { start += time - now }
        let earliest = max(emitted, horizon)
        if start <= earliest, earliest + 1 < time { start = earliest + 1 }
        if start >= time { start = isZero ? time : time - 1 }
        emitted = time
    }
    /// Settles the window to be emitted: after the one before, however the members' windows overlap; the first one `after`
    /// those of an output that was forgotten.
    @inline(__always)
    mutating func stampWindow(after horizon: UInt64) {
        if time <= emitted { time = emitted + 1 }
        let earliest = emitted == 0 ? min(horizon, time - 1) : emitted
        if start != 0, start < earliest { start = earliest }
        emitted = time
        state.remove(.hasBegun)
    }
}

extension NumberWriter {
    @inline(__always)
    fileprivate mutating func append(_ output: Output, _ value: (bits: UInt64, isInteger: Bool)) {
        append(
            output.id,
            time: output.emitted,
            start: output.start,
            bits: value.bits,
            flags: value.isInteger ? .isInteger : []
        )
    }
}
