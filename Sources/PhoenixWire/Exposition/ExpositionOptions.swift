/// What an endpoint makes of what it holds.
public struct ExpositionOptions: Sendable, Equatable {
    /// Put before every metric's name, with an underscore.
    public var namespace = ""
    public var strategy = TranslationStrategy.underscoreEscapingWithSuffixes
    /// Labels that every series gets, by attribute key; they win over attributes of the same name.
    public var constantLabels: [String: String] = [:]
    /// Whether resource attributes become labels of every series; they are in `target_info` in any case.
    public var convertsResource = false
    /// Whether series carry `otel_scope_name` and its kin.
    public var addsScopeLabels = true
    public var exposesTargetInfo = true
    /// Whether samples carry the time of their point; Prometheus asks exporters not to.
    public var sendsTimestamps = false
    /// Whether counters, histograms and summaries get a `_created` sample in OpenMetrics.
    public var sendsCreated = false
    /// How long a series is exposed after its last point.
    public var expiration = Duration.seconds(300)
    /// How many series are held at most; new ones beyond it are dropped and counted.
    public var maximumSeries = 1_000_000
    /// How many exemplars are held at most.
    public var maximumExemplars = 100_000
    /// Family names that others write into the same exposition.
    public var reservedNames: Set<String> = []
    public init() {}

    /// Whether series read the same under other options: those may then change while series are held.
    public func readsLike(_ other: Self) -> Bool {
        var other = other
        (other.expiration, other.maximumSeries) = (expiration, maximumSeries)
        other.sendsTimestamps = sendsTimestamps
        return self == other
    }
}
