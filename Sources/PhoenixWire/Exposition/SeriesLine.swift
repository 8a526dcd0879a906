import PhoenixModel

/// The labels of one entity while they are written: two blocks, either of which may be empty.
struct RenderedLabels {
    private let head: LabelBlocks.Block
    private let tail: LabelBlocks.Block
    private let source: Entities.Rendered
    /// A bound of their length.
    var count: Int { Int(head.count) + Int(tail.count) + 1 }

    @inline(__always)
    init(head: LabelBlocks.Block, tail: LabelBlocks.Block, _ source: Entities.Rendered) {
        (self.head, self.tail, self.source) = (head, tail, source)
    }

    /// Labels that are written already.
    init(written: UnsafeRawBufferPointer, like other: RenderedLabels) {
        var block = LabelBlocks.Block()
        (block.bytes, block.count) = (written.baseAddress, UInt32(written.count))
        self.init(head: block, tail: LabelBlocks.Block(), other.source)
    }

    /// Writes the labels with a comma between the two; false where there are none.
    @inline(__always)
    func write(to page: inout ExpositionPage) -> Bool {
        write(head, to: &page)
        guard tail.bytes != nil else { return head.bytes != nil }
        if head.bytes != nil { page.write(",") }
        write(tail, to: &page)
        return true
    }
    @inline(__always)
    private func write(_ block: LabelBlocks.Block, to page: inout ExpositionPage) {
        guard let bytes = block.bytes else { return }
        if block.template == LabelBlocks.Block.isRendered {
            page.write(bytes.assumingMemoryBound(to: UInt8.self), Int(block.count))
        } else {
            source.templates[Int(block.template)].write(bytes, to: &page, source.scratch)
        }
    }
}

/// Writes the sample lines of a family's series: a series whole or, where the page has no room for it, not at all.
struct SeriesLine {
    let format: ExpositionFormat
    let options: ExpositionOptions
    /// The comment lines, until they are written: before the first series.
    private(set) var header: [UInt8]
    /// The family's name, escaped where it stands in quotes.
    private let name: [UInt8]
    /// What stands before the labels of a number: `name{`, or `{"name",`.
    private let opening: [UInt8]
    private let isQuoted: Bool
    private let isCounter: Bool
    private let showsExemplars: Bool
    private let showsCreated: Bool

    /// - Parameter shown: the family's name as it is shown.
    init(
        _ shown: ExposedName,
        _ type: FamilyType,
        format: ExpositionFormat,
        options: ExpositionOptions,
        header: [UInt8]
    ) {
        (self.format, self.options, self.header) = (format, options, header)
        isQuoted = shown.isQuoted
        name = shown.isQuoted ? ExposedName.escapedForQuotes(shown.family) : Array(shown.family.utf8)
        opening =
            shown.isQuoted
            ? Array("{".utf8) + ExposedName.quoted(shown.sample) + Array(",".utf8)
            : Array(shown.sample.utf8) + Array("{".utf8)
        let isOpen = format == .openMetrics
        isCounter = type == .counter && isOpen
        // A counter without `_total` is of unknown type to OpenMetrics: no exemplars, no `_created`.
        let isWhole = type != .counter || shown.sample != shown.family
        showsExemplars = isOpen && isWhole && (type == .counter || type == .histogram)
        showsCreated = isOpen && isWhole && options.sendsCreated && !type.isLevel
    }

