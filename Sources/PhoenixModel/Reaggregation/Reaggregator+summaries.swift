/// Summaries: count and sum add; quantiles of several streams cannot be put together and are left out.
extension Reaggregator {
    mutating func applySummaries(_ points: SummaryPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let header = CompoundHeader(
                id: points.series[index],
                time: points.times[index],
                start: points.starts[index],
                flags: points.flags[index]
            )
            let point = SummaryMember(count: points.counts[index], sum: points.sums[index])
            guard let booked = book(point, header, resolve) else { continue }
            let range = outputs[booked].members == 1 ? points.quantileRange(index) : 0..<0
            compounds.summaries.totals[booked]?.show(
                Array(points.quantiles[range]),
                Array(points.values[range])
            )
        }
    }
    @discardableResult
    mutating func book(_ point: SummaryMember, _ header: CompoundHeader, _ resolve: Resolve) -> UInt32? {
        book(point, header, in: \.summaries, resolve) { own, number in
            if own.compounds.summaries.totals[number] == nil {
                own.compounds.summaries.totals[number] = SummaryOutput()
            }
            return number
        }
    }
}

/// The last point of a summary series.
struct SummaryMember: Sendable {
    var count: UInt64
    var sum: Double
}

/// The accumulator of a summary output.
struct SummaryOutput: CompoundTotal {
    var count: UInt64 = 0
    var sum = ExactSum()
    /// Of the only member.
    var quantiles: [Double] = []
    var values: [Double] = []

    mutating func clear() { self = Self() }
    mutating func join(_ point: SummaryMember) {}
    mutating func add(_ point: SummaryMember) {
        count &+= point.count
        if point.sum.isFinite { sum.add(point.sum) }
    }
    mutating func add(from old: SummaryMember, to new: SummaryMember) -> Bool {
        guard new.count >= old.count else { return false }
        count &+= new.count - old.count
        if new.sum.isFinite, old.sum.isFinite { sum.add(difference: new.sum, old.sum) }
        return true
    }
    mutating func show(_ quantiles: [Double], _ values: [Double]) {
        (self.quantiles, self.values) = (quantiles, values)
    }

    func emit(_ output: Output, to points: inout SummaryPoints) {
        points.series.append(output.id)
        points.times.append(output.emitted)
        points.starts.append(output.start)
        points.flags.append(.hasSum)
        points.counts.append(count)
        points.sums.append(sum.double)
        points.offsets.append(points.quantiles.count)
        points.quantiles += quantiles
        points.values += values
    }
}
