/// A setting that may be left out or written as nothing (`null`).
extension Optional: FieldValue where Wrapped: FieldValue {
    public static var shape: Shape { Wrapped.shape }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        if case .null = tree.value { return .some(.none) }
        guard let value = Wrapped.decode(tree, &report) else { return nil }
        return .some(.some(value))
    }
    public var text: String { self?.text ?? "null" }
}

extension Array: FieldValue where Element: FieldValue {
    public static var shape: Shape { .list(Element.shape) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> [Element]? {
        guard case .list(let items) = tree.value else {
            let remedy =
                switch (Element.shape, tree.value) {
                case (.object(let settings), _):
                    "write the settings of each behind `-`, or between brackets: `[{\(settings.first?.name ?? ""): …}]`"
                case (_, .scalar(let text, _)): "write `[\(tree.written ?? text)]`"
                default: "write the values between brackets, or one on each line behind `-`"
                }
            report.add(at: tree.mark, "expected a list, found \(tree.found)", mend: remedy)
            return nil
        }
        // Every item is read, so that every wrong one is reported.
        let values = items.map { Element.decode($0, &report) }
        let good = values.compactMap { $0 }
        return good.count == values.count ? good : nil
    }
    public var text: String { "[\(map(\.text).joined(separator: ", "))]" }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
    public static var shape: Shape { .map(Value.shape) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> [String: Value]? {
        guard case .map(let entries) = tree.value else {
            report.add(
                at: tree.mark,
                "expected a map, found \(tree.found)",
                mend: "write `name: value` pairs, one on each line or between braces"
            )
            return nil
        }
        let pairs = entries.map { ($0.key, Value.decode($0.value, &report)) }
        let good = pairs.compactMap { key, value in value.map { (key, $0) } }
        return good.count == pairs.count ? Dictionary(good) { _, last in last } : nil
    }
    public var text: String {
        "{\(sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" }.joined(separator: ", "))}"
    }
}

/// One value or a list of them: `listen: 0.0.0.0:1` says the same as `listen: ["0.0.0.0:1"]`.
public struct OneOrMany<Element: FieldValue>: FieldValue, ExpressibleByArrayLiteral {
    public var values: [Element]
    public init(_ values: [Element]) { self.values = values }
    public init(arrayLiteral values: Element...) { self.values = values }
    public static var shape: Shape { .either([Element.shape, .list(Element.shape)]) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        if case .list = tree.value { return [Element].decode(tree, &report).map(Self.init) }
        return Element.decode(tree, &report).map { Self([$0]) }
    }
    public var text: String { values.count == 1 ? values[0].text : values.text }
}
extension OneOrMany: Hashable where Element: Hashable {}
