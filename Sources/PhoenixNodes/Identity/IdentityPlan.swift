import PhoenixModel

/// A program applied to batches: asked once per series, then read from a plan.
///
/// Points whose series pass as they are cost one look-up, and their batch is passed on as it came. Where two living
/// series get one output, both go aside from then on: they must be added up, not written over each other.
struct IdentityPlan<Program: IdentityProgram>: ~Copyable {
    /// What became of a batch.
    struct Result: Sendable {
        /// The points that go on, under their output series; nil where none does.
        var passed: MetricBatch?
        /// The points that must be merged, under their input series; nil where there are none.
        var aside: MetricBatch?
        /// Inputs that were passed on as they were until now, and must be merged from their next point on.
        var displaced: [SeriesID] = []
        var dropped: [DropReason: Int] = [:]
    }
    private(set) var program: Program
    private let table: SeriesTable
    private let lane: SeriesLane
    private var plan: SeriesPlan
    private var cache = VerdictCache()
    private var sweepAt: UInt32
    /// Which input an output belongs to, by the output's slot: the input's slot + 1.
    private var owners = SlotMap<UInt32>(vacant: 0)
    /// The outputs with more than one input: few, and never again plain while they live.
    private var merged: Set<SeriesID> = []
    private var displaced: [SeriesID] = []
    /// How many series were found to share an output with another.
    private(set) var collisions = 0

    /// `lane` names the place of the outputs in the table; nodes use their id.
    init(_ program: Program, _ table: SeriesTable, lane: String) {
        (self.program, self.table) = (program, table)
        self.lane = table.lane(lane)
        plan = SeriesPlan(refreshTicks: table.idleSeconds / 4)
        sweepAt = table.tick &+ table.idleSeconds
    }

    /// What the plan holds in memory, in bytes.
    var byteCount: Int { plan.byteCount + owners.byteCount }
    /// How often the program was asked.
    var judgements: Int { cache.judgements }

    /// Judges by another program from the next batch on; or by the same, which has changed its mind.
    mutating func replace(with program: Program) {
        self.program = program
        plan.removeAll()
        cache.removeAll()
        owners.removeAll()
    }

    mutating func apply(_ batch: MetricBatch) -> Result {
        sweepWhenDue()
        // The reaggregator keeps a plan of its own.
        if program.merging == .always { return Result(aside: batch.isEmpty ? nil : batch) }
        let numbers = read(batch.numbers.series)
        let histograms = read(batch.histograms.series)
        let exponentials = read(batch.exponentials.series)
        let summaries = read(batch.summaries.series)
        let exemplars = read(batch.exemplars.map(\.series))
        var result = Result()
        (result.displaced, displaced) = (displaced, [])
        let points = [numbers, histograms, exponentials, summaries]
        if points.allSatisfy(\.isUnchanged) {
            result.passed = batch.isEmpty ? nil : batch
            return result
        }
        if points.reduce(0, { $0 + $1.aside }) == batch.count {
            result.aside = batch
            return result
        }
        var columns = SeriesColumns()
        (columns.numbers, columns.histograms) = (numbers.series, histograms.series)
        (columns.exponentials, columns.summaries) = (exponentials.series, summaries.series)
        columns.exemplars = exemplars.series
        guard points.contains(where: \.hasGaps) else {
            result.passed = batch.renamed(columns)
            return result
        }
        let passed = batch.compacted(columns)
        result.passed = passed.isEmpty ? nil : passed
        for column in points {
            for (reason, count) in column.nowhere {
                result.dropped[DropReason(rawValue: reason) ?? .excluded, default: 0] += count
            }
        }
        if points.contains(where: { $0.aside > 0 }) { result.aside = aside(batch) }
        return result
    }

    /// Notes that these inputs share their outputs with others.
    mutating func setAside(_ pairs: [(input: SeriesID, output: SeriesID)]) {
        for (input, output) in pairs {
            merged.insert(output)
            plan.set(input, to: .aside(output), tick: table.tick)
        }
    }
    /// The output of a series that was seen before; nil where it goes nowhere.
    func output(of id: SeriesID) -> SeriesID? {
        switch plan.ruling(id) {
        case .to(let output), .aside(let output): output
        case .nowhere, nil: nil
        }
    }

    /// Where a series goes by the program alone.
    mutating func destination(of series: Series) -> Destination {
        let program = program
        return switch cache.outcome(of: series, table, { program.judge(&$0) }) {
        case .drop(let reason): .drop(reason: Int(reason.rawValue))
        case .pass(let name):
            .output(
                metric: name.metric,
                resource: name.resource ?? series.resource,
                attributes: name.point ?? series.attributes
            )
        }
    }

