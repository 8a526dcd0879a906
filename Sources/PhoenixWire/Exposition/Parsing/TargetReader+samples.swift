import PhoenixModel

/// What stands behind the name and labels of a sample.
struct SampleRest {
    var number: Number
    /// The number as it is written.
    var text: UnsafeBufferPointer<UInt8>
    var time: UInt64
    /// Whether the target gave the time.
    var isTimed = false
    var exemplar: ScrapedExemplar?
}

extension TargetReader {
    /// Reads one sample line; the cursor stands on its first byte.
    @inline(__always)
    mutating func readSample(_ cursor: inout ExpositionCursor) throws(Stop) {
        let line = try self.line(&cursor)
        let rest: SampleRest?
        do throws(ExpositionCursor.Misread) {
            rest = try self.rest(&cursor)
        } catch { throw .misread(error) }
        take(line, rest)
    }
    /// Takes a sample whose line is known; `rest` is nil where its time is one that no point can have.
    @inline(__always)
    mutating func take(_ line: Int32, _ rest: SampleRest?) {
        guard let meaning = admit(line) else { return }
        guard let rest else {
            outcome.drops[.time] += 1
            return
        }
        book(meaning, rest)
    }
    /// Counts a sample; nil where that is all: relabelling dropped it, or there are too many.
    @inline(__always)
    mutating func admit(_ line: Int32) -> SampleMeaning? {
        outcome.scraped += 1
        guard line != LineCache.none else {
            countUnheld()
            return nil
        }
        let meaning = lines[line].meaning
        if lines[line].seen != scrape { seenLines += 1 }
        let isNew = lines[line].seen < lastTaken || lines[line].seen == 0
        lines.see(line, scrape)
        guard meaning.part != .nothing || meaning.drop != .relabeled else {
            outcome.drops[.relabeled] += 1
            return nil
        }
        outcome.kept += 1
        if isNew { outcome.added += 1 }
        if options.limits.samples > 0, outcome.kept > options.limits.samples { isOverSampleLimit = true }
        return isOverSampleLimit ? nil : meaning
    }
    /// Past the limit of samples a line that is not known is not made known.
    private mutating func countUnheld() {
        guard isUnheldKept else {
            outcome.drops[.relabeled] += 1
            return
        }
        (outcome.kept, outcome.added) = (outcome.kept + 1, outcome.added + 1)
    }

    /// Value, timestamp and exemplar up to the end of the line; nil for a time that no point can have.
    @inline(__always)
    private mutating func rest(
        _ cursor: inout ExpositionCursor
    ) throws(ExpositionCursor.Misread) -> SampleRest? {
        try cursor.separator(.blank)
        let place = cursor
        let text = cursor.token()
        guard let number = SampleNumber.value(text) else { throw place.misread(.value) }
        var rest = SampleRest(number: number, text: text, time: time)
        if cursor.next == .lineFeed {
            cursor.position += 1
            return rest
        }
        return try readTime(&cursor, &rest) ? rest : nil
    }
    private mutating func readTime(
        _ cursor: inout ExpositionCursor,
        _ rest: inout SampleRest
    ) throws(ExpositionCursor.Misread) -> Bool {
        var isFine = true
        if !cursor.isOpen { cursor.skipBlanks() }
        if cursor.isOpen, !cursor.isAtEnd { try cursor.separator(.trailing) }
        if cursor.next != .lineFeed, cursor.next != .hash, !cursor.isAtEnd {
            let place = cursor
            let (isNumber, time) = SampleNumber.time(cursor.token(), inSeconds: cursor.isOpen)
            guard isNumber else { throw place.misread(.timestamp) }
            if options.honorsTimestamps {
                isFine = time != nil && time != 0
                (rest.time, rest.isTimed) = (time ?? 0, true)
            }
            if cursor.isOpen, cursor.next == .space { cursor.position += 1 }
        }
        if cursor.isOpen, cursor.next == .hash {
            rest.exemplar = try ScrapedExemplar(&cursor)
            if rest.exemplar == nil { outcome.drops[.exemplar] += 1 }
        }
        try cursor.lineEnd()
        return isFine
    }

    // MARK: Points

