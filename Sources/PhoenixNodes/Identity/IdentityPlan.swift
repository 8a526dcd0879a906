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
        /// The points of the displaced that are passed on with this batch, under their input series; nil where there are none.
        /// Levels are not among them: they are merged at once.
        var told: MetricBatch?
        /// The points, under their input series, from which on series are merged that were passed on as they were, or went
        /// nowhere, until the program changed; nil where there are none.
        var watched: MetricBatch?
        var dropped: [DropReason: Int] = [:]
        /// Exemplars of points that go nowhere.
        var droppedExemplars = 0
    }
    private(set) var program: Program
    private let table: SeriesTable
    private let lane: SeriesLane
    private var plan: SeriesPlan
    /// What was decided before the program changed, for as long as any of those series may come again.
    private var former: SeriesPlan
    private var hasFormer = false
    private var formerUntil: UInt32 = 0
    private var cache = VerdictCache()
    private var sweepAt: UInt32
    /// Which input an output belongs to, by the output's slot: the input's slot + 1.
    private var owners = SlotMap<UInt32>(vacant: 0)
    /// The outputs with more than one input: few, and never again plain while they live.
    private var merged: Set<SeriesID> = []
    private var displaced: [SeriesID] = []
    /// What the series that was decided last turned from.
    private var turn: Turn?
    /// How many series were found to share an output with another.
    private(set) var collisions = 0

    /// `lane` names the place of the outputs in the table; nodes use their id.
    init(_ program: Program, _ table: SeriesTable, lane: String) {
        (self.program, self.table) = (program, table)
        self.lane = table.lane(lane)
        plan = SeriesPlan(refreshTicks: table.idleSeconds / 4)
        former = SeriesPlan(refreshTicks: table.idleSeconds / 4)
        sweepAt = table.tick &+ table.idleSeconds
    }

    /// What the plan holds in memory, in bytes.
    var byteCount: Int { plan.byteCount + owners.byteCount + former.byteCount }
    /// How often the program was asked.
    var judgements: Int { cache.judgements }

    /// Judges by another program from the next batch on; or by the same, which has changed its mind.
    mutating func replace(with program: Program) {
        self.program = program
        supersede()
        cache.removeAll()
        owners.removeAll()
    }

    /// Goes on with what was judged, under a program that decides as the one before.
    mutating func keep(under program: Program) { self.program = program }

    mutating func apply(_ batch: MetricBatch) -> Result {
        sweepWhenDue()
        // The reaggregator keeps a plan of its own.
        if program.merging == .always { return Result(aside: batch.isEmpty ? nil : batch) }
        let ids = [
            batch.numbers.series, batch.histograms.series, batch.exponentials.series, batch.summaries.series,
        ]
        var readings = ids.map { read($0) }
        let exemplars = read(batch.exemplars.map(\.series))
        var result = result(of: batch, readings.map(\.column), exemplars.column)
        (result.displaced, displaced) = (displaced, [])
        if !result.displaced.isEmpty {
            for kind in ids.indices { readings[kind].noteTold(of: toldNow(result.displaced), ids[kind]) }
            result.told = points(of: batch, readings.map(\.told))
        }
        if readings.contains(where: { !$0.watched.isEmpty }) {
            result.watched = points(of: batch, readings.map(\.watched))
        }
        if result.aside != nil { result.aside = aside(batch, readings) }
        end(readings[0].ended, batch, &result)
        return result
    }
    private func result(
        of batch: MetricBatch,
        _ points: [SeriesPlan.Column],
        _ exemplars: SeriesPlan.Column
    ) -> Result {
        var result = Result()
        if points.allSatisfy(\.isUnchanged) {
            result.passed = batch.isEmpty ? nil : batch
            return result
        }
        if points.reduce(0, { $0 + $1.aside }) == batch.count {
            result.aside = batch
            return result
        }
        var columns = SeriesColumns()
        (columns.numbers, columns.histograms) = (points[0].series, points[1].series)
        (columns.exponentials, columns.summaries) = (points[2].series, points[3].series)
        columns.exemplars = exemplars.series
        guard points.contains(where: \.hasGaps) else {
            result.passed = batch.renamed(columns)
            return result
        }
        let passed = batch.compacted(columns)
        result.passed = passed.isEmpty ? nil : passed
        result.droppedExemplars = exemplars.nowhere.values.reduce(0, +)
        for column in points {
            for (reason, count) in column.nowhere {
                result.dropped[DropReason(rawValue: reason) ?? .excluded, default: 0] += count
            }
        }
        if points.contains(where: { $0.aside > 0 }) { result.aside = batch }
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

    /// The points of a batch that go aside, under their input series; nil where there are none.
    private func aside(_ batch: MetricBatch, _ readings: [Reading]) -> MetricBatch? {
        func inputs(_ ids: [SeriesID], except others: [Int] = []) -> [SeriesID] {
            var result = ids.map { id in if case .aside = plan.ruling(id) { id } else { SeriesID.none } }
            for index in others { result[index] = .none }
            return result
        }
        var columns = SeriesColumns()
        columns.numbers = inputs(batch.numbers.series, except: readings[0].notAside)
        columns.histograms = inputs(batch.histograms.series, except: readings[1].notAside)
        columns.exponentials = inputs(batch.exponentials.series, except: readings[2].notAside)
        columns.summaries = inputs(batch.summaries.series, except: readings[3].notAside)
        columns.exemplars = inputs(batch.exemplars.map(\.series))
        let aside = batch.compacted(columns)
        return aside.isEmpty ? nil : aside
    }
    /// Some points of a batch, by their places in each of its columns, under their input series; nil where there are none.
    private func points(of batch: MetricBatch, _ places: [[Int]]) -> MetricBatch? {
        func inputs(_ ids: [SeriesID], _ places: [Int]) -> [SeriesID] {
            var result = Array(repeating: SeriesID.none, count: ids.count)
            for index in places { result[index] = ids[index] }
            return result
        }
        var columns = SeriesColumns()
        columns.numbers = inputs(batch.numbers.series, places[0])
        columns.histograms = inputs(batch.histograms.series, places[1])
        columns.exponentials = inputs(batch.exponentials.series, places[2])
        columns.summaries = inputs(batch.summaries.series, places[3])
        let points = batch.compacted(columns)
        return points.isEmpty ? nil : points
    }
    /// Those of the displaced whose points tell more than what is now.
    private func toldNow(_ displaced: [SeriesID]) -> Set<SeriesID> {
        Set(displaced.filter { table.series($0).map { !$0.isLevel } ?? false })
    }
    /// Ends the gauges that are told under another name now, or no more.
    private func end(_ ended: [(index: Int, id: SeriesID)], _ batch: MetricBatch, _ result: inout Result) {
        guard !ended.isEmpty else { return }
        var parts = result.passed?.parts ?? MetricBatch.Parts()
        for (index, id) in ended {
            parts.numbers.append(
                id,
                time: batch.numbers.times[index],
                start: 0,
                bits: 0,
                flags: .noRecordedValue
            )
        }
        result.passed = batch.successor(parts)
    }

    /// A column through the plan, and the places of what turns.
    private struct Reading {
        var column = SeriesPlan.Column()
        /// Points from which on their series are merged.
        var watched: [Int] = []
        /// Points that are passed on, of series that are merged from then on.
        var told: [Int] = []
        /// What is not merged though its series is.
        var notAside: [Int] { watched + told }
        /// Points whose series had another name, which ends.
        var ended: [(index: Int, id: SeriesID)] = []

        mutating func noteTold(of series: Set<SeriesID>, _ ids: [SeriesID]) {
            told = ids.indices.filter { series.contains(ids[$0]) && column.series[$0] != .none }
        }
    }
    private mutating func read(_ ids: [SeriesID]) -> Reading {
        var reading = Reading(column: plan.read(ids, tick: table.tick))
        for index in reading.column.open {
            let ruling = settle(ids[index])
            switch ruling {
            case .to(let output): reading.column.series[index] = output
            case .aside: reading.column.aside += 1
            case .nowhere(let reason): reading.column.nowhere[reason, default: 0] += 1
            }
            switch turn.take() {
            case .end(let old)?: reading.ended.append((index, old))
            case .watch(let old)?:
                reading.watched.append(index)
                guard let old else { break }
                reading.column.aside -= 1
                reading.column.series[index] = old
            case nil: break
            }
        }
        if !reading.column.open.isEmpty { reading.column.isUnchanged = reading.column.series == ids }
        return reading
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
        ruling = turned(ruling, id, series)
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
        if displaceOwner(of: output, for: id) {
            merged.insert(output)
            collisions += 2
            return true
        }
        owners.element(output.slot).pointee = id.slot + 1
        return false
    }
    /// Has the living series that is passed on as `output`, if there is one beside `id`, go aside from now on.
    private mutating func displaceOwner(of output: SeriesID, for id: SeriesID) -> Bool {
        let owner = owners[output.slot]
        guard owner != 0, owner - 1 != id.slot, let other = plan.input(slot: owner - 1),
            table.isCurrent(other),
            plan.ruling(other) == .to(output)
        else { return false }
        plan.set(other, to: .aside(output), tick: table.tick)
        displaced.append(other)
        return true
    }

    private mutating func sweepWhenDue() {
        guard table.tick >= sweepAt else { return }
        sweepAt = table.tick &+ table.idleSeconds
        let table = table
        if hasFormer, table.tick >= formerUntil {
            former.removeAll()
            hasFormer = false
        }
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

/// Series that get another output because the program changed.
///
/// What a counter grew by under its old name was told there, so under the new one it must not begin with its whole life: from
/// then on it is an accumulator of ours. Its first point after the change still goes where the ones before went, and is
/// what the new output counts from: nothing is told twice, and nothing by nobody.
extension IdentityPlan {
    fileprivate enum Turn {
        /// The point is what later ones are measured by; it is passed on under the old name, if there is one.
        case watch(passing: SeriesID?)
        /// The old name shows nothing more.
        case end(SeriesID)
    }

    /// Keeps what was decided until now, for as long as one of those series may come again.
    fileprivate mutating func supersede() {
        var old = SeriesPlan(refreshTicks: table.idleSeconds / 4)
        swap(&old, &plan)
        swap(&old, &former)
        if hasFormer { former.adopt(old) }
        hasFormer = true
        formerUntil = table.tick &+ table.idleSeconds
    }

    fileprivate mutating func turned(
        _ ruling: SeriesPlan.Ruling,
        _ id: SeriesID,
        _ series: Series
    ) -> SeriesPlan.Ruling {
        guard hasFormer, let before = former.ruling(id), before != ruling else { return ruling }
        switch (before, ruling) {
        case (.aside, .to(let output)): return .aside(output)
        case (.to(let old), .to(let output)) where series.isFollowed:
            turn = .watch(passing: table.touch(old) ? old : nil)
            if displaceOwner(of: output, for: id) { collisions += 1 }
            merged.insert(output)
            return .aside(output)
        case (.nowhere, .to(let output)) where series.isFollowed:
            turn = .watch(passing: nil)
            merged.insert(output)
            return .aside(output)
        case (.to(let old), .to), (.to(let old), .nowhere):
            if series.isLevel, table.touch(old) { turn = .end(old) }
            return ruling
        default: return ruling
        }
    }
}

extension Series {
    /// Whether its points show what is now, and nothing of what was before.
    fileprivate var isLevel: Bool {
        metric.kind == .gauge || (metric.kind == .sum && metric.temporality != .delta && !metric.isMonotonic)
    }
}
