import PhoenixModel

/// Expositions as messages `io.prometheus.client.MetricFamily`, each behind its length.
///
/// What a series means is found out as in the text formats: its name and labels are written as they might stand on a line,
/// and looked up by these bytes.
extension TargetReader {
    mutating func readFamilies(_ body: UnsafeRawBufferPointer) throws(Stop) {
        let families = try Self.families(of: body)
        for family in families where family.name == TargetReader.targetInfo { try describeTarget(family) }
        resources.settle(scrape)
        for family in families { try read(family) }
    }
    private static func families(of body: UnsafeRawBufferPointer) throws(Stop) -> [FamilyFields] {
        guard let base = body.baseAddress else { return [] }
        let start = base.assumingMemoryBound(to: UInt8.self)
        var (cursor, families) = (ProtobufCursor(start, start + body.count), [FamilyFields]())
        while !cursor.isAtEnd {
            families.append(
                try whole("") { () throws(MalformedMessage) in try FamilyFields(cursor.delimited()) }
            )
        }
        return families
    }
    /// What is malformed in a message refuses the scrape, with the family's name.
    private static func whole<Result>(
        _ family: String,
        _ read: () throws(MalformedMessage) -> Result
    ) throws(Stop) -> Result {
        do throws(MalformedMessage) { return try read() } catch {
            throw .refused(.message(family: family, error.description))
        }
    }

    private mutating func describeTarget(_ family: FamilyFields) throws(Stop) {
        for message in family.metrics {
            let metric = try Self.whole(family.name) { () throws(MalformedMessage) in
                try MetricFields(message, family.type)
            }
            let line = SeriesText(family.name, metric.labels)
            line.bytes.withUnsafeBytes { describe(ExpositionCursor($0, .protobuf)) }
        }
    }
    private mutating func read(_ family: FamilyFields) throws(Stop) {
        flushIfFull()
        guard families.declare(family.name, family.type, unit: family.unit, help: family.help) else {
            throw .refused(.message(family: family.name, MalformedExposition.Reason.unit(family.unit).text))
        }
        for message in family.metrics {
            let metric = try Self.whole(family.name) { () throws(MalformedMessage) in
                try MetricFields(message, family.type)
            }
            do throws(Stop) { try take(metric, family) } catch {
                guard case .misread(let misread) = error else { throw error }
                throw .refused(.message(family: family.name, misread.reason.text))
            }
        }
    }

    // MARK: Samples

