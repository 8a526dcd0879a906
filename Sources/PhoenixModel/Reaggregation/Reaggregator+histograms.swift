/// Explicit histograms. Equal bounds add; bounds that contain all of the output's merge on the output's, exactly, since
/// counts at shared bounds are known; others go to a sibling series that is marked with its layout.
extension Reaggregator {
    /// The attribute that tells sibling series of unlike bounds apart.
    public static var layoutAttribute: String { "phoenix.histogram.layout" }

    mutating func applyHistograms(_ points: HistogramPoints, _ resolve: Resolve) {
        for index in 0..<points.count {
            let id = points.series[index]
            let (time, start) = (points.times[index], points.starts[index])
            let point = HistogramMember(points, index)
            guard isFound(id, resolve) else {
                if follows(id, points.flags[index]) {
                    compounds.histograms.skip(
                        point,
                        id.slot,
                        &members.element(id.slot).pointee,
                        time: time,
                        start: start
                    )
                }
                continue
            }
            if points.flags[index].contains(.noRecordedValue) { continue }
            guard let number = fitting(members[id.slot].output, point.layout) else { continue }
            let output = outputs.element(number)
            if output.pointee.state.contains(.isDelta) {
                guard open(id.slot, output, time: time, start: start) else { continue }
                compounds.histograms.totals[number]?.add(point)
            } else {
                wake(number, seen: output.pointee.seen)
                let since = compounds.histograms.add(
                    point,
                    id.slot,
                    &members.element(id.slot).pointee,
                    to: number,
                    time: time,
                    start: start,
                    fromZero: countsFromZero(start: start, time: time),
                    &counts
                )
                guard let since else { continue }
                output.pointee.begin(at: since)
            }
            touch(output, number, time: time)
        }
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

    // MARK: Of all compounds

    /// Whether the points of an input go to an output; see `find`.
    @inline(__always)
    mutating func isFound(_ id: SeriesID, _ resolve: Resolve) -> Bool {
        let member = members.element(id.slot)
        guard member.pointee.generation == id.generation, member.pointee.output < Self.firstDropped,
            id.slot < unasked
        else {
            return find(id, resolve)
        }
        member.pointee.seen = nowSeconds
        return true
    }
    /// Whether a point that goes nowhere is followed all the same.
    func follows(_ id: SeriesID, _ flags: PointFlags) -> Bool {
        let member = members[id.slot]
        return member.generation == id.generation && member.state.contains(.isCumulative)
            && !flags.contains(.noRecordedValue)
    }
    /// Opens an output's window for that of a delta point; false for a point that was counted before.
    mutating func open(
        _ slot: UInt32,
        _ output: UnsafeMutablePointer<Output>,
        time: UInt64,
        start: UInt64
    ) -> Bool {
        guard members.element(slot).pointee.takeWindow(start: start, time: time, after: windowFloor) else {
            counts.late += 1
            return false
        }
        output.pointee.open(at: start)
        return true
    }
}
