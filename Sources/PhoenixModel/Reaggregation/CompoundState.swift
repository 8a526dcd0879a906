/// What is remembered of histograms and summaries: they are wider than numbers, and fewer.
struct CompoundState: Sendable {
    var histogramMembers: [UInt32: HistogramMember] = [:]
    var histogramOutputs: [UInt32: HistogramOutput] = [:]
    var exponentialMembers: [UInt32: ExponentialMember] = [:]
    var exponentialOutputs: [UInt32: ExponentialOutput] = [:]
    var summaryMembers: [UInt32: SummaryMember] = [:]
    var summaryOutputs: [UInt32: SummaryOutput] = [:]

    mutating func forget(_ slot: UInt32) {
        if !histogramMembers.isEmpty { histogramMembers[slot] = nil }
        if !exponentialMembers.isEmpty { exponentialMembers[slot] = nil }
        if !summaryMembers.isEmpty { summaryMembers[slot] = nil }
    }
    mutating func drop(output number: UInt32) {
        histogramOutputs[number] = nil
        exponentialOutputs[number] = nil
        summaryOutputs[number] = nil
    }

    func emit(_ number: UInt32, _ output: Output, _ parts: inout MetricBatch.Parts) {
        if let histogram = histogramOutputs[number] {
            histogram.emit(output, to: &parts.histograms)
        } else if let exponential = exponentialOutputs[number] {
            exponential.emit(output, to: &parts.exponentials)
        } else if let summary = summaryOutputs[number] {
            summary.emit(output, to: &parts.summaries)
        }
    }
}

/// How a cumulative point follows the one before of its stream.
enum Succession {
    case first(fromZero: Bool)
    case increase
    case reset
    case late
}

extension Reaggregator {
    /// The output of a compound point's series, and the member's succession; nil where it goes no further.
    mutating func route(_ id: SeriesID, flags: PointFlags, _ resolve: Resolve) -> UInt32? {
        var number = members[id.slot].output
        if members[id.slot].generation != id.generation || number == Self.refusedOutput {
            guard let admitted = admit(id, resolve) else { return nil }
            number = admitted
        }
        members.element(id.slot).pointee.seen = nowSeconds
        guard number < Self.firstDropped else {
            countDropped(number)
            return nil
        }
        return flags.contains(.noRecordedValue) ? nil : number
    }
    /// What a point is to the one before, before its contents are looked at.
    func succession(_ slot: UInt32, time: UInt64, start: UInt64) -> Succession {
        let member = members[slot]
        guard member.state.contains(.hasValue) else {
            return .first(fromZero: countsFromZero(start: start, time: time))
        }
        guard time > member.time else { return .late }
        return start > member.start && start >= member.time ? .reset : .increase
    }
    mutating func remember(_ slot: UInt32, time: UInt64, start: UInt64) {
        let member = members.element(slot)
        (member.pointee.time, member.pointee.start) = (time, start)
        member.pointee.state.insert(.hasValue)
    }
    /// Whether the metric of an output is delta.
    func isDelta(_ number: UInt32) -> Bool { names[Int(number)]?.metric.temporality == .delta }

    /// Notes the window of a delta point on its output; true where the output begins anew with it.
    mutating func openWindow(_ number: UInt32, start: UInt64) -> Bool {
        let output = Int(number)
        guard outputs[output].touched != serial else {
            if start != 0 { outputs[output].start = min(outputs[output].start, start) }
            return false
        }
        outputs[output].start = start
        outputs[output].time = 0
        return true
    }
    /// Whether the same delta window came twice.
    func isRepetition(_ slot: UInt32, time: UInt64, start: UInt64) -> Bool {
        let member = members[slot]
        return member.state.contains(.hasValue) && member.time == time && member.start == start
    }
}
