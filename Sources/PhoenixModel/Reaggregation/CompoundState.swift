/// What is remembered of histograms and summaries: they are wider than numbers, and fewer.
struct CompoundState: ~Copyable, Sendable {
    /// The last points of streams by slot, and what is counted of outputs by number.
    var points = SlotMap<CompoundRow>(vacant: .none)
    var totals = SlotMap<CompoundRow>(vacant: .none)
    var twins: [UInt32: [CompoundTwin]] = [:]

    deinit {
        points.visit { $1.release() }
        totals.visit { $1.release() }
        for known in twins.values { for twin in known { twin.point.release() } }
    }

    mutating func forget(_ slot: UInt32) {
        if let point = points.known(slot) { point.pointee.clear() }
        if !twins.isEmpty { forgetTwins(slot) }
    }
    mutating func forgetTwins(_ slot: UInt32) {
        for twin in twins.removeValue(forKey: slot) ?? [] { twin.point.release() }
    }
    mutating func drop(output number: UInt32) { totals.known(number)?.pointee.clear() }
    func restart(output number: UInt32) { totals[number].restart() }
    /// When a writer beside the one followed was last seen; 0 where there is none.
    func newestTwin(_ slot: UInt32) -> UInt64 {
        twins.isEmpty ? 0 : twins[slot]?.map(\.member.time).max() ?? 0
    }

    /// An output that is to be emitted, and whether what it tells is news.
    struct Emission {
        var number: UInt32
        var news: PointFlags
    }
    /// Emits outputs; windows are empty again afterwards.
    func emit(_ list: [Emission], _ outputs: SlotMap<Output>.Reader, _ parts: inout MetricBatch.Parts) {
        // How many there will be is known: columns that grow point by point are moved again and again.
        var (histograms, exponentials) = ((points: 0, buckets: 0), (points: 0, buckets: 0))
        for one in list {
            let row = totals[one.number]
            switch row.kind {
            case .histogramTotal:
                histograms.points += 1
                histograms.buckets += row.head(HistogramTotal.self).pointee.width
            case .exponentialTotal:
                let head = row.head(ExponentialTotal.self)
                exponentials.points += 1
                exponentials.buckets += head.pointee.positive.count + head.pointee.negative.count
            default: break
            }
        }
        if histograms.points > 0 { parts.histograms.reserve(histograms.points, buckets: histograms.buckets) }
        if exponentials.points > 0 {
            parts.exponentials.reserve(exponentials.points, buckets: exponentials.buckets)
        }
        for one in list { emit(one.number, outputs[one.number], one.news, &parts) }
    }
    private func emit(
        _ number: UInt32,
        _ output: Output,
        _ news: PointFlags,
        _ parts: inout MetricBatch.Parts
    ) {
        let (row, isDelta) = (totals[number], output.state.contains(.isDelta))
        switch row.kind {
        case .histogramTotal:
            let isEmpty = row.head(HistogramTotal.self).pointee.points == 0
            if !isDelta || !isEmpty { HistogramTotal.emit(row, output, news, to: &parts.histograms) }
        case .exponentialTotal:
            let isEmpty = row.head(ExponentialTotal.self).pointee.points == 0
            if !isDelta || !isEmpty { ExponentialTotal.emit(row, output, news, to: &parts.exponentials) }
        case .summaryTotal: return SummaryTotal.emit(row, output, news, to: &parts.summaries)
        default: return
        }
        if isDelta { row.restart() }
    }
}

/// Another writer of a stream; see `Reaggregator.countTwin`.
struct CompoundTwin: Sendable {
    var member: Member
    var point: CompoundRow
}

/// A point of several numbers, looked at where it lies: in its batch, or in the row that it was kept in.
protocol CompoundPoint {
    /// What it is kept as.
    associatedtype Head: RowHead
    /// The number of the output that it fits, the one given or a sibling of that, which has a total then; nil where there
    /// is none.
    func fitting(_ number: UInt32, in reaggregator: inout Reaggregator) -> UInt32?
    /// Puts it in the place of the point before.
    func keep(in row: inout CompoundRow)
    /// Adds nothing, but what it lacks is lacking from now on.
    func join(_ total: inout CompoundRow)
    /// Adds the whole.
    func add(to total: inout CompoundRow)
    /// Adds what came since the point before of its stream; false, and nothing, where a count fell: the stream began anew.
    func add(to total: inout CompoundRow, since last: CompoundRow) -> Bool
}

/// A sum that is there only as long as all points have one, and extremes of windows, which totals cannot have: an
/// extreme of a stream's whole life may be from before we counted.
struct CompoundExtras: BitwiseCopyable, Sendable {
    var sum = ExactSum()
    var hasSum = true
    let keepsExtremes: Bool
    var hasExtremes = false
    var (minimum, maximum) = (0.0, 0.0)
    init(keepsExtremes: Bool) { self.keepsExtremes = keepsExtremes }

    @inline(__always)
    mutating func join(_ sum: Double, _ flags: PointFlags) {
        if !flags.contains(.hasSum) || !sum.isFinite { hasSum = false }
    }
    @inline(__always)
    mutating func add(_ sum: Double, _ minimum: Double, _ maximum: Double, _ flags: PointFlags, isFirst: Bool)
    {
        join(sum, flags)
        if hasSum { self.sum.add(sum) }
        guard keepsExtremes else { return }
        guard flags.isSuperset(of: [.hasMinimum, .hasMaximum]), isFirst || hasExtremes else {
            hasExtremes = false
            return
        }
        self.minimum = hasExtremes ? min(self.minimum, minimum) : minimum
        self.maximum = hasExtremes ? max(self.maximum, maximum) : maximum
        hasExtremes = true
    }
    @inline(__always)
    mutating func add(from old: Double, to new: Double, _ flags: PointFlags) {
        join(new, flags)
        join(old, flags)
        if hasSum { sum.add(difference: new, old) }
        hasExtremes = false
    }
    /// What a point says that shows this, its sum and its extremes.
    var shown: (flags: PointFlags, sum: Double, minimum: Double, maximum: Double) {
        var flags: PointFlags = hasSum ? .hasSum : []
        if hasExtremes { flags.formUnion([.hasMinimum, .hasMaximum]) }
        return (flags, hasSum ? sum.double : 0, hasExtremes ? minimum : 0, hasExtremes ? maximum : 0)
    }
}

extension CompoundRow {
    /// Lets the row go, and what it holds.
    func release() {
        layout?.letGo()
        deallocate()
    }
    /// The same, for another owner.
    func copy() -> CompoundRow {
        layout?.keep()
        return copyOfBytes()
    }
    mutating func clear() {
        release()
        self = .none
    }
    /// The bounds that it holds.
    var layout: KeptLayout? {
        switch kind {
        case .histogram: head(HistogramHead.self).pointee.layout
        case .histogramTotal: head(HistogramTotal.self).pointee.layout
        default: nil
        }
    }
    /// Makes a total begin at nothing again.
    func restart() {
        switch kind {
        case .histogramTotal: HistogramTotal.clear(self)
        case .exponentialTotal: ExponentialTotal.clear(self)
        case .summaryTotal: SummaryTotal.clear(self)
        default: break
        }
    }
}
