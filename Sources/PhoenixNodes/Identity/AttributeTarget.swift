public import PhoenixGraph

/// Which attribute a setting means: `process.pid`, `resource:host.name` or `point:direction`.
///
/// A bare key reads the resource's attribute, then the point's; it removes both, and writes where the key already
/// stands, else to the resource.
public struct AttributeTarget: FieldValue, Hashable, Comparable, ExpressibleByStringLiteral {
    /// Where the key is looked for.
    public enum Place: Sendable, Hashable { case either, resource, point }
    public var place: Place
    public var key: String

    public init(_ place: Place, _ key: String) { (self.place, self.key) = (place, key) }
    public init(stringLiteral text: String) { self = Self(written: text) ?? Self(.either, text) }

    /// Reads a target as it is written in graph files; nil where no key is left.
    public init?(written text: String) {
        var (place, key) = (Place.either, text)
        if text.hasPrefix("resource:") { (place, key) = (.resource, String(text.dropFirst(9))) }
        if text.hasPrefix("point:") { (place, key) = (.point, String(text.dropFirst(6))) }
        guard !key.isEmpty else { return nil }
        (self.place, self.key) = (place, key)
    }

    /// Whether a key begins with a place: where keys have none, the place would be a part of the key.
    static func namesPlace(_ key: String) -> Bool { key.hasPrefix("resource:") || key.hasPrefix("point:") }

    public static var shape: Shape { .string(format: nil) }
    public static func decode(_ tree: ConfigTree, _ report: inout Report) -> Self? {
        guard let text = tree.scalar(expected: "the key of an attribute", example: "host.name", &report)
        else {
            return nil
        }
        if let target = Self(written: text) { return target }
        report.add(
            at: tree.mark,
            "expected the key of an attribute, found `\(text)`",
            mend:
                "write a key such as `host.name`; `resource:` or `point:` before it narrows where it is looked for"
        )
        return nil
    }
    public var text: String {
        switch place {
        case .either: key
        case .resource: "resource:\(key)"
        case .point: "point:\(key)"
        }
    }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
