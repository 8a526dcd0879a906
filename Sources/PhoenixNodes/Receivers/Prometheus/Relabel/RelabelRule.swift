public import PhoenixGraph
import PhoenixWire

/// What a relabelling rule does.
public enum RelabelAction: String, ChoiceValue {
    case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase,
        uppercase

    /// Read in any case, as in Prometheus.
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        let words = allCases.map(\.rawValue).joined(separator: ", ")
        guard let text = tree.scalar(expected: "one of \(words)", example: "keep", &report) else {
            return nil
        }
        if let action = Self(rawValue: text.lowercased()) { return action }
        report.add(at: tree.mark, "`\(text)` is no action", mend: "use one of \(words)")
        return nil
    }
    /// Whether the rule writes, or compares with, `target_label`.
    var needsTarget: Bool {
        switch self {
        case .replace, .keepequal, .dropequal, .hashmod, .lowercase, .uppercase: true
        case .keep, .drop, .labelmap, .labeldrop, .labelkeep: false
        }
    }
}

/// One rule of `relabel_configs` or `metric_relabel_configs`.
///
/// Source: Prometheus model/relabel/relabel.go.
public struct RelabelRule: ObjectValue {
    public var sourceLabels: [String] = []
    public var separator = ";"
    public var targetLabel = ""
    /// Nil is `(.*)`.
    public var regex: RelabelPattern?
    public var modulus = 0
    public var replacement = "$1"
    public var action = RelabelAction.replace
    public init() {}
    public static let fields: [Field<RelabelRule>] = [
        Field("source_labels", \.sourceLabels, "The labels whose values, joined, are looked at."),
        Field("separator", \.separator, "What joins them."),
        Field("target_label", \.targetLabel, "The label that is written, or compared with."),
        Field(
            "regex",
            \.regex,
            "What must match the whole joined value, or a label's name; `(.*)` where left out."
        ),
        Field("modulus", \.modulus, in: 0..., "What `hashmod` divides by."),
        Field("replacement", \.replacement, "The new value, with `$1` for the first group."),
        Field("action", \.action, "What is done."),
    ]

    public func check(_ marks: FieldMarks, _ report: inout Report) {
        if action.needsTarget, targetLabel.isEmpty {
            report.add(
                at: marks["action"],
                "`\(action.rawValue)` needs a `target_label`",
                mend: "add `target_label: name`"
            )
        }
        if action == .hashmod, modulus == 0 {
            report.add(at: marks["action"], "`hashmod` needs a `modulus`", mend: "add `modulus: 2`, or more")
        }
        let isPlain = !targetLabel.contains("$")
        if action.needsTarget, isPlain, !targetLabel.isEmpty, !ScrapeLabel.isName(targetLabel) {
            report.add(
                at: marks["target_label"],
                "`\(targetLabel)` is no label name",
                mend: "use letters, digits and `_`, no digit first"
            )
        }
        for name in useless where marks.fields[name] != nil {
            report.add(
                at: marks[name],
                "`\(name)` means nothing to `\(action.rawValue)`",
                mend: "take it away, or choose another action"
            )
        }
    }
    /// Settings that the action would not look at.
    private var useless: [String] {
        switch action {
        case .keepequal, .dropequal: ["regex", "modulus", "replacement", "separator"]
        case .labeldrop, .labelkeep: ["source_labels", "target_label", "modulus", "replacement", "separator"]
        case .hashmod: []
        default: ["modulus"]
        }
    }

    /// Changes the labels; false when what bears them is dropped.
    func apply(to labels: inout LabelSet) -> Bool {
        let value = sourceLabels.map { labels[$0] }.joined(separator: separator)
        switch action {
        case .keep: return regex?.matches(value) ?? true
        case .drop: return !(regex?.matches(value) ?? true)
        case .keepequal: return labels[targetLabel] == value
        case .dropequal: return labels[targetLabel] != value
        case .replace: replace(value, &labels)
        case .lowercase: labels[targetLabel] = value.lowercased()
        case .uppercase: labels[targetLabel] = value.uppercased()
        case .hashmod:
            let tail = MD5.digest(value.utf8).suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            labels[targetLabel] = String(tail % UInt64(max(1, modulus)))
        case .labelmap:
            for label in labels.labels {
                guard let groups = groups(label.name) else { continue }
                let name = RelabelPattern.expand(replacement, groups)
                if !name.isEmpty { labels[name] = label.value }
            }
        case .labeldrop: labels.keep { !(regex?.matches($0.name) ?? true) }
        case .labelkeep: labels.keep { regex?.matches($0.name) ?? true }
        }
        return true
    }
    private func groups(_ text: String) -> [String]? { regex.map { $0.groups(in: text) } ?? [text, text] }
    private func replace(_ value: String, _ labels: inout LabelSet) {
        guard let groups = groups(value) else { return }
        let target = RelabelPattern.expand(targetLabel, groups)
        // A name that is none changes nothing.
        guard ScrapeLabel.isName(target) else { return }
        labels[target] = RelabelPattern.expand(replacement, groups)
    }
}

extension [RelabelRule] {
    /// The labels after all rules; nil when one of them dropped them.
    func apply(to labels: LabelSet) -> LabelSet? {
        var labels = labels
        for rule in self {
            guard rule.apply(to: &labels) else { return nil }
        }
        return labels
    }
}
