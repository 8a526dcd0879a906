/// A text that must not show: it prints as `***` wherever it is printed, dumped or described.
public struct Secret: FieldValue, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The text itself; hand it on, never print it.
    public let value: String
    public init(_ value: String) { self.value = value }
    public static var shape: Shape { .string(format: "secret") }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard case .scalar(let text, _) = tree.value else {
            report.add(
                at: tree.mark,
                "expected a secret, found \(tree.found)",
                mend: "write `${file:/run/secrets/name}` or `${env:NAME}`"
            )
            return nil
        }
        return Self(text)
    }
    public var text: String { "***" }
    public var description: String { "***" }
    public var debugDescription: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
