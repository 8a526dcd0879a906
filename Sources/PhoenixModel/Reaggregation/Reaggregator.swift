/// Merges series into fewer, so that no total is wrong: the one engine behind every N:1 mapping.
///
/// Counters and histograms add the *increases* of each input into accumulators of the output's own, so that inputs
/// may come, go, restart and change place without a jump; gauges show the live values of their members. On each batch
/// every output that was touched is emitted once, at the newest time.
///
/// *Exact* means that between two moments when nothing is under way, the increases of all outputs ever emitted add up
/// to the increases of the inputs. A stream seen for the first time counts from zero only if it began after the
/// *forget horizon*: when this reaggregator began to watch, or when it last saw the newest input that it has since
/// forgotten. Otherwise its past was counted before, or by nobody, and it counts from its first value on.
///
/// Sources: OpenTelemetry data model (resets and gaps, overlap, natural merge functions); supplementary guidelines
/// (attribute removal). Belongs to one node; every call changes all that it means to or nothing.
public struct Reaggregator: ~Copyable, Sendable {
    /// What a node may choose.
    public struct Options: Sendable, Equatable {
        /// A gauge's member counts for so many of its own intervals after its last point.
        public var staleAfter = 2.5
        /// How long a member counts before its interval is known, and at least.
        public var leastStaleSeconds: UInt32 = 5
        public var unknownIntervalSeconds: UInt32 = 300
        /// How long an input is remembered after its last point.
        public var forgetAfterSeconds: UInt32 = 900
        /// How gauges of a metric meet; others by `GaugeMerge.conventional`.
        public var gauges: [String: GaugeMerge] = [:]
        public init() {}
    }
    public typealias Resolve = (Series) -> Destination
    public static let maximumReasons = 8

    let table: SeriesTable
    let lane: SeriesLane
    public var options: Options
    var members = SlotMap<Member>(vacant: Member())
    var outputs: [Output] = []
    var names: [OutputName?] = []
    var numbers: [OutputName: UInt32] = [:]
    var freeOutputs: [UInt32] = []
    var touched: [UInt32] = []
    var serial: UInt32 = 0
    var twins: [UInt32: [Twin]] = [:]
    /// The slots that a `min` or `max` output may show: only those pay for a list.
    var candidates: [UInt32: [UInt32]] = [:]
    var compounds = CompoundState()
    /// Gauge outputs that lost their last member, to be ended in the next batch: replaced ones end at once.
    var ended: [UInt32] = []
    /// Gauge outputs that members left or entered since the last emission.
    var moved: [UInt32] = []
    public internal(set) var counts = ReaggregatorCounts()
    /// See the type: inputs that began later count from zero.
    public private(set) var horizon: UInt64
    /// Of the batch that is being applied.
    var now: UInt64 = 0
    var nowSeconds: UInt32 { UInt32(truncatingIfNeeded: now / 1_000_000_000) }

    /// A reaggregator that begins to watch at `now`, in nanoseconds since 1970.
    public init(table: SeriesTable, lane: String, options: Options = Options(), watchingSince now: UInt64) {
        (self.table, self.options, horizon) = (table, options, now)
        self.lane = table.lane(lane)
    }

    /// Applies a batch and answers what it changed; nil where nothing is to be emitted.
    public mutating func apply(_ batch: MetricBatch, now: UInt64, _ resolve: Resolve) -> MetricBatch? {
        begin(now)
        applyNumbers(batch.numbers, resolve)
        if batch.histograms.count > 0 { applyHistograms(batch.histograms, resolve) }
        if batch.exponentials.count > 0 { applyExponentials(batch.exponentials, resolve) }
        if batch.summaries.count > 0 { applySummaries(batch.summaries, resolve) }
        return emit(epoch: batch.epoch)
    }

    mutating func begin(_ now: UInt64) {
        self.now = now
        serial &+= 1
        if serial == 0 { serial = 1 }
    }

    /// Notes that an input was forgotten, or was passed on by others, until `time`: its past is not counted here.
    public mutating func forget(seenAt time: UInt64) { horizon = max(horizon, time) }

    /// Whether a stream that began at `start` and is seen for the first time counts from zero.
    ///
    /// A sender whose clock is ahead of ours would seem to have begun later than it did: by as much as its points are
    /// in the future, so much is taken off.
    @inline(__always)
    func countsFromZero(start: UInt64, time: UInt64) -> Bool {
        guard start != 0, start < time else { return false }
        let ahead = time > now ? time - now : 0
        return start - min(start, ahead) > horizon
    }

    /// Notes that a stream counts from zero on an output: one that is new begins no later than the stream did.
    mutating func open(_ number: UInt32, from start: UInt64) {
        guard outputs[Int(number)].isNew else { return }
        outputs[Int(number)].start = max(horizon &+ 1, min(outputs[Int(number)].start, start))
    }

    @inline(__always)
    mutating func touch(_ number: UInt32, time: UInt64) {
        if outputs[Int(number)].touched != serial {
            outputs[Int(number)].touched = serial
            touched.append(number)
        }
        if time > outputs[Int(number)].time { outputs[Int(number)].time = time }
    }
}
