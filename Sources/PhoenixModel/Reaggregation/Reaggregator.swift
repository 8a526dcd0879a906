/// Merges series into fewer, so that no total is wrong: the one engine behind every N:1 mapping.
///
/// Counters and histograms add the *increases* of each input into accumulators of the output's own, so that inputs
/// may come, go, restart and change place without a jump; gauges show the live values of their members. On each batch
/// every output that was touched is emitted once, at the newest time.
///
/// *Exact* means that between two moments when nothing is under way, the increases of all outputs ever emitted add up
/// to the increases of the inputs. A stream seen for the first time counts from zero only if it began after the
/// *forget horizon*: when this reaggregator began to watch, or when it last saw the newest input that it has since
/// forgotten. Otherwise its past was counted before, or by nobody, and it counts from its first value on. The series of
/// another reaggregator say with their first point that all of it is news: between our nodes no clock is asked.
///
/// An output starts where its first increments do, but no earlier than a second after this began to watch, nor than half as
/// long ago as anything is remembered, and its start stands from then on; its times advance with every point, by a
/// nanosecond where its members bring none that is newer. One that comes again after it was forgotten goes on after the
/// point that it told last, by our clock where its members' are behind that. So whoever reads it, a reaggregator too, finds
/// one writer whose increases are exactly those of the inputs.
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
        /// How long an input is remembered after its last point; a minute less than the series table remembers it at
        /// most, so that none comes back under another id while it is still remembered under the old one.
        public var forgetAfterSeconds: UInt32 = 900
        /// How gauges of a metric meet; others by `GaugeMerge.conventional`.
        public var gauges: [String: GaugeMerge] = [:]
        /// Whether what a stream that is seen for the first time tells of its past counts.
        public var firstValue = FirstValue.auto
        /// So many inputs are remembered at most; the points of others are dropped and counted.
        public var memberLimit = Int.max
        public init() {}
    }
    /// What is made of the value with which a cumulative stream is seen for the first time.
    public enum FirstValue: String, Sendable, Hashable, CaseIterable, BitwiseCopyable {
        /// It counts where the stream began after we did; see the type.
        case auto
        /// It counts, also of streams without a start, unless the stream may be one that was forgotten.
        case keep
        /// It never counts.
        case drop
    }
    public typealias Resolve = (Series) -> Destination
    public static let maximumReasons = 8

    let table: SeriesTable
    let lane: SeriesLane
    public var options: Options {
        didSet { if options.gauges != oldValue.gauges { mergesDiffer = true } }
    }
    /// Whether gauges may merge otherwise than the options now say.
    var mergesDiffer = false
    var members = SlotMap<Member>(vacant: Member())
    /// By number, which is dense.
    var outputs = SlotMap<Output>(vacant: .vacant)
    /// What each output is, to name it again when its id went stale: the table keeps its objects for us.
    var names = SlotMap<SeriesKey>(vacant: SeriesKey(resource: 0, metric: 0, attributes: 0))
    /// The numbers of outputs by their names.
    var numbers = SlotIndex()
    /// How many numbers were ever given.
    var outputCount: UInt32 = 0
    var freeOutputs: [UInt32] = []
    var touched: [UInt32] = []
    var serial: UInt32 = 0
    var twins: [UInt32: [Twin]] = [:]
    /// The slots that a `min`, `max` or `last` of several may show: only those pay for a list.
    var candidates: [UInt32: [UInt32]] = [:]
    /// How many live members of a gauge show no finite number; outputs that have any.
    var notFinite: [UInt32: NotFinite] = [:]
    var compounds = CompoundState()
    /// Of the batch that is being applied: where points went whose bounds do not fit their output, by slot.
    var siblings: [UInt32: UInt32] = [:]
    /// Gauge outputs that members left or entered since the last emission.
    var moved: [UInt32] = []
    /// Whether what changes is held until `release`, in place of being emitted with each batch.
    public var isHolding = false
    public internal(set) var counts = ReaggregatorCounts()
    /// See the type: inputs that began later count from zero.
    public internal(set) var horizon: UInt64
    /// When it began to watch.
    let began: UInt64
    /// The newest time of an output that was forgotten: one that is new comes after it, for it may have that one's name.
    var freedHorizon: UInt64 = 0
    /// While inputs are asked anew where they go, a slice at a time: the slots from here on are still to be asked.
    var unasked = UInt32.max
    /// Those of some slots that are to be asked too; each is marked as open until it was.
    var open: [UInt32] = []
    /// When members to be forgotten were last looked for.
    var sweptAt: UInt32
    /// Whether points are looked at only; see `watch`.
    var isWatching = false
    /// Whether an input was ever forgotten.
    var hasForgotten = false
    /// Inputs that came or went to another output, yet to be taken; noted only where somebody asks for them.
    var moves: [Move] = []
    public var notesMoves = false
    /// How many inputs are behind: see `Member.State.isBehind`.
    var behind = 0
    /// Of the batch that is being applied.
    var now: UInt64
    /// How long inputs are remembered; see `memorySeconds`.
    var memory: UInt32 = .max
    var nowSeconds: UInt32 { UInt32(truncatingIfNeeded: now / 1_000_000_000) }

    /// A reaggregator that begins to watch at `now`, in nanoseconds since 1970.
    public init(table: SeriesTable, lane: String, options: Options = Options(), watchingSince now: UInt64) {
        (self.table, self.options, self.horizon, self.now, began) = (table, options, now, now, now)
        self.lane = table.lane(lane)
        sweptAt = UInt32(truncatingIfNeeded: now / 1_000_000_000)
        if options.firstValue == .keep { horizon = 0 }
    }

    deinit {
        var kept: [SeriesKey] = []
        for number in 0..<outputCount where !outputs[number].state.contains(.isFree) {
            kept.append(names[number])
        }
        table.letGo(kept)
    }

    /// Applies a batch and answers what it changed; nil where nothing is to be emitted.
    public mutating func apply(_ batch: MetricBatch, now: UInt64, _ resolve: Resolve) -> MetricBatch? {
        begin(now)
        forgetOverdue()
        applyNumbers(batch.numbers, resolve)
        if batch.histograms.count > 0 { applyHistograms(batch.histograms, resolve) }
        if batch.exponentials.count > 0 { applyExponentials(batch.exponentials, resolve) }
        if batch.summaries.count > 0 { applySummaries(batch.summaries, resolve) }
        if behind > 0 { catchUp(batch, resolve) }
        var result = emit(epoch: batch.epoch, batch.exemplars)
        result?.receivedAt = batch.receivedAt
        return result
    }

    /// Looks at points of counters and histograms that somebody else passes on: what their series grow by from here on is
    /// ours. Their outputs are shown as they stand.
    public mutating func watch(_ batch: MetricBatch, now: UInt64, _ resolve: Resolve) -> MetricBatch? {
        begin(now)
        isWatching = true
        defer { isWatching = false }
        watchNumbers(batch.numbers, resolve)
        if batch.histograms.count > 0 { applyHistograms(batch.histograms, resolve) }
        if batch.exponentials.count > 0 { applyExponentials(batch.exponentials, resolve) }
        if batch.summaries.count > 0 { applySummaries(batch.summaries, resolve) }
        return emit(epoch: batch.epoch)
    }

    mutating func begin(_ now: UInt64) {
        self.now = now
        memory = memorySeconds
        if !siblings.isEmpty { siblings.removeAll(keepingCapacity: true) }
        // What is held was touched by the batch that is still being applied.
        if !touched.isEmpty { return }
        serial &+= 1
        if serial == 0 { serial = 1 }
    }

    /// Notes that an input was forgotten, or was passed on by others, until `time`: its past is not counted here.
    public mutating func forget(seenAt time: UInt64) {
        hasForgotten = true
        horizon = max(horizon, time)
    }

    /// Takes in inputs that others have passed on until now, `passed` of them with this very batch: what they grew by so far
    /// is not counted here. Their outputs go on after what was told under their names.
    public mutating func takeOver(
        _ inputs: [SeriesID],
        passing passed: MetricBatch?,
        now: UInt64,
        _ resolve: Resolve
    ) -> MetricBatch? {
        begin(now)
        let newest = passed?.newestTime ?? 0
        for id in inputs where find(id, resolve) {
            let output = outputs.element(members[id.slot].output)
            let told = output.pointee.state.contains(.isDelta) ? newest : max(newest, now - min(now, 1))
            if output.pointee.kind != .gauge { output.pointee.emitted = max(output.pointee.emitted, told) }
        }
        let shown = passed.flatMap { watch($0, now: now, resolve) }
        for id in inputs {
            let member = members.element(id.slot)
            guard member.pointee.generation == id.generation, !member.pointee.state.contains(.hasValue)
            else { continue }
            if member.pointee.state.contains(.isCumulative) {
                member.pointee.state.insert(.isTold)
                member.pointee.time = now
            } else if member.pointee.state.contains(.isDelta) {
                // Its windows until now are taken.
                member.pointee.state.insert(.hasValue)
                (member.pointee.value, member.pointee.start, member.pointee.time) = (now, now, now)
            }
        }
        return shown
    }
    /// Whether an input's first point here counts from zero. What others told of it ends where it was taken over.
    @inline(__always)
    func countsFromZero(_ member: Member, start: UInt64, time: UInt64, _ flags: PointFlags) -> Bool {
        if member.state.contains(.isTold) {
            return start < time && start - min(start, lead(time)) > member.time
        }
        return countsFromZero(start: start, time: time, flags)
    }

    /// Whether a stream that began at `start` and is seen for the first time counts from zero: as one of our nodes says that
    /// counts it itself, else by its start.
    ///
    /// A sender whose clock is ahead of ours would seem to have begun later than it did: by as much as its points are
    /// in the future, so much is taken off. One whose clock is behind seems to have begun earlier; that cannot be told
    /// from points that were long under way, so it counts from its first value on, rather than something twice.
    @inline(__always)
    func countsFromZero(start: UInt64, time: UInt64, _ flags: PointFlags) -> Bool {
        if options.firstValue != .auto {
            if options.firstValue == .drop { return false }
            if !hasForgotten { return true }
        }
        if flags.contains(.isNews) { return true }
        guard start != 0, start < time else { return false }
        return start - min(start, lead(time)) > horizon
    }
    /// How far the clock is ahead of ours by which a point of this time was made, as far as can be told.
    @inline(__always)
    func lead(_ time: UInt64) -> UInt64 { time > now ? time - now : 0 }

    /// Has an output emitted after this batch, at a member's time or later.
    @inline(__always)
    mutating func touch(_ output: inout Output, _ number: UInt32, time: UInt64) {
        if output.touched != serial {
            output.touched = serial
            touched.append(number)
        }
        if time > output.time { output.time = time }
    }
}

extension MetricBatch {
    /// The newest time of its points.
    fileprivate var newestTime: UInt64 {
        [numbers.times, histograms.times, exponentials.times, summaries.times].reduce(0) {
            max($0, $1.max() ?? 0)
        }
    }
}
