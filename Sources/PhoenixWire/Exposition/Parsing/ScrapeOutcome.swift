public import PhoenixModel

/// What one scrape came to.
public struct ScrapeOutcome: Sendable {
    /// The points, and the ends of what is no longer there; of a failed scrape only the ends.
    public var batches: [MetricBatch] = []
    /// Why nothing was taken.
    public var failure: ScrapeFailure?
    /// Samples that the target sent (`scrape_samples_scraped`).
    public var scraped = 0
    /// Samples that relabelling left (`scrape_samples_post_metric_relabeling`).
    public var kept = 0
    /// Of those, samples that the scrape before did not have (`scrape_series_added`).
    public var added = 0
    public var drops = ScrapeDrops()
    public init() {}
}

/// Why a whole scrape is refused: Prometheus takes all of it or nothing.
public enum ScrapeFailure: Error, Sendable, Hashable, CustomStringConvertible {
    case malformed(MalformedExposition)
    /// The protobuf message of a family, by its name, is none; or what it says cannot be.
    case message(family: String, String)
    case samples(limit: Int)
    case labels(of: String, count: Int, limit: Int)
    case labelName(String, of: String, limit: Int)
    case labelValue(ofLabel: String, of: String, limit: Int)
    /// Relabelling took a sample's name away.
    case nameless

    public var description: String {
        switch self {
        case .malformed(let problem): "the exposition is malformed: \(problem)"
        case .message(let family, let problem):
            "the exposition is malformed: \(family.isEmpty ? "a metric family" : "the family `\(family)`"): \(problem)"
        case .samples(let limit):
            "there are more than \(limit) samples; raise `sample_limit` or drop some by `metric_relabel_configs`"
        case .labels(let metric, let count, let limit):
            "`\(metric)` has \(count) labels; raise `label_limit` (\(limit)) or drop some"
        case .labelName(let label, let metric, let limit):
            "the label `\(label)` of `\(metric)` is longer than `label_name_length_limit` (\(limit) bytes)"
        case .labelValue(let label, let metric, let limit):
            "the value of `\(label)` of `\(metric)` is longer than `label_value_length_limit` (\(limit) bytes)"
        case .nameless:
            "`metric_relabel_configs` left a sample without a name; set `__name__` or drop the sample"
        }
    }
}

/// How much a scrape may hold; 0 is no limit.
public struct ScrapeLimits: Sendable, Hashable {
    /// After relabelling.
    public var samples = 0
    /// Of one sample, its name among them.
    public var labels = 0
    /// In bytes.
    public var labelNameLength = 0
    /// In bytes.
    public var labelValueLength = 0
    public init() {}

    func failure(for set: LabelSet) -> ScrapeFailure? {
        let metric = set[LabelSet.name]
        if labels > 0, set.labels.count > labels {
            return .labels(of: metric, count: set.labels.count, limit: labels)
        }
        guard labelNameLength > 0 || labelValueLength > 0 else { return nil }
        for label in set.labels {
            if labelNameLength > 0, label.name.utf8.count > labelNameLength {
                return .labelName(label.name, of: metric, limit: labelNameLength)
            }
            if labelValueLength > 0, label.value.utf8.count > labelValueLength {
                return .labelValue(ofLabel: label.name, of: metric, limit: labelValueLength)
            }
        }
        return nil
    }
}

/// Why a sample of a good scrape gives no point.
public enum ScrapeDrop: UInt8, Error, Hashable, CaseIterable {
    /// `metric_relabel_configs` dropped it.
    case relabeled
    /// OpenTelemetry has nothing like a gauge histogram.
    case gaugeHistogram
    /// The same series came before in the scrape; the first one counts.
    case duplicate
    /// A bucket without `le`, or a quantile without `quantile`, that says a number.
    case noBound
    /// A histogram or summary without a count.
    case noCount
    /// Counts of buckets that fall as bounds rise.
    case bucketOrder
    /// A count that is negative or no whole number.
    case fractionalCount
    /// Spans and counts of a native histogram that do not fit together, or a schema that is none of exponential buckets.
    case nativeBuckets
    /// An exemplar with more than 128 characters of labels; its sample counts.
    case exemplar
    /// A time before 1970, or a start that is no time.
    case time
    /// A start (`_created`) of a series that the scrape does not hold.
    case startAlone
    /// The engine's series table is full.
    case seriesLimit

    /// The word for the `reason` label.
    public var label: String {
        switch self {
        case .relabeled: "relabeled"
        case .gaugeHistogram: "gauge_histogram"
        case .duplicate: "duplicate"
        case .noBound: "no_bound"
        case .noCount: "no_count"
        case .bucketOrder: "bucket_order"
        case .fractionalCount: "fractional_count"
        case .nativeBuckets: "native_buckets"
        case .exemplar: "exemplar"
        case .time: "time"
        case .startAlone: "start_alone"
        case .seriesLimit: "series_limit"
        }
    }
}

/// How many samples gave no point, and why.
public struct ScrapeDrops: Sendable, Hashable {
    private var counts = [Int](repeating: 0, count: ScrapeDrop.allCases.count)
    public init() {}
    public internal(set) subscript(reason: ScrapeDrop) -> Int {
        get { counts[Int(reason.rawValue)] }
        set { counts[Int(reason.rawValue)] = newValue }
    }
}
