/// Explicit histograms. Equal bounds add; bounds that contain all of the output's merge on the output's, exactly, since
/// counts at shared bounds are known; others go to a sibling series that is marked with its layout.
extension Reaggregator {
    /// The attribute that tells sibling series of unlike bounds apart.
    public static var layoutAttribute: String { "phoenix.histogram.layout" }

    mutating func applyHistograms(_ points: HistogramPoints, _ resolve: Resolve) {
        points.layouts.withAddresses { layouts in
            points.buckets.withUnsafeBufferPointer { buckets in
                for index in 0..<points.count {
                    let header = CompoundHeader(
                        id: points.series[index],
                        time: points.times[index],
                        start: points.starts[index],
                        flags: points.flags[index]
                    )
                    book(HistogramPoint(points, index, layouts, buckets), header, resolve)
                }
            }
        }
    }
    @inline(__always)
    mutating func book(_ point: HistogramPoint, _ header: CompoundHeader, _ resolve: Resolve) {
        guard let booked = bookCompound(point, header, resolve) else { return }
        if booked != members.element(header.id.slot).pointee.output { siblings[header.id.slot] = booked }
    }
    /// Finds a sibling for a layout that an output does not fit; nil where the table is full.
    @inline(never)
    fileprivate mutating func sibling(of number: UInt32, _ layout: KeptLayout) -> UInt32? {
        let total = compounds.totals[number].head(HistogramTotal.self).pointee.layout
        if total.object.fits(layout.object) { return number }
        counts.unlikeLayouts += 1
        let (name, bounds) = (table.series(kept: names[number]), layout.object)
        var hash: UInt64 = 0x5EED ^ (bounds.hasBuckets ? 0 : 1)
        for bound in bounds.bounds { hash = fold(hash ^ bound.bitPattern, 0xe703_7ed1_a0b4_28db) }
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
        guard hasTotal(found, HistogramTotal.self, { HistogramTotal.row(layout, $0) }) else { return nil }
        return compounds.totals[found].head(HistogramTotal.self).pointee.layout.object.fits(bounds)
            ? found : nil
    }
}

extension HistogramPoint {
    @inline(__always)
    func fitting(_ number: UInt32, in reaggregator: inout Reaggregator) -> UInt32? {
        let isThere = reaggregator.hasTotal(number, HistogramTotal.self) { HistogramTotal.row(layout, $0) }
        guard isThere else { return nil }
        let total = reaggregator.compounds.totals[number].head(HistogramTotal.self)
        return total.pointee.layout.isLike(layout) ? number : reaggregator.sibling(of: number, layout)
    }
}
