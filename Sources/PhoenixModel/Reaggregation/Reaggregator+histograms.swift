/// Explicit histograms. Equal bounds add; bounds that contain all of the output's merge on the output's, exactly, since
/// counts at shared bounds are known; others go to a sibling series that is marked with its layout.
extension Reaggregator {
    /// The attribute that tells sibling series of unlike bounds apart.
    public static var layoutAttribute: String { "phoenix.histogram.layout" }

    mutating func applyHistograms(_ points: HistogramPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let header = CompoundHeader(
                id: points.series[index],
                time: points.times[index],
                start: points.starts[index],
                flags: points.flags[index]
            )
            book(HistogramMember(points, index), header, resolve)
        }
    }
    mutating func book(_ point: HistogramMember, _ header: CompoundHeader, _ resolve: Resolve) {
        let booked = book(point, header, in: \.histograms, resolve) { $0.fitting($1, point.layout) }
        let slot = header.id.slot
        if let booked, booked != members[slot].output { siblings[slot] = booked }
    }
    /// Finds the output that a layout fits, which may be a sibling; nil where the table is full.
    private mutating func fitting(_ number: UInt32, _ layout: BucketLayout) -> UInt32? {
        guard let total = compounds.histograms.totals[number] else {
            compounds.histograms.totals[number] = HistogramOutput(layout, of: outputs[number])
            return number
        }
        if total.places(of: layout) != nil { return number }
        counts.unlikeLayouts += 1
        let name = table.series(kept: names[number])
        var hash: UInt64 = 0x5EED ^ (layout.hasBuckets ? 0 : 1)
        for bound in layout.bounds { hash = fold(hash ^ bound.bitPattern, 0xe703_7ed1_a0b4_28db) }
        let mark = Attribute(Self.layoutAttribute, String(hash, radix: 16))
        let attributes = name.attributes.attributes.filter { $0.key != mark.key } + [mark]
        let sibling = output(
            resource: name.resource,
            metric: name.metric,
            attributes: AttributeSet(attributes)
        )
        guard let found = sibling else {
            counts.refused += 1
            return nil
        }
        if compounds.histograms.totals[found] == nil {
            compounds.histograms.totals[found] = HistogramOutput(layout, of: outputs[found])
        }
        return found
    }
}
