/// Exponential histograms: brought to the lesser scale and the greater zero threshold, then added.
extension Reaggregator {
    mutating func applyExponentials(_ points: ExponentialPoints, _ resolve: Resolve) {
        points.buckets.withUnsafeBufferPointer { buckets in
            for index in 0..<points.count {
                let header = CompoundHeader(
                    id: points.series[index],
                    time: points.times[index],
                    start: points.starts[index],
                    flags: points.flags[index]
                )
                _ = bookCompound(ExponentialPoint(points, index, buckets), header, resolve)
            }
        }
    }
}

extension ExponentialPoint {
    @inline(__always)
    func fitting(_ number: UInt32, in reaggregator: inout Reaggregator) -> UInt32? {
        let isThere = reaggregator.hasTotal(number, ExponentialTotal.self) {
            CompoundRow(ExponentialTotal($0), capacity: 0)
        }
        return isThere ? number : nil
    }
}