    /// Writes a number; false when the page has no room.
    @inline(__always)
    mutating func write(
        _ number: Number,
        _ time: UInt64,
        _ labels: RenderedLabels,
        to page: inout ExpositionPage,
        exemplar: ExemplarShelf.Held?,
        created: UInt64
    ) -> Bool {
        // A counter that is negative or no number would cost an OpenMetrics reader the whole scrape.
        if isCounter, !(number.double >= 0) { return true }
        var room = header.count + (opening.count + labels.count + 80) * (showsCreated ? 2 : 1)
        if let exemplar { room += exemplar.text.count }
        guard page.reserve(room) else { return false }
        writeHeader(to: &page)
        page.write(opening)
        if labels.write(to: &page) {
            page.write("} ")
        } else {
            page.count -= 1
            page.write(isQuoted ? "} " : " ")
        }
        page.write(bits: number.bits, isInteger: number.isInteger, format)
        end(time, exemplar, &page)
        if showsCreated, created > 0 { write(created: created, time, labels, to: &page) }
        return true
    }
    private mutating func writeHeader(to page: inout ExpositionPage) {
        guard !header.isEmpty else { return }
        page.write(header)
        header = []
    }
    @inline(__always)
    private func end(_ time: UInt64, _ exemplar: ExemplarShelf.Held?, _ page: inout ExpositionPage) {
        if options.sendsTimestamps {
            page.write(" ")
            page.write(time: time, format)
        }
        if showsExemplars, let exemplar { page.write(exemplar.text) }
        page.write("\n")
    }
    /// OpenMetrics: of one metric all samples have a time of their own, or none.
    private func write(
        created: UInt64,
        _ time: UInt64,
        _ labels: RenderedLabels,
        to page: inout ExpositionPage
    ) {
        begin("_created", labels, nil, &page)
        page.write(time: created, .openMetrics)
        end(time, nil, &page)
    }

    /// Writes name, suffix and labels with one more of its own.
    private func begin(
        _ suffix: StaticString,
        _ labels: RenderedLabels,
        _ label: (name: StaticString, value: Double)?,
        _ page: inout ExpositionPage
    ) {
        if isQuoted { page.write("{\"") }
        page.write(name)
        page.write(suffix)
        page.write(isQuoted ? "\"," : "{")
        let hasLabels = labels.write(to: &page)
        guard let label else {
            if hasLabels {
                page.write("} ")
            } else {
                page.count -= 1
                page.write(isQuoted ? "} " : " ")
            }
            return
        }
        if hasLabels { page.write(",") }
        page.write(label.name)
        page.write("=\"")
        page.write(label.value, format)
        page.write("\"} ")
    }

    /// Writes a histogram or a summary; false when the page has no room.
    mutating func write(
        _ point: CompoundPoint,
        _ time: UInt64,
        _ labels: RenderedLabels,
        to page: inout ExpositionPage,
        exemplars: [ExemplarShelf.Held]
    ) -> Bool {
        let buckets = point.classicBuckets
        let summary = point.summary
        var room =
            header.count + (buckets.count + (summary?.quantiles.count ?? 0) + 3)
            * (name.count + labels.count + 128)
        room += exemplars.reduce(0) { $0 + $1.text.count }
        guard page.reserve(room) else { return false }
        writeHeader(to: &page)
        var lower = -Double.infinity
        for (bound, count) in buckets {
            begin("_bucket", labels, ("le", bound), &page)
            page.write(unsigned: count)
            let inside = exemplars.filter { $0.value > lower && $0.value <= bound }
            end(time, inside.max { $0.time < $1.time }, &page)
            lower = bound
        }
        if let (quantiles, values) = summary {
            // OpenMetrics has no quantile with a negative value.
            for (quantile, value) in zip(quantiles, values) where format != .openMetrics || !(value < 0) {
                begin("", labels, ("quantile", quantile), &page)
                page.write(value, format)
                end(time, nil, &page)
            }
        }
        writeTotals(point, time, labels, hasNegative: (buckets.first?.bound ?? 0) < 0, &page)
        if showsCreated, point.start > 0 { write(created: point.start, time, labels, to: &page) }
        return true
    }
    /// OpenMetrics has `_sum` and `_count` together or not at all, and no sum where values may be negative.
    private func writeTotals(
        _ point: CompoundPoint,
        _ time: UInt64,
        _ labels: RenderedLabels,
        hasNegative: Bool,
        _ page: inout ExpositionPage
    ) {
        let isOpen = format == .openMetrics
        let hasSum = point.sum.map { !isOpen || (!hasNegative && $0 >= 0) } ?? false
        if hasSum, let sum = point.sum {
            begin("_sum", labels, nil, &page)
            page.write(sum, format)
            end(time, nil, &page)
        }
        guard hasSum || !isOpen else { return }
        begin("_count", labels, nil, &page)
        page.write(unsigned: point.count)
        end(time, nil, &page)
    }
}
