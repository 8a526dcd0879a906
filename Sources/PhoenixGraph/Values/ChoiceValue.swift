public import PhoenixModel

/// A setting with a closed set of words: an enum of strings.
public protocol ChoiceValue: FieldValue, RawRepresentable, CaseIterable where RawValue == String {}

extension ChoiceValue {
    public static var shape: Shape { .choice(allCases.map(\.rawValue)) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        let words = allCases.map(\.rawValue)
        let choices = "one of \(words.joined(separator: ", "))"
        guard let text = tree.scalar(expected: choices, example: words.first ?? "", &report) else {
            return nil
        }
        if let choice = Self(rawValue: text) { return choice }
        report.add(
            at: tree.mark,
            "expected \(choices), found \(tree.found)",
            mend: Suggestion.remedy(for: text, among: words)
        )
        return nil
    }
    public var text: String { rawValue }
}

extension Mode: ChoiceValue {}
