public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Leaves attributes out and adds up the series that meet by it: fewer series, and no total wrong.
///
/// Every output is a sum of the node's own, also where only one series goes into it, so that a mode may change what is
/// left out at any batch: the outputs left stand still, and the new ones count on.
public actor Aggregate: LastingIdentityNode {
    /// Attributes left out of some series only.
    public struct Rule: ObjectValue, Hashable {
        public var drop: [AttributeTarget] = []
        public var when: Conditions = []
        public var unless: Conditions?
        public init() {}
        public static let fields: [Field<Self>] = [
            Field("drop", \.drop, required: true, "The attributes to leave out."),
            Field("when", \.when, "Only of series for which these conditions hold."),
            Field("unless", \.unless, "Not of series for which these conditions hold."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            unless?.refuseNone("unless", at: marks["unless"], &report)
        }
    }
    /// Series that become one.
    public struct Rollup: ObjectValue, Hashable {
        public var when: Conditions = []
        public var set: [String: String] = [:]
        public var keep: [AttributeTarget] = []
        public init() {}
        public static let fields: [Field<Self>] = [
            Field("when", \.when, required: true, "The conditions that must hold of a series."),
            Field("set", \.set, "The attributes that it gets in place of its own."),
            Field("keep", \.keep, required: true, "The attributes that it keeps beside those set."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            when.refuseNone(
                "when",
                at: marks["when"],
                mend: "add `attribute` with a test, or `metric`",
                &report
            )
        }
    }
    public struct Config: NodeConfig {
        public var drop: [AttributeTarget] = []
        public var keep: [AttributeTarget] = []
        public var rules: [Rule] = []
        public var rollup: [Rollup] = []
        public var whole: Conditions?
        public var gauges: [String: GaugeMerge] = [:]
        public var staleAfter = 2.5
        public var expiry = Duration.seconds(900)
        public var aliveWithin = Duration.seconds(300)
        public var pipeline = ""
        public init() {}
        public static let exclusive = [["drop", "keep"]]
        public static let fields: [Field<Config>] = [
            Field("drop", \.drop, live: true, "The attributes to leave out."),
            Field("keep", \.keep, live: true, "The attributes to keep; all others are left out."),
            Field(
                "rules",
                \.rules,
                live: true,
                "Attributes to leave out of some series only, beside `drop` or `keep`."
            ),
            Field(
                "rollup",
                \.rollup,
                live: true,
                "Series that become one; the first whose conditions hold counts."
            ),
            Field(
                "whole",
                \.whole,
                live: true,
                "Series for which these conditions hold keep all their attributes."
            ),
            Field(
                "gauges",
                \.gauges,
                live: true,
                "How gauges that meet are merged, by metric: sum, avg, min, max or last. Without a word the semantic "
                    + "conventions decide."
            ),
            Field(
                "stale_after",
                \.staleAfter,
                live: true,
                in: 1...1000,
                "For how many of its own intervals a gauge counts after its last point."
            ),
            Field(
                "expiry",
                \.expiry,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered, so that it counts on where it stopped."
            ),
            Field(
                "alive_within",
                \.aliveWithin,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long an input counts for the series that are admitted after its last point: as long as the endpoint "
                    + "shows what does not come any more."
            ),
            Field(
                "pipeline",
                \.pipeline,
                "The pipeline's name to observers and controllers. The node's id where it is left out."
            ),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            whole?.refuseNone("whole", at: marks["whole"], &report)
        }
    }
    public static let type = NodeType(.processor, "aggregate")
    public static let summary = "Leaves attributes out and adds up the series that meet, exactly."
    public static let ports = RelabelingPort.all + [.output(RelabelingPort.observations)]

    private let work: Relabeling<Config>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context, pipeline: settings.base.pipeline)
    }

    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        work.replace(with: Programs(settings) { $0 })
        return true
    }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        try RelabelingState.read(from: &reader, Programs(settings) { $0 }, context)
    }
}

extension Aggregate.Config: IdentityProgram {
    var merging: Merging { .always }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        (options.gauges, options.staleAfter) = (gauges, staleAfter)
        options.forgetAfterSeconds = UInt32(clamping: Int(expiry.inSeconds))
        return options
    }

    var aliveSeconds: UInt32 { UInt32(clamping: Int(aliveWithin.inSeconds)) }

    func decides(as other: Self) -> Bool {
        var same = other
        (same.gauges, same.staleAfter, same.expiry) = (gauges, staleAfter, expiry)
        (same.aliveWithin, same.pipeline) = (aliveWithin, pipeline)
        return self == same
    }

    func judge(_ subject: inout Subject) -> Verdict {
        if let whole, whole.hold(&subject) { return .pass }
        if let rollup = rollup.first(where: { $0.when.hold(&subject) }) {
            rollup.apply(to: &subject)
            return .pass
        }
        // All conditions look at the series as it came.
        let due = rules.filter { $0.applies(to: &subject) }
        if !keep.isEmpty { subject.keep(keep) }
        for target in drop + due.flatMap(\.drop) { subject.remove(target) }
        return .pass
    }
}

extension Aggregate.Rule {
    fileprivate func applies(to subject: inout Subject) -> Bool {
        if let unless, unless.hold(&subject) { return false }
        return when.hold(&subject)
    }
}

extension Aggregate.Rollup {
    fileprivate func apply(to subject: inout Subject) {
        let targets = set.sorted { $0.key < $1.key }.map {
            (AttributeTarget(stringLiteral: $0.key), $0.value)
        }
        subject.keep(keep)
        for (target, value) in targets { subject.set(target, to: .string(value)) }
    }
}
