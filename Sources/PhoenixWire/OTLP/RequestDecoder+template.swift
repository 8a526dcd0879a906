import PhoenixModel

/// Resource blocks that differ from one seen before only in times, starts and values.
extension RequestDecoder {
    /// Decodes a block by a template; false where none fits or a point of it would be refused, and then nothing was
    /// added: the long way reads it from the start.
    @inline(__always)
    mutating func decodeByTemplate(_ block: ProtobufCursor) throws(MalformedMessage) -> Bool {
        // The resource stands first in what every known encoder writes.
        guard block.left > 2, block.position[0] == 0x0A else { return false }
        var rest = ProtobufCursor(block.position + 1, block.end)
        let resource = try rest.delimited()
        guard let template = templates.find(rest) else { return false }
        let slot = try resourceSlot(resource)
        return builder.numbers.append(template, of: rest.position, resource: slot, &finder)
    }

    /// Makes a template of a block that the long way has just read, where it holds nothing but number points, and all
    /// of them were taken.
    @inline(never)
    mutating func learn(_ block: ProtobufCursor, since mark: PointBuilder.Mark, refused: Int) {
        let now = builder.mark
        guard now.numbers > mark.numbers, now.histograms == mark.histograms,
            now.exponentials == mark.exponentials, now.summaries == mark.summaries,
            now.exemplars == mark.exemplars, refusals.total == refused, block.position[0] == 0x0A
        else { return }
        var rest = ProtobufCursor(block.position + 1, block.end)
        guard (try? rest.delimited()) != nil, templates.wants(rest),
            let words = try? TemplateScan.words(in: rest), words.count == now.numbers - mark.numbers
        else { return }
        var (parts, holds) = ([SeriesPart](), [(Metric, AttributeSet)]())
        for (index, word) in words.enumerated() {
            let point = builder.numbers[mark.numbers + index]
            // What the scan found must be what the decoder read, or the block is written in some way of its own.
            guard word.isFound(in: rest.position, as: point), let series = table.series(point.series) else {
                return
            }
            parts.append(SeriesPart(metric: series.metric.slot, attributes: series.attributes.slot))
            holds.append((series.metric, series.attributes))
        }
        templates.add(MetricsTemplate(rest, words, parts), holding: holds)
    }
}

extension MetricsTemplate.Words {
    fileprivate func isFound(in start: UnsafePointer<UInt8>, as point: NumberColumns.Point) -> Bool {
        func word(_ place: UInt32) -> UInt64 { place == Self.absent ? 0 : start.word(at: place) }
        return word(time) == point.time && word(self.start) == point.start && word(value) == point.bits
            && flags == point.flags
    }
}
extension UnsafePointer<UInt8> {
    @inline(__always)
    fileprivate func word(at place: UInt32) -> UInt64 {
        UInt64(
            littleEndian: UnsafeRawPointer(self).loadUnaligned(fromByteOffset: Int(place), as: UInt64.self)
        )
    }
}

extension NumberColumns {
    /// Adds the points of a block that agrees with a template; adds none where one of them would be refused, or the
    /// table is full.
    @inline(__always)
    mutating func append(
        _ template: MetricsTemplate,
        of block: UnsafePointer<UInt8>,
        resource: UInt32,
        _ finder: inout SeriesFinder
    ) -> Bool {
        let columns = room(for: template.words.count)
        var ids = columns.series.mutableSpan
        guard finder.find(resource: resource, template.series.span, into: &ids) else { return false }
        for index in 0..<template.words.count {
            let place = template.words[index]
            let time = block.word(at: place.time)
            if time == 0 { return false }
            columns.times[index] = time
            columns.starts[index] = place.start == .max ? 0 : block.word(at: place.start)
            columns.values[index] = place.value == .max ? 0 : block.word(at: place.value)
            columns.flags[index] = place.flags
        }
        count += template.words.count
        return true
    }
}

/// Finds the words of number points, in the order in which the decoder reads them.
///
/// It knows the usual ways of writing only, and throws at any other: then there is no template.
enum TemplateScan {
    private struct Unusual: Error {}

    /// - Parameter rest: what follows the resource in a resource block.
    static func words(in rest: ProtobufCursor) throws -> [MetricsTemplate.Words] {
        var (cursor, words) = (rest, [MetricsTemplate.Words]())
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x12: try scanScope(cursor.delimited(), rest.position, &words)
            case 0x1A: _ = try cursor.delimited()
            default: throw Unusual()
            }
        }
        return words
    }
    private static func scanScope(
        _ message: ProtobufCursor,
        _ origin: UnsafePointer<UInt8>,
        _ words: inout [MetricsTemplate.Words]
    ) throws {
        var cursor = message
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x12: try scanMetric(cursor.delimited(), origin, &words)
            case 0x0A, 0x1A: _ = try cursor.delimited()
            default: throw Unusual()
            }
        }
    }
    private static func scanMetric(
        _ message: ProtobufCursor,
        _ origin: UnsafePointer<UInt8>,
        _ words: inout [MetricsTemplate.Words]
    ) throws {
        var (cursor, data) = (message, ProtobufCursor?.none)
        while !cursor.isAtEnd {
            switch try cursor.tag() {
            case 0x0A, 0x12, 0x1A, 0x62: _ = try cursor.delimited()
            case 0x2A where data == nil, 0x3A where data == nil: data = try cursor.delimited()
            default: throw Unusual()
            }
        }
        guard var points = data else { return }
        while !points.isAtEnd {
            switch try points.tag() {
            case 0x0A: words.append(try scanPoint(points.delimited(), origin))
            case 0x10, 0x18: _ = try points.varint()
            default: throw Unusual()
            }
        }
    }
    /// Of a word that is written twice the last counts.
    private static func scanPoint(
        _ message: ProtobufCursor,
        _ origin: UnsafePointer<UInt8>
    ) throws -> MetricsTemplate.Words {
        let absent = MetricsTemplate.Words.absent
        var words = MetricsTemplate.Words(time: absent, start: absent, value: absent, flags: [])
        var cursor = message
        while !cursor.isAtEnd {
            let tag = try cursor.tag()
            let place = UInt32(cursor.position - origin)
            switch tag {
            case 0x11: words.start = place
            case 0x19: words.time = place
            case 0x21:
                words.value = place
                words.flags.remove(.isInteger)
            case 0x31:
                words.value = place
                words.flags.insert(.isInteger)
            case 0x3A, 0x40: break
            default: throw Unusual()
            }
            try cursor.skip(tag)
        }
        // Without a time it is refused, or says that nothing was recorded: rare enough for the long way.
        guard words.time != absent, words.value != absent else { throw Unusual() }
        return words
    }
}
