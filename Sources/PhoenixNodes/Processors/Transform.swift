public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Brings metrics to other units, names and labels.
///
/// Every rule that holds is applied, in order, and sees what those before it made. Where names or labels change, series may
/// meet: then every output is a sum of the node's own, as in `aggregate`, and no total is wrong.
public actor Transform: IdentityNode {
    /// What becomes of some series.
    public struct Rule: ObjectValue, Hashable {
        public var when: Conditions = []
        public var scale = 1.0
        public var unit: String?
        public var rename: String?
        public var labels: [String: String] = [:]
        public init() {}
        public static let fields: [Field<Self>] = [
            Field(
                "when",
                \.when,
                "One condition or several that must all hold; without any, the rule always applies."
            ),
            Field(
                "scale",
                \.scale,
                in: 1e-18...1e18,
                "What values are multiplied by, bounds of buckets too: `0.001` for seconds out of milliseconds. Exponential "
                    + "histograms can be scaled by powers of two only; others are dropped and counted."
            ),
            Field("unit", \.unit, "The unit that the metric says it has."),
            Field("rename", \.rename, "The name that the metric gets."),
            Field(
                "labels",
                \.labels,
                "Attributes that get another key: the old one (`key`, `resource:key` or `point:key`) and the new one. Keys "
                    + "may change places."
            ),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            if scale == 1, unit == nil, rename == nil, labels.isEmpty {
                report.add(
                    at: marks.node,
                    "the rule changes nothing",
                    mend: "add one of `scale`, `unit`, `rename`, `labels`"
                )
            }
            if rename == "" {
                report.add(
                    at: marks["rename"],
                    "a metric without a name",
                    mend: "write a name, or leave it out"
                )
            }
            for (old, new) in labels where new.isEmpty || AttributeTarget(written: old) == nil {
                report.add(
                    at: marks["labels"],
                    "`\(old): \(new)` names no attribute",
                    mend:
                        "write the old key and the new one; the processor `attributes` can delete attributes"
                )
            }
            for (old, new) in labels where AttributeTarget.namesPlace(new) {
                report.add(
                    at: marks["labels"],
                    "`\(new)` names a place, and a renamed attribute stays where it is",
                    mend: "write the new key of `\(old)` alone"
                )
            }
        }
    }
    public struct Config: NodeConfig {
        public var rules: [Rule] = []
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "rules",
                \.rules,
                required: true,
                "Applied in order, each to the series for which it holds."
            )
        ]
    }
    public static let type = NodeType(.processor, "transform")
    public static let summary = "Brings metrics to other units, names and labels."
    public static let ports: [PortSpec] = [.input(RelabelingPort.input), .output(RelabelingPort.output)]

    private let work: Relabeling<Config>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context)
    }

    /// In another unit the increase since the last value would be wrong.
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        old.base.scales == new.base.scales
            ? .everything : .nothing("the scales changed: sums in the old units have no successor")
    }
}

extension Transform.Config: IdentityProgram {
    var merging: Merging {
        rules.contains { $0.rename != nil || !$0.labels.isEmpty } ? .always : .byAccident
    }
    var rescales: Bool { rules.contains { $0.scale != 1 } }
    /// All that values depend on: with the scales of before they are what they would have been.
    fileprivate var scales: [Transform.Rule] { rescales ? rules : [] }

    func judge(_ subject: inout Subject) -> Verdict {
        _ = transform(&subject)
        return .pass
    }
    func factor(of subject: inout Subject) -> Double { transform(&subject) }

    /// Applies the rules; answers what values are multiplied by.
    private func transform(_ subject: inout Subject) -> Double {
        var factor = 1.0
        for rule in rules where rule.when.hold(&subject) {
            factor *= rule.scale
            rule.apply(to: &subject)
        }
        return factor
    }
}

extension Transform.Rule {
    fileprivate func apply(to subject: inout Subject) {
        if let unit { subject.metric.unit = unit }
        if let rename { subject.metric.name = rename }
        let labels = labels.sorted { $0.key < $1.key }.map {
            (AttributeTarget(stringLiteral: $0.key), $0.value)
        }
        // By way of keys that nobody has, so that two may change places.
        for (index, label) in labels.enumerated() { subject.rename(label.0, to: "\u{0}\(index)") }
        for (index, label) in labels.enumerated() {
            subject.rename(AttributeTarget(label.0.place, "\u{0}\(index)"), to: label.1)
        }
    }
}
