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
        if template.histograms.isEmpty {
            return builder.numbers.append(template, of: rest.position, resource: slot, &finder)
        }
        return builder.append(template, of: rest.position, resource: slot, &finder)
    }

    /// Makes a template of a block that the long way has just read, where it holds nothing but points of numbers and of
    /// histograms, and all of them were taken.
    @inline(never)
    mutating func learn(_ block: ProtobufCursor, since mark: PointBuilder.Mark, refused: Int) {
        let now = builder.mark
        let (numbers, histograms) = (mark.numbers..<now.numbers, mark.histograms..<now.histograms)
        guard numbers.count + histograms.count > 0, now.exponentials == mark.exponentials,
            now.summaries == mark.summaries, now.exemplars == mark.exemplars, refusals.total == refused,
            block.position[0] == 0x0A
        else { return }
        var rest = ProtobufCursor(block.position + 1, block.end)
        guard (try? rest.delimited()) != nil, templates.wants(rest),
            var found = try? TemplateScan(rest), found.numbers.count == numbers.count,
            found.histograms.count == histograms.count
        else { return }
        // What the scan found must be what the decoder read, or the block is written in some way of its own.
        var ids = Array(repeating: SeriesID.none, count: found.count)
        for (words, index) in zip(found.numbers, numbers) {
            let point = builder.numbers[index]
            guard words.isFound(in: rest.position, as: point) else { return }
            ids[Int(words.point)] = point.series
        }
        for (place, index) in histograms.enumerated() {
            let point = builder.histograms[index]
            guard found.histograms[place].isFound(in: rest.position, as: point, builder.histograms.counts)
            else { return }
            found.histograms[place].layout = .passUnretained(point.layout)
            ids[Int(found.histograms[place].point)] = point.series
        }
        var (parts, holds) = ([SeriesPart](), [(Metric, AttributeSet)]())
        for id in ids {
            guard let series = table.series(id) else { return }
            parts.append(SeriesPart(metric: series.metric.slot, attributes: series.attributes.slot))
            holds.append((series.metric, series.attributes))
        }
        templates.add(MetricsTemplate(rest, found, parts), holding: holds)
    }
}

extension MetricsTemplate.Words {
    fileprivate func isFound(in start: UnsafePointer<UInt8>, as point: NumberColumns.Point) -> Bool {
        start.word(at: time) == point.time && start.word(ifAt: self.start) == point.start
            && start.word(ifAt: value) == point.bits && flags == point.flags
    }
}
extension UnsafePointer<UInt8> {
    /// A word of a block that agrees with a template which has a word there.
    @inline(__always)
    func word(at place: UInt32) -> UInt64 {
        UInt64(
            littleEndian: UnsafeRawPointer(self).loadUnaligned(fromByteOffset: Int(place), as: UInt64.self)
        )
    }
    /// The same; 0 where the template has none.
    @inline(__always)
    func word(ifAt place: UInt32) -> UInt64 {
        place == MetricsTemplate.Words.absent ? 0 : word(at: place)
    }
}

extension PointBuilder {
    /// Adds the points of a block that agrees with a template, of all kinds; adds none where one of them would be refused, or
    /// the table is full.
    @inline(never)
    mutating func append(
        _ template: MetricsTemplate,
        of block: UnsafePointer<UInt8>,
        resource: UInt32,
        _ finder: inout SeriesFinder
    ) -> Bool {
        var ids = template.ids.mutableSpan
        guard finder.find(resource: resource, template.series.span, into: &ids) else { return false }
        let (points, buckets) = (histograms.count, histograms.counts.count)
        guard histograms.append(template, of: block), numbers.append(template, of: block) else {
            histograms.truncate(to: points, buckets)
            return false
        }
        return true
    }
}

extension NumberColumns {
    /// Adds the points of a block that agrees with a template, which has no others; adds none where one of them would be
    /// refused, or the table is full.
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
        return append(template, of: block, in: columns)
    }
    /// Adds the number points of a block that agrees with a template, whose ids are known; adds none where one of them would
    /// be refused.
    fileprivate mutating func append(_ template: MetricsTemplate, of block: UnsafePointer<UInt8>) -> Bool {
        let columns = room(for: template.words.count)
        for index in 0..<template.words.count {
            columns.series[index] = template.ids[Int(template.words[index].point)]
        }
        return append(template, of: block, in: columns)
    }
    @inline(__always)
    private mutating func append(
        _ template: MetricsTemplate,
        of block: UnsafePointer<UInt8>,
        in columns: Room
    ) -> Bool {
        for index in 0..<template.words.count {
            let place = template.words[index]
            let time = block.word(at: place.time)
            if time == 0 { return false }
            columns.times[index] = time
            columns.starts[index] = block.word(ifAt: place.start)
            columns.values[index] = block.word(ifAt: place.value)
            columns.flags[index] = place.flags
        }
        count += template.words.count
        return true
    }
}
