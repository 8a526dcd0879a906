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
    /// How many lines there were before: those behind them leave when the scrape is refused.
    var linesBefore = 0
    /// Points stand here, and in the outcome's batches, under the places of their streams (`placeholder`): only a scrape
    /// that is taken finds series, and adds them to the table.
    var parts = MetricBatch.Parts()
    var drafts: [CompoundDraft] = []
    var outcome = ScrapeOutcome()
    /// From here on samples are only counted.
    var isOverSampleLimit = false
    /// Whether relabelling kept the sample that was read last, of those whose line is not held: see `LineCache.none`.
    var isUnheldKept = false

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
        (self.syntax, linesBefore) = (syntax, lines.count)
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
            refuse()
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
        let read = outcome.batches
        outcome.batches = read.map { named($0) }
        parts = named(MetricBatch(parts)).parts
        for index in drafts.indices { emit(index) }
        for place in streams.known { settle(place) }
        flush()
        for resource in streams.removeUnseen(scrape) { resources.disuse(resource) }
        resources.prune()
        lines.prune(to: scrape, seen: seenLines)
        lastTaken = scrape
    }
    /// The scrape is not taken: every series ends, and what only this scrape made is let go of, so that a target that fails
    /// again and again, with other lines each time, takes no more than one that does so once.
    private mutating func refuse() {
        outcome.batches = lost(at: time)
        (parts, drafts) = (MetricBatch.Parts(), [])
        for resource in streams.removeNameless() { resources.disuse(resource) }
        resources.prune()
        lines.removeAll(behind: linesBefore)
    }
    /// The scrape is taken: what a stream sent in it is what is known of it now.
    private mutating func settle(_ place: Int32) {
        let stream = streams[place]
        if stream.createdIn == scrape, stream.seen != scrape { outcome.drops[.startAlone] += 1 }
        let fresh = stream.seen == scrape ? stream.fresh : .none
        if stream.isLive, stream.id != fresh {
            parts.appendEnd(of: stream.id, stream.metric.kind, at: time)
        }
        streams[place].id = fresh
        streams[place].isLive = fresh != .none && (!stream.isTimed || options.tracksTimestamps)
    }
    /// The batch under the ids of its streams' series, but for points whose series found no room in the table.
    private mutating func named(_ batch: MetricBatch) -> MetricBatch {
        var columns = SeriesColumns()
        columns.numbers = batch.numbers.series.map { name($0) }
        columns.exponentials = batch.exponentials.series.map { name($0) }
        // They stand behind their points, whose streams have their ids by now.
        columns.exemplars = batch.exemplars.map { streams[Self.place($0.series)].fresh }
        return batch.compacted(columns)
    }
    private mutating func name(_ placeholder: SeriesID) -> SeriesID {
        let place = Self.place(placeholder)
        if streams[place].fresh == .none {
            guard let id = id(of: streams[place]) else {
                outcome.drops[.seriesLimit] += 1
                return .none
            }
            streams[place].fresh = id
        }
        return streams[place].fresh
    }
    /// What stands for the series of a stream until the scrape is taken.
    @inline(__always)
    static func placeholder(_ place: Int32) -> SeriesID {
        SeriesID(slot: UInt32(bitPattern: place), generation: 0)
    }
    private static func place(_ placeholder: SeriesID) -> Int32 { Int32(bitPattern: placeholder.slot) }

    mutating func lost(at time: UInt64) -> [MetricBatch] {
        var parts = MetricBatch.Parts()
        for place in streams.known where streams[place].isLive {
            parts.appendEnd(of: streams[place].id, streams[place].metric.kind, at: time)
            streams[place].isLive = false
        }
        return parts.count > 0 ? [MetricBatch(parts, epoch: time / 1_000_000_000)] : []
    }
}
