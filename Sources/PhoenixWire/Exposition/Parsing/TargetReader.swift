import PhoenixModel

/// What is remembered of one target, and the reading of its lines.
///
/// A struct, so that the hot path pays no check for exclusive access on each of its fields.
struct TargetReader {
    /// Why reading stops: the scrape is refused whole.
    enum Stop: Error {
        case misread(ExpositionCursor.Misread)
        case refused(ScrapeFailure)
    }
    /// A batch is given out at the first new family behind so many points.
    static let batchPoints = 8192

    let table: SeriesTable
    let options: ScrapeDecoder.Options
    var finder: SeriesFinder
    var lines = LineCache()
    var families = ScrapedFamilies()
    var resources: ScrapedResources
    var streams = ScrapedStreams()
    var figures: [String: SeriesID] = [:]

    // Of the scrape that is being read.
    var syntax = ExpositionSyntax.text
    var scrape: UInt32 = 0
    /// The last scrape that was taken: a line seen since then is not new.
    var lastTaken: UInt32 = 0
    var time: UInt64 = 0
    var previous = LineCache.none
    var seenLines = 0
    var parts = MetricBatch.Parts()
    var drafts: [CompoundDraft] = []
    var outcome = ScrapeOutcome()
    var isOverSampleLimit = false

    init(_ table: SeriesTable, _ lane: String, _ options: ScrapeDecoder.Options) {
        (self.table, self.options) = (table, options)
        finder = SeriesFinder(table: table, lane: table.lane(lane))
        resources = ScrapedResources(table, options.origin, options.rewriting.targetLabels)
    }
    /// Gives the memory back; the value may not be used afterwards.
    mutating func free() { lines.free() }

    // MARK: Whole scrapes

    mutating func read(
        _ body: UnsafeRawBufferPointer,
        _ syntax: ExpositionSyntax,
        at time: UInt64
    ) -> ScrapeOutcome {
        begin(at: time)
        // What a line means depends on how it is written.
        if syntax != self.syntax { lines.free() }
        self.syntax = syntax
        var cursor = ExpositionCursor(body, syntax)
        do throws(Stop) {
            if syntax == .protobuf {
                try readFamilies(body)
            } else {
                readTargetInfo(cursor)
                try readLines(&cursor)
            }
            if isOverSampleLimit { throw .refused(.samples(limit: options.limits.samples)) }
            finish()
        } catch {
            switch error {
            case .misread(let misread): outcome.failure = .malformed(cursor.malformed(misread))
            case .refused(let failure): outcome.failure = failure
            }
            outcome.batches = lost(at: time)
        }
        defer { outcome = ScrapeOutcome() }
        return outcome
    }
    private mutating func begin(at time: UInt64) {
        scrape &+= 1
        (self.time, previous, seenLines, isOverSampleLimit) = (time, LineCache.none, 0, false)
        (outcome, parts) = (ScrapeOutcome(), MetricBatch.Parts())
        drafts.removeAll(keepingCapacity: true)
        if families.begin(scrape) { lines.free() }
        finder.beginBatch()
    }
    private mutating func readLines(_ cursor: inout ExpositionCursor) throws(Stop) {
        var isEnded = false
        while !cursor.isAtEnd {
            let byte = cursor.position.pointee
            if isEnded { throw .misread(cursor.misread(.afterEOF)) }
            if byte == .hash {
                flushIfFull()
                do throws(ExpositionCursor.Misread) {
                    isEnded = try families.comment(&cursor)
                } catch { throw .misread(error) }
            } else if byte == .lineFeed || byte == .space || byte == .tab {
                if cursor.isOpen { throw .misread(cursor.misread(.blankLine)) }
                cursor.skipBlanks()
                if cursor.next == .lineFeed { cursor.position += 1 }
            } else {
                try readSample(&cursor)
            }
        }
        if cursor.isOpen, !isEnded { throw .misread(cursor.misread(.noEOF)) }
    }

    // MARK: Batches

    /// Samples of one family stand together in OpenMetrics: behind it, nothing is added to its points any more.
    mutating func flushIfFull() { if parts.count >= Self.batchPoints { flush() } }
    mutating func flush() {
        guard parts.count > 0 else { return }
        outcome.batches.append(MetricBatch(parts, epoch: time / 1_000_000_000))
        parts = MetricBatch.Parts()
    }
    private mutating func finish() {
        for index in drafts.indices { emit(index) }
        for place in streams.known { settle(place) }
        flush()
        for resource in streams.removeUnseen(scrape) { resources.disuse(resource) }
        resources.prune()
        lines.prune(to: scrape, seen: seenLines)
        lastTaken = scrape
    }
    /// The scrape is taken: what a stream sent in it is what is known of it now.
    private mutating func settle(_ place: Int32) {
        let stream = streams[place]
        let fresh = stream.seen == scrape ? stream.fresh : .none
        if stream.isLive, stream.id != fresh {
            parts.appendEnd(of: stream.id, stream.metric.kind, at: time)
        }
        streams[place].id = fresh
        streams[place].isLive = fresh != .none && (!stream.isTimed || options.tracksTimestamps)
    }
    mutating func lost(at time: UInt64) -> [MetricBatch] {
        var parts = MetricBatch.Parts()
        for place in streams.known where streams[place].isLive {
            parts.appendEnd(of: streams[place].id, streams[place].metric.kind, at: time)
            streams[place].isLive = false
        }
        return parts.count > 0 ? [MetricBatch(parts, epoch: time / 1_000_000_000)] : []
    }
}
