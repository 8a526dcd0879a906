public import PhoenixGraph

/// What must hold of a series for a rule to apply.
///
/// Every part that is written must hold. An attribute that is missing equals nothing and matches nothing.
public struct Condition: ObjectValue, Hashable {
    public var metric: Pattern?
    public var attribute: AttributeTarget?
    public var equals: String?
    public var among: [String]?
    public var matches: Pattern?
    public var exists: Bool?
    public var not = false
    public init() {}

    public static let fields: [Field<Self>] = [
        Field("metric", \.metric, "A regular expression that must be found in the name of the metric."),
        Field("attribute", \.attribute, "The attribute to look at: `key`, `resource:key` or `point:key`."),
        Field("equals", \.equals, "The attribute must have this value."),
        Field("in", \.among, "The attribute must have one of these values."),
        Field("matches", \.matches, "A regular expression that must be found in the value of the attribute."),
        Field("exists", \.exists, "Whether the attribute must be there or must be missing."),
        Field("not", \.not, "Turns the condition around: it holds where the rest does not."),
    ]

    public func check(_ marks: FieldMarks, _ report: inout Report) {
        let hasTest = equals != nil || among != nil || matches != nil || exists != nil
        if attribute == nil, hasTest {
            report.add(at: marks.node, "the condition names no attribute", mend: "add `attribute: some.key`")
        }
        if attribute != nil, !hasTest {
            report.add(
                at: marks["attribute"],
                "the condition says nothing of its attribute",
                mend: "add one of `equals`, `in`, `matches`, `exists`"
            )
        }
        if attribute == nil, !hasTest, metric == nil {
            report.add(
                at: marks.node,
                "the condition is empty",
                mend: "add `attribute` with a test, or `metric`"
            )
        }
    }

    /// Whether it holds of a series.
    func holds(_ subject: inout Subject) -> Bool { holdsPlainly(&subject) != not }

    private func holdsPlainly(_ subject: inout Subject) -> Bool {
        if let attribute {
            let value = subject.value(of: attribute)
            if let exists, exists != (value != nil) { return false }
            if equals != nil || among != nil || matches != nil {
                guard let text = value?.text else { return false }
                if let equals, equals != text { return false }
                if let among, !among.contains(text) { return false }
                if let matches, !matches.matches(text) { return false }
            }
        }
        guard let metric else { return true }
        return metric.matches(subject.metric.name)
    }
}

/// One condition or several, all of which must hold; none holds always.
public typealias Conditions = OneOrMany<Condition>

extension OneOrMany<Condition> {
    /// Refuses a list of none, which holds for every series: who writes it means no series.
    func refuseNone(_ setting: String, at mark: Mark, mend remedy: String? = nil, _ report: inout Report) {
        guard values.isEmpty else { return }
        report.add(
            at: mark,
            "`\(setting)` without conditions holds for every series",
            mend: remedy ?? "add `attribute` with a test, or `metric`; for no series leave `\(setting)` out"
        )
    }
    /// Whether all of them hold of a series.
    func hold(_ subject: inout Subject) -> Bool {
        for condition in values where !condition.holds(&subject) { return false }
        return true
    }
}
