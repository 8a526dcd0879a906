/// Summaries: count and sum add; quantiles of several streams cannot be put together and are left out.
extension Reaggregator {
    mutating func applySummaries(_ points: SummaryPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let slot = points.series[index].slot
            guard let number = route(points.series[index], flags: points.flags[index], resolve) else { continue }
            let (time, start) = (points.times[index], points.starts[index])
            let point = SummaryMember(count: points.counts[index], sum: points.sums[index])
            var output = compounds.summaryOutputs[number] ?? SummaryOutput()
            switch succession(slot, time: time, start: start) {
            case .late:
                counts.late += 1
                continue
            case .first(let fromZero):
                if fromZero {
                    output.add(point)
                    open(number, from: start)
                }
            case .increase:
                if let previous = compounds.summaryMembers[slot], previous.count <= point.count {
                    output.add(from: previous, to: point)
                } else {
                    counts.resets += 1
                    output.add(point)
                }
            case .reset:
                counts.resets += 1
                output.add(point)
            }
            let isAlone = outputs[Int(number)].members == 1
            let range = isAlone ? points.quantileRange(index) : 0..<0
            output.show(Array(points.quantiles[range]), Array(points.values[range]))
            compounds.summaryOutputs[number] = output
            compounds.summaryMembers[slot] = point
            remember(slot, time: time, start: start)
            touch(number, time: time)
        }
    }
}

/// The last point of a summary series.
struct SummaryMember: Sendable {
    var count: UInt64
    var sum: Double
}

/// The accumulator of a summary output.
struct SummaryOutput: Sendable {
    private var count: UInt64 = 0
    private var sum = ExactSum()
    /// Of the only member.
    private var quantiles: [Double] = []
    private var values: [Double] = []

    mutating func add(_ point: SummaryMember) {
        count &+= point.count
        sum.add(point.sum)
    }
    mutating func add(from old: SummaryMember, to new: SummaryMember) {
        count &+= new.count - old.count
        sum.add(difference: new.sum, old.sum)
    }
    mutating func show(_ quantiles: [Double], _ values: [Double]) { (self.quantiles, self.values) = (quantiles, values) }

    func emit(_ output: Output, to points: inout SummaryPoints) {
        points.series.append(output.id)
        points.times.append(output.time)
        points.starts.append(min(output.start, output.time &- 1))
        points.flags.append(.hasSum)
        points.counts.append(count)
        points.sums.append(sum.double)
        points.offsets.append(points.quantiles.count)
        points.quantiles += quantiles
        points.values += values
    }
}
