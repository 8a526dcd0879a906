/// A node's settings: `init()` holds the defaults, `fields` names every stored property exactly once.
public protocol NodeConfig: Sendable, Equatable {
    init()
    static var fields: [Field<Self>] { get }
    /// What only several settings together can get wrong; `marks` tells where each written field stands.
    func check(_ marks: FieldMarks, _ report: inout Report)
    /// What of the world outside the node takes for itself: addresses and files.
    var claims: [Claim] { get }
    /// Groups of fields of which only one may hold: written in an overlay, it takes the place of the others.
    static var exclusive: [[String]] { get }
}
extension NodeConfig {
    public func check(_ marks: FieldMarks, _ report: inout Report) {}
    public var claims: [Claim] { [] }
}

/// Where the written fields of a node stand: the key's mark, or the node's where the field was left out.
public struct FieldMarks: Sendable {
    public var node: Mark
    public var fields: [String: Mark]
    /// What the fields are made of that come from a variable or a file; diagnostics that speak of them are told so.
    var sources: [String: String] = [:]
    public init(node: Mark, fields: [String: Mark]) { (self.node, self.fields) = (node, fields) }
    public subscript(field: String) -> Mark { fields[field] ?? node }
}
