import PhoenixModel

/// Writes series of a family as messages `io.prometheus.client.MetricFamily`, each with its length before it.
///
/// The length of a message stands before it, and a family may be larger than any page: one that does not end in a page is
/// begun again in the next one, as another message of the same name. Scrapers read message by message; for them that is one
/// family. A series goes in whole or, where the page has no room for it, not at all.
struct FamilyMessage: ~Copyable {
    private let type: FamilyType
    private let options: ExpositionOptions
    /// Everything that stands before the metrics.
    private let header: [UInt8]
    /// Where the open message stands in the page, from the room for its length on.
    private var place: Int?
    private var metric = ExpositionPage(capacity: 1 << 10)
    private var labelText = ExpositionPage(capacity: 1 << 9)
    /// The room for a length before a message, until it is known.
    private static let lengthRoom = ExpositionPage.maximumVarint

    /// - Parameter name: as it is shown; nothing is in quotes here.
    init(_ name: ExposedName, _ type: FamilyType, help: String, _ options: ExpositionOptions) {
        (self.type, self.options) = (type, options)
        var page = ExpositionPage(capacity: 256)
        page.append(1, text: name.sample)
        if !help.isEmpty { page.append(2, text: help) }
        page.append(3, varint: type.number)
        // Prometheus refuses a whole scrape for a unit that the name does not end in.
        if let unit = name.unit, name.family.hasSuffix("_" + unit) { page.append(5, text: unit) }
        header = Array(page.bytes)
    }

    // MARK: Series

    /// Writes a number; false when the page has no room.
    mutating func write(
        _ number: Number,
        _ time: UInt64,
        _ labels: RenderedLabels,
        to page: inout ExpositionPage,
        exemplar: ExemplarShelf.Held?,
        created: UInt64
    ) -> Bool {
        begin(labels)
        write(number.double, exemplar, created: created)
        return end(time, &page)
    }
    /// A whole family of numbers with their labels as text, in one message.
    static func bytes(
        _ name: ExposedName,
        _ type: FamilyType,
        help: String,
        _ samples: some Sequence<(labels: [UInt8], value: Double)>
    ) -> [UInt8] {
        var message = FamilyMessage(name, type, help: help, ExpositionOptions())
        var page = ExpositionPage(capacity: 1 << 12)
        for sample in samples {
            message.metric.count = 0
            sample.labels.withUnsafeBytes { write($0, to: &message.metric) }
            message.write(sample.value, nil, created: 0)
            page.grow(for: message.room)
            // There is room now.
            guard message.end(0, &page) else { return [] }
        }
        message.close(&page)
        return Array(page.bytes)
    }
    /// Writes a histogram or a summary; false when the page has no room.
    mutating func write(
        _ point: CompoundPoint,
        _ time: UInt64,
        _ labels: RenderedLabels,
        to page: inout ExpositionPage,
        exemplars: [ExemplarShelf.Held]
    ) -> Bool {
        begin(labels)
        if let (quantiles, values) = point.summary {
            writeSummary(point, quantiles, values)
        } else {
            writeHistogram(point, exemplars)
        }
        return end(time, &page)
    }
    /// Ends the message that is open in a page; to be called before the page is given away.
    mutating func close(_ page: inout ExpositionPage) {
        guard let place else { return }
        let length = page.count - place - Self.lengthRoom
        page.count = place
        page.append(varint: UInt64(length))
        // From the back of the room that was kept to where the length ends now; the two may overlap.
        (page.start + page.count).update(from: page.start + place + Self.lengthRoom, count: length)
        page.count += length
        self.place = nil
    }

    private mutating func begin(_ labels: RenderedLabels) {
        (metric.count, labelText.count) = (0, 0)
        labelText.grow(for: labels.count + ExpositionPage.slack)
        if labels.write(to: &labelText) { Self.write(labelText.bytes, to: &metric) }
    }
    private static func write(_ labels: UnsafeRawBufferPointer, to page: inout ExpositionPage) {
        var walk = LabelWalk(labels)
        while let label = walk.next() {
            page.append(1) { pair in
                pair.append(1) { $0.append(unescaping: label.name) }
                pair.append(2) { $0.append(unescaping: label.value) }
            }
        }
    }
    /// What the metric needs in a page.
    private var room: Int {
        let own = metric.count + 2 * ExpositionPage.maximumVarint
        return place == nil ? own + Self.lengthRoom + header.count : own
    }
    private mutating func end(_ time: UInt64, _ page: inout ExpositionPage) -> Bool {
        if options.sendsTimestamps, time > 0 { metric.append(6, varint: time / 1_000_000) }
        guard page.reserve(room) else { return false }
        if place == nil {
            place = page.count
            page.count += Self.lengthRoom
            page.write(header)
        }
        page.append(4, bytes: metric.bytes)
        return true
    }

