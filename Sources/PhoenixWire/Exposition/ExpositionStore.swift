public import PhoenixModel

/// What one Prometheus endpoint exposes: the newest point of every series, and what it takes to write them.
///
/// Written by the node's batches and read by scrapes at the same time: both take the lock for a short while, a batch for
/// its length, a scrape for a page of output. A node's heir takes the store as it is.
///
/// Rules: an older point than the one held is dropped; `NO_RECORDED_VALUE` ends its series at once; delta counters and
/// histograms accumulate from their first point; series end by the clock, never by scrapes; no two samples have one
/// label set: series that would are merged (`CollisionMerge`). All drops are counted by reason.
public final class ExpositionStore: Sendable {
    let held: Lock<HeldPoints>
    /// As given, or as changed since.
    public var options: ExpositionOptions { held.withLock { $0.options } }

    /// An empty store.
    ///
    /// - Parameter watchingSince: nanoseconds since 1970; a series that began later was watched from its beginning.
    public init(_ options: ExpositionOptions = ExpositionOptions(), watchingSince: UInt64 = 0) {
        held = Lock(HeldPoints(options, watchingSince: watchingSince))
    }

    /// The store's clock: tenths of a second, from 1 on.
    static func tick(_ time: Duration) -> Int64 {
        time.components.seconds * 10 + time.components.attoseconds / 100_000_000_000_000_000
    }
    static func clock(_ now: Duration) -> UInt32 { UInt32(clamping: max(0, tick(now)) + 1) }

    /// Takes in a batch; `now` is time that only goes forward.
    public func ingest(_ batch: MetricBatch, _ table: SeriesTable, now: Duration) {
        held.withLock { $0.ingest(batch, table, tick: Self.clock(now)) }
    }

    /// Ends the series for which nothing came for so long. Bounded work a call, so that batches do not wait for it:
    /// to be called every second or so, and again at once while it answers false.
    @discardableResult
    public func expire(now: Duration, limit: Int = 1 << 15) -> Bool {
        held.withLock { $0.expire(tick: Self.clock(now), limit: limit) }
    }

    /// How many series are exposed: label sets, of which a histogram is one.
    public var activeSeries: Int { held.withLock { $0.live } }
    /// Whether series are exposed under a name.
    public func claims(_ name: String) -> Bool { held.withLock { $0.families.hasClaim(on: name) } }
    /// What became of the points.
    public var counts: ExpositionCounts { held.withLock { $0.counts } }
    /// What the store holds in memory, in bytes: records, label blocks and lists, estimated.
    public var byteCount: Int {
        held.withLock { held in
            var bytes = held.records.byteCount + held.merged.count * 40 + held.entities.byteCount
            bytes += held.families.sorted.reduce(0) { $0 + $1.members.count * 4 + 256 }
            return bytes + held.index.heads.count * 4 + held.compounds.count * 160
        }
    }

    /// Begins a scrape.
    ///
    /// - Parameters:
    ///   - escaping: how names outside the legacy alphabet are shown.
    ///   - families: what others have to say in the same exposition; it comes first.
    ///   - names: only families with these names, if there are any (`name[]`).
    ///   - showsSeries: false leaves only `families`.
    public func scrape(
        _ format: ExpositionFormat,
        escaping: EscapingScheme = .underscores,
        now: Duration,
        with families: [PlainFamily] = [],
        names: Set<String> = [],
        showsSeries: Bool = true
    ) -> ExpositionScrape {
        let tick = Self.clock(now)
        let cursor = ScrapeCursor(
            dialect: ExpositionDialect(format, escaping),
            tick: tick,
            names: names,
            phase: .plain(families.sorted { $0.name < $1.name }),
            showsSeries: showsSeries
        )
        let id = held.withLock { held in
            defer { held.nextCursor += 1 }
            held.cursors[held.nextCursor] = cursor
            return held.nextCursor
        }
        return ExpositionScrape(self, id)
    }
    func fill(_ page: inout ExpositionPage, cursor id: UInt64) -> Bool {
        held.withLock { $0.fill(&page, cursor: id) }
    }
    func endScrape(_ id: UInt64) { held.withLock { $0.cursors[id] = nil } }
}