    private mutating func take(_ metric: MetricFields, _ family: FamilyFields) throws(Stop) {
        switch metric.content {
        case nil: break
        case .number(let number):
            try take(metric, family.name, exemplar: metric.exemplars.first, Number(number))
        case .summary(let summary):
            try take(metric, family.name + "_count", Self.number(summary.count))
            try take(metric, family.name + "_sum", Number(summary.sum))
            for (quantile, value) in summary.quantiles {
                try take(metric, family.name, with: ("quantile", quantile), Number(value))
            }
        case .histogram(let histogram):
            try take(metric, family.name + "_count", Self.number(histogram.count))
            if let sum = histogram.sum { try take(metric, family.name + "_sum", Number(sum)) }
            for bucket in histogram.buckets {
                try take(
                    metric,
                    family.name + "_bucket",
                    with: ("le", bucket.bound),
                    exemplar: bucket.exemplar,
                    Self.number(bucket.count)
                )
            }
            // The last bucket may be left out, but is a sample all the same.
            if histogram.buckets.last?.bound != .infinity {
                try take(
                    metric,
                    family.name + "_bucket",
                    with: ("le", .infinity),
                    Self.number(histogram.count)
                )
            }
        case .native(let native): try take(metric, family.name, native)
        }
    }
    private static func number(_ count: UInt64) -> Number {
        Int64(exactly: count).map { Number($0) } ?? Number(Double(count))
    }
    /// A sample of a metric; `label` is the one that tells it from its like.
    private mutating func take(
        _ metric: MetricFields,
        _ name: String,
        with label: (name: String, value: Double)? = nil,
        exemplar: ExemplarFields? = nil,
        _ number: Number
    ) throws(Stop) {
        let line = try line(SeriesText(name, metric.labels, label), isNative: false)
        var rest = rest(of: metric)
        rest?.number = number
        rest?.exemplar = exemplar.flatMap { ScrapedExemplar($0) }
        if exemplar != nil, rest?.exemplar == nil { outcome.drops[.exemplar] += 1 }
        if line != LineCache.none, rest != nil, metric.created > 0 {
            let meaning = lines[line].meaning
            if meaning.part != .nothing, meaning.part != .info {
                (streams[meaning.stream].created, streams[meaning.stream].createdIn) = (
                    metric.created, scrape
                )
            }
        }
        take(line, rest)
    }
    private mutating func take(_ metric: MetricFields, _ name: String, _ native: NativeFields) throws(Stop) {
        let line = try line(SeriesText(name, metric.labels), isNative: true)
        guard let meaning = admit(line) else { return }
        guard meaning.part == .native else {
            outcome.drops[meaning.drop] += 1
            return
        }
        guard let rest = rest(of: metric) else {
            outcome.drops[.time] += 1
            return
        }
        switch native.point {
        case .failure(let drop): outcome.drops[drop] += 1
        case .success(let point):
            let exemplars = metric.exemplars.map { ScrapedExemplar($0) }
            outcome.drops[.exemplar] += exemplars.count { $0 == nil }
            guard let id = claim(meaning.stream, rest) else { return }
            parts.exponentials.append(id, time: rest.time, start: metric.created, point)
            for exemplar in exemplars {
                if let exemplar { parts.exemplars.append(exemplar.exemplar(of: id, at: rest.time)) }
            }
        }
    }
    /// What stands behind the name and labels, but for the value; nil for a time that no point can have.
    private func rest(of metric: MetricFields) -> SampleRest? {
        let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        var rest = SampleRest(number: .zero, text: none, time: time)
        guard options.honorsTimestamps, let milliseconds = metric.milliseconds else { return rest }
        guard milliseconds > 0, milliseconds < Int64.max / 1_000_000 else { return nil }
        (rest.time, rest.isTimed) = (UInt64(milliseconds) * 1_000_000, true)
        return rest
    }
    private mutating func line(_ text: SeriesText, isNative: Bool) throws(Stop) -> Int32 {
        try text.bytes.withUnsafeBufferPointer { (bytes) throws(Stop) in
            var cursor = ExpositionCursor(UnsafeRawBufferPointer(bytes), .protobuf)
            cursor.isNative = isNative
            return try line(&cursor)
        }
    }
}

/// A series as it might stand on a line: its name and its labels' names in quotes, and a blank behind.
struct SeriesText {
    private(set) var bytes: [UInt8] = []

    init(
        _ name: String,
        _ labels: [(name: String, value: String)],
        _ label: (name: String, value: Double)? = nil
    ) {
        bytes.reserveCapacity(64 + labels.count * 32)
        bytes.append(.openBrace)
        append(name)
        for label in labels { append(label.name, label.value) }
        if let label {
            append(label.name, label.value.isInfinite && label.value > 0 ? "+Inf" : "\(label.value)")
        }
        bytes += [.closeBrace, .space]
    }
    private mutating func append(_ name: String, _ value: String) {
        bytes.append(.comma)
        append(name)
        bytes.append(UInt8(ascii: "="))
        append(value)
    }
    private mutating func append(_ text: String) {
        bytes.append(.quote)
        for byte in text.utf8 {
            switch byte {
            case .lineFeed: bytes += [.backslash, UInt8(ascii: "n")]
            case .backslash, .quote: bytes += [.backslash, byte]
            default: bytes.append(byte)
            }
        }
        bytes.append(.quote)
    }
}

extension ExponentialPoints {
    fileprivate mutating func append(_ id: SeriesID, time: UInt64, start: UInt64, _ point: NativePoint) {
        series.append(id)
        times.append(time)
        starts.append(start)
        flags.append(point.sum == nil ? [] : .hasSum)
        counts.append(point.count)
        sums.append(point.sum ?? 0)
        minima.append(0)
        maxima.append(0)
        scales.append(Int32(point.scale))
        zeroCounts.append(point.zeroCount)
        zeroThresholds.append(point.zeroThreshold)
        positives.append(append(point.positive))
        negatives.append(append(point.negative))
    }
    private mutating func append(_ side: ExponentialBuckets.Side) -> Side {
        defer { buckets += side.counts }
        return Side(offset: Int32(side.offset), start: buckets.count, count: side.counts.count)
    }
}
