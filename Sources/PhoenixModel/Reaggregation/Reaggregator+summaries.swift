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
            guard let booked = bookCompound(SummaryPoint(points, index), header, resolve) else { continue }
            let range = outputs[booked].members == 1 ? points.quantileRange(index) : 0..<0
            SummaryTotal.show(
                points.quantiles[range],
                points.values[range],
                in: &compounds.totals.element(booked).pointee
            )
        }
    }
}

extension SummaryPoint {
    func fitting(_ number: UInt32, in reaggregator: inout Reaggregator) -> UInt32? {
        let isThere = reaggregator.hasTotal(number, SummaryTotal.self) { _ in
            CompoundRow(SummaryTotal(), capacity: 0)
        }
        return isThere ? number : nil
    }
}
