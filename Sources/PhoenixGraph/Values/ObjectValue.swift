/// A setting with named settings of its own, described by the same `Field`s as a node's.
///
/// `init()` holds the defaults. Conform a struct such as a rule, and use it in a `Field` alone, in a list or in a map.
public protocol ObjectValue: FieldValue {
    init()
    static var fields: [Field<Self>] { get }
    /// What only several of the settings together can get wrong.
    func check(_ marks: FieldMarks, _ report: inout Report)
}

extension ObjectValue {
    public static var shape: Shape { .object(fields.specs(of: Self())) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let (value, marks) = fields.decode(into: Self(), tree, at: tree.mark, besides: [], &report)
        else {
            return nil
        }
        let before = report.diagnostics.count
        value.check(marks, &report)
        report.tell(marks.sources, after: before)
        return report.diagnostics.count == before ? value : nil
    }
    public func check(_ marks: FieldMarks, _ report: inout Report) {}
    public var text: String {
        "{\(Self.fields.map { "\($0.name): \($0.text(self))" }.joined(separator: ", "))}"
    }
}
