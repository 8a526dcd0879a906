/// What becomes of the labels that a target sends.
public struct ScrapeRewriting: Sendable {
    /// The labels of the target, `job` and `instance` among them.
    public var targetLabels: LabelSet
    /// Whether a scraped label wins over the target's of the same name.
    public var honorsLabels: Bool
    /// `metric_relabel_configs`; answers nil to drop the sample.
    public var relabel: (@Sendable (LabelSet) -> LabelSet?)?
    public init(
        _ targetLabels: LabelSet,
        honorsLabels: Bool = false,
        relabel: (@Sendable (LabelSet) -> LabelSet?)? = nil
    ) {
        (self.targetLabels, self.honorsLabels, self.relabel) = (targetLabels, honorsLabels, relabel)
    }

    /// The labels of a sample once the target's are among them (Prometheus scrape/target.go, `mutateSampleLabels`).
    func merged(_ scraped: LabelSet) -> LabelSet {
        var set = scraped
        var displaced: [ExposedLabel] = []
        for label in targetLabels.labels {
            if honorsLabels {
                // An empty label keeps the target's away as well.
                if !set.contains(label.name) { set.set(label.name, to: label.value) }
                continue
            }
            let previous = set[label.name]
            if !previous.isEmpty { displaced.append(ExposedLabel(label.name, previous)) }
            set.set(label.name, to: label.value)
        }
        for label in displaced.sorted(by: { $0.name.utf8.count < $1.name.utf8.count }) {
            var name = "exported_" + label.name
            while !set[name].isEmpty { name = "exported_" + name }
            set.set(name, to: label.value)
        }
        set.keep { !$0.value.isEmpty }
        return set
    }
    /// The labels that the sample ends up with; nil when it is dropped.
    func rewritten(_ scraped: LabelSet) -> LabelSet? {
        let merged = merged(scraped)
        guard let relabel else { return merged }
        return relabel(merged)
    }
}
