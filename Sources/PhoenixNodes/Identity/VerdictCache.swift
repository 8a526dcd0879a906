import PhoenixModel

/// What a program made of the resources and metrics it saw last, so that the metrics of one process are judged together, and
/// the processes of one metric where the program asks for nothing else.
///
/// Bounded: series of one resource come close together, and what was forgotten is judged again.
struct VerdictCache {
    /// What becomes of a series.
    enum Outcome {
        case drop(DropReason)
        case pass(Naming)
    }
    /// What becomes of the parts of its identity; nil where they stay as they are.
    struct Naming {
        var resource: AttributeSet?
        var point: AttributeSet?
        var metric: MetricIdentity?
        /// Whether the points go aside.
        var isMerged = false
    }
    private final class Entry {
        let set: AttributeSet
        let attributes: [Attribute]
        /// What holds for every series of the resource.
        var outcome: Outcome?
        /// What holds for its series with some point attributes.
        var byPoint: [(point: AttributeSet, outcome: Outcome)] = []
        init(_ set: AttributeSet) { (self.set, attributes) = (set, set.attributes) }
    }
    private static let maximumResources = 512
    private static let maximumPoints = 16
    private static let maximumMetrics = 4096
    private var entries: [ObjectIdentifier: Entry] = [:]
    /// What holds for every series of a metric; the metric is held, so that no other takes its address.
    private var byMetric: [ObjectIdentifier: (metric: Metric, outcome: Outcome)] = [:]
    /// How often a program was asked.
    private(set) var judgements = 0

    /// What becomes of a series by `judge`. New sets of attributes are those of `table`, or none's.
    mutating func outcome(
        of series: Series,
        _ table: SeriesTable?,
        _ judge: (inout Subject) -> Verdict
    ) -> Outcome {
        if let known = byMetric[ObjectIdentifier(series.metric)] { return known.outcome }
        let entry = entry(of: series.resource)
        if let outcome = entry.outcome { return outcome }
        if let known = entry.byPoint.first(where: { $0.point === series.attributes }) { return known.outcome }
        var subject = Subject(
            resource: entry.attributes,
            point: series.attributes.attributes,
            metric: series.metric.identity,
            id: series.id
        )
        judgements += 1
        let verdict = judge(&subject)
        let outcome: Outcome =
            switch verdict {
            case .drop(let reason): .drop(reason)
            case .pass, .merge:
                .pass(
                    Naming(
                        resource: subject.hasNewResource ? Self.set(subject.resource, table) : nil,
                        point: subject.hasNewPoint ? Self.set(subject.point, table) : nil,
                        metric: subject.hasNewMetric ? subject.metric : nil,
                        isMerged: verdict == .merge
                    )
                )
            }
        guard !subject.asksSeries else { return outcome }
        if !subject.asksPoint, !subject.asksMetric {
            entry.outcome = outcome
        } else if subject.asksMetric {
            guard !subject.asksPoint, !subject.asksResource else { return outcome }
            if byMetric.count >= Self.maximumMetrics { byMetric.removeAll(keepingCapacity: true) }
            byMetric[ObjectIdentifier(series.metric)] = (series.metric, outcome)
        } else if entry.byPoint.count < Self.maximumPoints {
            entry.byPoint.append((series.attributes, outcome))
        }
        return outcome
    }
    private static func set(_ attributes: [Attribute], _ table: SeriesTable?) -> AttributeSet {
        table?.intern(attributes) ?? AttributeSet(attributes)
    }
    private mutating func entry(of resource: AttributeSet) -> Entry {
        if let entry = entries[ObjectIdentifier(resource)] { return entry }
        if entries.count >= Self.maximumResources { entries.removeAll(keepingCapacity: true) }
        let entry = Entry(resource)
        entries[ObjectIdentifier(resource)] = entry
        return entry
    }
    mutating func removeAll() {
        entries.removeAll()
        byMetric.removeAll()
    }
}

extension VerdictCache.Naming {
    /// Whether the series stays what it is.
    var isNone: Bool { resource == nil && point == nil && metric == nil }
}