    @inline(__always)
    private mutating func book(_ meaning: SampleMeaning, _ rest: SampleRest) {
        switch meaning.part {
        case .number: bookNumber(meaning.stream, rest)
        case .created: bookCreated(meaning.stream, rest)
        case .bucket, .sum, .count, .quantile: bookPart(meaning, rest)
        case .info, .native: break
        case .nothing: outcome.drops[meaning.drop] += 1
        }
    }
    /// What a point of a stream goes under until the scrape is taken; nil where it goes nowhere.
    @inline(__always)
    mutating func claim(_ place: Int32, _ rest: SampleRest) -> SeriesID? {
        let stream = streams[place]
        if stream.seen == scrape, !rest.isTimed || rest.time <= stream.time {
            outcome.drops[.duplicate] += 1
            return nil
        }
        (streams[place].seen, streams[place].fresh) = (scrape, .none)
        (streams[place].time, streams[place].isTimed) = (rest.time, rest.isTimed)
        return Self.placeholder(place)
    }
    @inline(__always)
    private mutating func bookNumber(_ place: Int32, _ rest: SampleRest) {
        guard let id = claim(place, rest) else { return }
        let stream = streams[place]
        (streams[place].place, streams[place].batch) = (parts.numbers.count, outcome.batches.count)
        parts.numbers.append(
            id,
            time: rest.time,
            start: stream.createdIn == scrape ? stream.created : 0,
            bits: rest.number.bits,
            flags: rest.number.isInteger ? .isInteger : []
        )
        if let exemplar = rest.exemplar, stream.metric.kind == .sum {
            parts.exemplars.append(exemplar.exemplar(of: id, at: rest.time))
        }
    }
    @inline(__always)
    mutating func id(of stream: ScrapedStream) -> SeriesID? {
        finder.find(
            resource: resources.slot(of: stream.resource),
            metric: stream.metric.slot,
            attributes: stream.attributes.slot
        )
    }
    /// `_created` stands behind the points that it belongs to, or before them.
    private mutating func bookCreated(_ place: Int32, _ rest: SampleRest) {
        guard let created = SampleNumber.time(rest.text, inSeconds: true).time, created > 0 else {
            outcome.drops[.time] += 1
            return
        }
        (streams[place].created, streams[place].createdIn) = (created, scrape)
        let stream = streams[place]
        guard stream.seen == scrape else { return }
        if stream.metric.kind == .sum {
            if stream.batch == outcome.batches.count { parts.numbers.starts[stream.place] = created }
        } else {
            drafts[stream.place].start = created
        }
    }
    private mutating func bookPart(_ meaning: SampleMeaning, _ rest: SampleRest) {
        let place = meaning.stream
        let stream = streams[place]
        let isNext = rest.isTimed && stream.isTimed && rest.time > stream.time
        if stream.seen != scrape || isNext {
            var draft = CompoundDraft(
                stream: place,
                isSummary: stream.metric.kind == .summary,
                time: rest.time
            )
            if stream.createdIn == scrape { draft.start = stream.created }
            (streams[place].seen, streams[place].fresh, streams[place].place) = (scrape, .none, drafts.count)
            (streams[place].time, streams[place].isTimed) = (rest.time, rest.isTimed)
            drafts.append(draft)
        }
        if let drop = drafts[streams[place].place].add(meaning, rest) { outcome.drops[drop] += 1 }
    }
    /// Makes a point of what was collected.
    mutating func emit(_ index: Int) {
        let place = drafts[index].stream
        guard let id = id(of: streams[place]) else {
            outcome.drops[.seriesLimit] += 1
            return
        }
        let drop =
            drafts[index].isSummary
            ? drafts[index].append(to: &parts.summaries, id)
            : drafts[index].append(to: &parts.histograms, id, layout: &streams[place].layout)
        if let drop {
            outcome.drops[drop] += 1
            return
        }
        streams[place].fresh = id
        for exemplar in drafts[index].exemplars {
            parts.exemplars.append(exemplar.exemplar(of: id, at: drafts[index].time))
        }
    }
}

extension CompoundDraft {
    /// Adds a sample; answers why it does not count.
    mutating func add(_ meaning: SampleMeaning, _ rest: SampleRest) -> ScrapeDrop? {
        switch meaning.part {
        case .sum:
            guard sum == nil else { return .duplicate }
            sum = rest.number.double
        case .quantile:
            guard !bounds.contains(meaning.bound) else { return .duplicate }
            bounds.append(meaning.bound)
            values.append(rest.number.double)
        case .count, .bucket:
            guard let number = SampleNumber.count(rest.number) else {
                flaw = .fractionalCount
                return nil
            }
            if meaning.part == .count {
                guard count == nil else { return .duplicate }
                count = number
                return nil
            }
            // They mostly come in order; only where they do not may one be there already.
            if let last = bounds.last, meaning.bound <= last, bounds.contains(meaning.bound) {
                return .duplicate
            }
            bounds.append(meaning.bound)
            counts.append(number)
            if let exemplar = rest.exemplar { exemplars.append(exemplar) }
        case .number, .created, .native, .info, .nothing: break
        }
        return nil
    }
}
