import PhoenixModel

@testable import PhoenixNodes

extension SyntheticLoad {
    /// A round at once: what every host reports, a batch each.
    mutating func report(at now: UInt64, into names: SyntheticNames) -> [MetricBatch.Parts] {
        var (round, reports) = (beginRound(at: now), [MetricBatch.Parts]())
        while let parts = nextReport(of: &round, into: names) { reports.append(parts) }
        return reports
    }
}
