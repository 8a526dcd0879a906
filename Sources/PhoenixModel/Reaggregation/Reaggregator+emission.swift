/// What a batch changed, as a batch.
extension Reaggregator {
    mutating func emit(epoch: UInt64) -> MetricBatch? {
        guard !touched.isEmpty, !isHolding else { return nil }
        var (parts, list) = (MetricBatch.Parts(), [UInt32]())
        swap(&list, &touched)
        let numbers = NumberPoints(capacity: list.count) { points in
            for number in list { emit(number, &points, &parts) }
        }
        parts.numbers = numbers
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
            output.pointee.stampTotal(
                after: freedHorizon,
                freedHorizonAhead,
                isZero: output.pointee.sum.isZero
            )
            points.append(output.pointee, output.pointee.sum.result)
        case .delta:
            output.pointee.stampWindow()
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
                output.pointee.stampWindow()
            } else {
                output.pointee.stampTotal(after: freedHorizon, freedHorizonAhead, isZero: false)
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
    /// Settles the time of the total to be emitted, and with the first one its start.
    ///
    /// The start is before the time unless nothing was counted yet: whoever sees the output begin counts its first value.
    /// An output that has the name of one that was forgotten starts after that one's last point.
    @inline(__always)
    mutating func stampTotal(after freed: UInt64, _ freedAhead: UInt64, isZero: Bool) {
        if state.contains(.hasEmitted) {
            if time <= emitted { time = emitted + 1 }
        } else {
            state.insert(.hasEmitted)
            let earliest = max(emitted, freedAhead < time ? freedAhead : freed)
            if time <= emitted { time = emitted + 2 }
            if start <= earliest, earliest + 1 < time { start = earliest + 1 }
            if start >= time { start = isZero ? time : time - 1 }
        }
        emitted = time
    }
    /// Settles the window to be emitted: after the one before, however the members' windows overlap.
    @inline(__always)
    mutating func stampWindow() {
        if time <= emitted { time = emitted + 1 }
        if start != 0, start < emitted { start = emitted }
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