    // MARK: What a metric says

    private mutating func write(_ value: Double, _ exemplar: ExemplarShelf.Held?, created: UInt64) {
        let created = options.sendsCreated ? created : 0
        switch type {
        case .counter:
            metric.append(3) { counter in
                counter.append(1, value)
                if let exemplar { Self.write(exemplar, 2, to: &counter) }
                if created > 0 { counter.append(3, time: created) }
            }
        case .unknown: metric.append(5) { $0.append(1, value) }
        case .gauge, .info, .histogram, .summary: metric.append(2) { $0.append(1, value) }
        }
    }
    private mutating func writeSummary(_ point: CompoundPoint, _ quantiles: [Double], _ values: [Double]) {
        let created = options.sendsCreated ? point.start : 0
        metric.append(4) { summary in
            summary.append(1, varint: point.count)
            if let sum = point.sum { summary.append(2, sum) }
            for (quantile, value) in zip(quantiles, values) {
                summary.append(3) {
                    $0.append(1, quantile)
                    $0.append(2, value)
                }
            }
            if created > 0 { summary.append(4, time: created) }
        }
    }
    /// Classic buckets always; of an exponential histogram the native ones too, for who can read them.
    private mutating func writeHistogram(_ point: CompoundPoint, _ exemplars: [ExemplarShelf.Held]) {
        let created = options.sendsCreated ? point.start : 0
        metric.append(7) { histogram in
            histogram.append(1, varint: point.count)
            if let sum = point.sum { histogram.append(2, sum) }
            var lower = -Double.infinity
            for (bound, count) in point.classicBuckets {
                histogram.append(3) { bucket in
                    bucket.append(1, varint: count)
                    bucket.append(2, bound)
                    let inside = exemplars.filter { $0.value > lower && $0.value <= bound }
                    if let newest = inside.max(by: { $0.time < $1.time }) {
                        Self.write(newest, 3, to: &bucket)
                    }
                }
                lower = bound
            }
            // Without a sum there is no native histogram (specification).
            if let buckets = point.exponential, point.sum != nil,
                let native = NativeBuckets(buckets)
            {
                Self.write(native, to: &histogram)
                for exemplar in exemplars where exemplar.time > 0 { Self.write(exemplar, 16, to: &histogram) }
            }
            if created > 0 { histogram.append(15, time: created) }
        }
    }
    private static func write(_ native: NativeBuckets, to histogram: inout ExpositionPage) {
        histogram.append(5, zigzag: Int64(native.schema))
        histogram.append(6, native.zeroThreshold)
        histogram.append(7, varint: native.zeroCount)
        // Spans and deltas of the negative side, then of the positive one.
        for (spans, deltas, side) in [(9, 10, native.negative), (12, 13, native.positive)] as [(UInt64, UInt64, _)] {
            for span in side.spans { write(span, spans, to: &histogram) }
            guard !side.deltas.isEmpty else { continue }
            histogram.append(deltas) { packed in
                for delta in side.deltas { packed.append(zigzag: delta) }
            }
        }
        // A span of nothing says that it is a native histogram even before the first observation.
        if native.positive.spans.isEmpty, native.negative.spans.isEmpty {
            write(NativeBuckets.Span(offset: 0, length: 0), 12, to: &histogram)
        }
    }
    private static func write(_ span: NativeBuckets.Span, _ field: UInt64, to histogram: inout ExpositionPage) {
        histogram.append(field) {
            $0.append(1, zigzag: Int64(span.offset))
            $0.append(2, varint: UInt64(span.length))
        }
    }
    private static func write(
        _ exemplar: ExemplarShelf.Held,
        _ field: UInt64,
        to page: inout ExpositionPage
    ) {
        page.append(field) { message in
            exemplar.text.withUnsafeBytes { write(exemplar.labels(in: $0), to: &message) }
            message.append(2, exemplar.value)
            if exemplar.time > 0 { message.append(3, time: exemplar.time) }
        }
    }
}

extension FamilyType {
    /// The number in `MetricType`.
    fileprivate var number: UInt64 {
        switch self {
        case .counter: 0
        case .gauge, .info: 1
        case .summary: 2
        case .unknown: 3
        case .histogram: 4
        }
    }
}