    /// The points of a batch that go aside, under their input series.
    private func aside(_ batch: MetricBatch) -> MetricBatch {
        func inputs(_ ids: [SeriesID]) -> [SeriesID] {
            ids.map { id in if case .aside = plan.ruling(id) { id } else { SeriesID.none } }
        }
        var columns = SeriesColumns()
        columns.numbers = inputs(batch.numbers.series)
        columns.histograms = inputs(batch.histograms.series)
        columns.exponentials = inputs(batch.exponentials.series)
        columns.summaries = inputs(batch.summaries.series)
        columns.exemplars = inputs(batch.exemplars.map(\.series))
        return batch.compacted(columns)
    }

    private mutating func read(_ ids: [SeriesID]) -> SeriesPlan.Column {
        var column = plan.read(ids, tick: table.tick)
        for index in column.open {
            let ruling = settle(ids[index])
            switch ruling {
            case .to(let output): column.series[index] = output
            case .aside: column.aside += 1
            case .nowhere(let reason): column.nowhere[reason, default: 0] += 1
            }
        }
        if !column.open.isEmpty { column.isUnchanged = column.series == ids }
        return column
    }

    /// Decides of a series that is new, or keeps alive the output of one that is known.
    private mutating func settle(_ id: SeriesID) -> SeriesPlan.Ruling {
        switch plan.ruling(id) {
        case .to(let output) where table.touch(output): break
        case .aside(let output): return .aside(output)
        case .nowhere(let reason): return .nowhere(reason: reason)
        case .to, nil: return decide(id)
        }
        guard let ruling = plan.ruling(id) else { return decide(id) }
        plan.set(id, to: ruling, tick: table.tick)
        return ruling
    }

    private mutating func decide(_ id: SeriesID) -> SeriesPlan.Ruling {
        // A stale id is not remembered: its slot is another's, or nobody's.
        guard let series = table.series(id) else { return .nowhere(reason: DropReason.staleSeries.rawValue) }
        var ruling: SeriesPlan.Ruling
        let program = program
        switch cache.outcome(of: series, table, { program.judge(&$0) }) {
        case .drop(let reason): ruling = .nowhere(reason: reason.rawValue)
        case .pass(let name) where name.isMerged: ruling = .aside(id)
        case .pass(let name) where name.isNone: ruling = .to(id)
        case .pass(let name):
            let output = table.id(
                resource: name.resource ?? series.resource,
                metric: table.metric(series.metric, as: name.metric),
                attributes: name.point ?? series.attributes,
                lane: lane
            )
            // Nor is the want of room: there may be some by the next point.
            guard let output else { return .nowhere(reason: DropReason.tableFull.rawValue) }
            ruling = .to(output)
        }
        if program.merging == .byAccident, case .to(let output) = ruling, isShared(output, with: id) {
            ruling = .aside(output)
        }
        plan.set(id, to: ruling, tick: table.tick)
        return ruling
    }

    /// Notes that `id` gets `output`; true where another living series does, too, which then goes aside as well.
    private mutating func isShared(_ output: SeriesID, with id: SeriesID) -> Bool {
        if merged.contains(output) {
            collisions += 1
            return true
        }
        let owner = owners[output.slot]
        if owner != 0, owner - 1 != id.slot, let other = plan.input(slot: owner - 1), table.isCurrent(other),
            plan.ruling(other) == .to(output)
        {
            plan.set(other, to: .aside(output), tick: table.tick)
            displaced.append(other)
            merged.insert(output)
            collisions += 2
            return true
        }
        owners.element(output.slot).pointee = id.slot + 1
        return false
    }

    private mutating func sweepWhenDue() {
        guard table.tick >= sweepAt else { return }
        sweepAt = table.tick &+ table.idleSeconds
        let table = table
        plan.sweep { !table.isCurrent($0) }
        cache.removeAll()
        merged = merged.filter { table.isCurrent($0) }
        forgetOwners()
    }
    /// An output whose owner is gone belongs to whoever comes next.
    private mutating func forgetOwners() {
        var owners = SlotMap<UInt32>(vacant: 0)
        swap(&owners, &self.owners)
        owners.sweep { slot, owner in
            guard owner != 0, self.plan.input(slot: owner - 1) != nil else { return false }
            self.owners.element(slot).pointee = owner
            return false
        }
    }
}
