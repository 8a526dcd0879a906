import PhoenixModel
import PhoenixRuntime

/// The second way out of a node: series that its program marked leave by it.
///
/// The mark is part of the identity by which the node adds up, so that each way has sums of its own. It comes off on the way
/// out, and its value, if it is not empty, names an attribute that takes its place.
final class SharePath {
    /// What of a batch takes the second way.
    struct Part {
        /// Under the names that it leaves with.
        var batch: MetricBatch
        /// What takes the first way; nil where nothing does.
        var rest: MetricBatch?
        /// The same points as `batch` under their marked names, should they have to be sent later.
        var marked: MetricBatch
        var dropped: Int
    }
    /// On the resource, so that it is made once for each.
    static let mark = AttributeTarget(.resource, "phoenix.rollout.path")

    let outlet: Outlet<MetricBatch>
    private let table: SeriesTable
    private let lane: SeriesLane
    private var plan: SeriesPlan
    private var sweepAt: UInt32

    init(_ outlet: Outlet<MetricBatch>, _ context: NodeContext) {
        (self.outlet, table) = (outlet, context.series)
        lane = table.lane(context.id + "/share")
        plan = SeriesPlan(refreshTicks: table.idleSeconds / 4)
        sweepAt = table.tick &+ table.idleSeconds
    }

    /// Parts a batch; nil where nothing of it takes the second way.
    func part(_ batch: MetricBatch) -> Part? {
        sweepWhenDue()
        var (names, full) = (SeriesColumns(), 0)
        let columns = [
            batch.numbers.series, batch.histograms.series, batch.exponentials.series, batch.summaries.series,
            batch.exemplars.map(\.series),
        ].map { ids in
            let column = read(ids)
            full += column.nowhere[Self.full] ?? 0
            return column.series
        }
        guard full > 0 || columns.contains(where: { $0.contains { $0 != .none } }) else { return nil }
        (names.numbers, names.histograms) = (columns[0], columns[1])
        (names.exponentials, names.summaries, names.exemplars) = (columns[2], columns[3], columns[4])
        let share = batch.compacted(names)
        let rest = batch.compacted(
            Self.those(of: batch) { self.plan.ruling($0) == .nowhere(reason: Self.first) }
        )
        let marked = batch.compacted(
            Self.those(of: batch) { if case .to = self.plan.ruling($0) { true } else { false } }
        )
        return Part(batch: share, rest: rest.isEmpty ? nil : rest, marked: marked, dropped: full)
    }
    private static func those(of batch: MetricBatch, where isMeant: (SeriesID) -> Bool) -> SeriesColumns {
        func chosen(_ ids: [SeriesID]) -> [SeriesID] { ids.map { isMeant($0) ? $0 : .none } }
        var columns = SeriesColumns()
        columns.numbers = chosen(batch.numbers.series)
        columns.histograms = chosen(batch.histograms.series)
        columns.exponentials = chosen(batch.exponentials.series)
        columns.summaries = chosen(batch.summaries.series)
        columns.exemplars = chosen(batch.exemplars.map(\.series))
        return columns
    }

    /// Reasons of the plan: the series takes the first way; the table had no room for its name.
    private static var first: UInt8 { 1 }
    private static var full: UInt8 { 2 }

    private func read(_ ids: [SeriesID]) -> SeriesPlan.Column {
        var column = plan.read(ids, tick: table.tick)
        for index in column.open {
            let ruling = decide(ids[index])
            if ruling != .nowhere(reason: Self.full) { plan.set(ids[index], to: ruling, tick: table.tick) }
            switch ruling {
            case .to(let output), .aside(let output): column.series[index] = output
            case .nowhere(let reason): column.nowhere[reason, default: 0] += 1
            }
        }
        return column
    }
    private func decide(_ id: SeriesID) -> SeriesPlan.Ruling {
        guard let series = table.series(id) else { return .nowhere(reason: Self.full) }
        var resource = series.resource.attributes
        guard let index = resource.firstIndex(where: { $0.key == Self.mark.key }) else {
            return .nowhere(reason: Self.first)
        }
        let attribute = resource.remove(at: index).value.text
        if !attribute.isEmpty {
            resource.removeAll { $0.key == attribute }
            resource.append(Attribute(attribute, "share"))
        }
        let name = table.id(
            resource: table.intern(resource),
            metric: series.metric,
            attributes: series.attributes,
            lane: lane
        )
        return name.map { .to($0) } ?? .nowhere(reason: Self.full)
    }
    private func sweepWhenDue() {
        guard table.tick >= sweepAt else { return }
        sweepAt = table.tick &+ table.idleSeconds
        let table = table
        plan.sweep { !table.isCurrent($0) }
    }
}
