public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Makes totals out of windows: delta sums and histograms become cumulative, from their first window's start on.
///
/// Each window counts once: repetitions are known, and what comes late fills its gap. A gap in a stream does not make it
/// begin anew: what came before was counted, and a total that starts over would lose nothing but clarity. Sums that may fall
/// are added up as well. Source: OpenTelemetry data model, "Sums: Delta-to-Cumulative".
public actor DeltaToCumulative: LastingIdentityNode {
    public struct Config: NodeConfig {
        public var include: [Condition] = []
        public var exclude: [Condition] = []
        public var maxStreams: Int?
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
                "max_streams",
                \.maxStreams,
                "How many series are added up at once; the points of more are dropped and counted. Without a word as many as "
                    + "the engine has room for."
            ),
            Field(
                "expiry",
                \.expiry,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered; one that comes back later begins anew."
            ),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            if let maxStreams, maxStreams < 0 {
                report.add(
                    at: marks["max_streams"],
                    "a limit of \(maxStreams) series",
                    mend: "write 0 for none, or a number above"
                )
            }
        }
    }
    public static let type = NodeType(.processor, "delta_to_cumulative")
    public static let summary = "Makes cumulative sums and histograms out of deltas."
    public static let ports: [PortSpec] = [.input(RelabelingPort.input), .output(RelabelingPort.output)]

    private let work: Relabeling<Config>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context)
    }

    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        try RelabelingState.read(from: &reader, Programs(settings) { $0 }, context)
    }
}

extension DeltaToCumulative.Config: IdentityProgram {
    var merging: Merging { .never }
    func decides(as other: Self) -> Bool {
        var same = other
        (same.maxStreams, same.expiry) = (maxStreams, expiry)
        return self == same
    }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        options.forgetAfterSeconds = UInt32(clamping: Int(expiry.inSeconds))
        options.memberLimit = maxStreams ?? .max
        return options
    }

    func judge(_ subject: inout Subject) -> Verdict {
        guard subject.metric.temporality == .delta, subject.isAmong(include, besides: exclude) else {
            return .pass
        }
        subject.metric.temporality = .cumulative
        return .merge
    }
}
