public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Makes windows out of totals: monotonic cumulative sums and histograms become deltas, each since the point before.
///
/// Resets, points out of order, repetitions and several writers of one series are told as everywhere in Phoenix; what was
/// counted at a reset is that since the reset. A window ends with the newest point of a batch. Gauges, summaries and sums
/// that may fall pass as they are. Sources: OpenTelemetry data model, "Cumulative to delta conversion" of temporality; the
/// extremes of totals are no extremes of windows and are left out, but for a stream's first.
public actor CumulativeToDelta: IdentityNode {
    public struct Config: NodeConfig {
        public var include: [Condition] = []
        public var exclude: [Condition] = []
        public var initialValue = Reaggregator.FirstValue.auto
        public var expiry = Duration.seconds(900)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "include",
                \.include,
                "Only series for which one of these conditions holds are changed; with none written, all are."
            ),
            Field("exclude", \.exclude, "Series for which one of these conditions holds pass as they are."),
            Field(
                "initial_value",
                \.initialValue,
                "What becomes of the value with which a stream is first seen: `auto` sends it where the stream began after "
                    + "Phoenix did, `keep` sends it always, unless the stream may be one that was forgotten, `drop` never."
            ),
            Field(
                "expiry",
                \.expiry,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered."
            ),
        ]
    }
    public static let type = NodeType(.processor, "cumulative_to_delta")
    public static let summary = "Makes deltas out of cumulative sums and histograms."
    public static let ports: [PortSpec] = [.input(RelabelingPort.input), .output(RelabelingPort.output)]

    private let work: Relabeling<Config>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context)
    }
}

extension CumulativeToDelta.Config: IdentityProgram {
    var merging: Merging { .never }
    func decides(as other: Self) -> Bool {
        var same = other
        (same.initialValue, same.expiry) = (initialValue, expiry)
        return self == same
    }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = UInt32(clamping: Int(expiry.inSeconds))
        options.firstValue = initialValue
        return options
    }

    func judge(_ subject: inout Subject) -> Verdict {
        let metric = subject.metric
        guard metric.temporality == .cumulative, metric.kind != .sum || metric.isMonotonic,
            subject.isAmong(include, besides: exclude)
        else { return .pass }
        subject.metric.temporality = .delta
        return .merge
    }
}

extension Subject {
    /// Whether one of the conditions holds, if there are any, and none of the others.
    mutating func isAmong(_ include: [Condition], besides exclude: [Condition]) -> Bool {
        if !include.isEmpty, !include.contains(where: { $0.holds(&self) }) { return false }
        return !exclude.contains { $0.holds(&self) }
    }
}

/// Written in graph files as `auto`, `keep` or `drop`.
extension Reaggregator.FirstValue: ChoiceValue {}
