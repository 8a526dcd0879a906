/// What a batch changed, as a batch.
extension Reaggregator {
    mutating func emit(epoch: UInt64) -> MetricBatch? {
        guard !touched.isEmpty else { return nil }
        var parts = MetricBatch.Parts()
        parts.numbers.reserve(touched.count)
        let seconds = nowSeconds
        for number in touched {
            let index = Int(number)
            outputs[index].seen = seconds
            outputs[index].isNew = false
            if !table.touch(outputs[index].id) {
                guard renew(number) else { continue }
            }
            switch outputs[index].kind {
            case .counter, .delta:
                let (bits, isInteger) = outputs[index].sum.result
                let output = outputs[index]
                // A start equal to the time would say that nothing is known of what came before.
                let start = output.kind == .delta ? output.start : min(output.start, output.time &- 1)
                parts.numbers.append(
                    output.id, time: output.time, start: start, bits: bits, flags: isInteger ? .isInteger : []
                )
            case .gauge:
                let value = value(of: number)
                let flags: PointFlags = value == nil ? .noRecordedValue : value!.isInteger ? .isInteger : []
                parts.numbers.append(
                    outputs[index].id, time: outputs[index].time, start: 0, bits: value?.bits ?? 0, flags: flags
                )
            case .compound: compounds.emit(number, outputs[index], &parts)
            }
        }
        touched.removeAll(keepingCapacity: true)
        return parts.count > 0 ? MetricBatch(parts, epoch: epoch) : nil
    }

    /// Names an output anew whose id went stale while it was frozen; false where the table is full.
    private mutating func renew(_ number: UInt32) -> Bool {
        guard let name = names[Int(number)],
            let id = table.id(
                resource: table.intern(name.resource), metric: name.metric, attributes: table.intern(name.attributes),
                lane: lane
            )
        else {
            counts.refused += 1
            return false
        }
        outputs[Int(number)].id = id
        return true
    }
}
