public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Changes attributes by a list of actions, in order.
///
/// Actions that can bring series together (all but `insert` and `hash`) make every output a sum of the node's own, so
/// that totals stay right; where the others do so by accident, those series are added up from then on.
public actor Attributes: LastingIdentityNode {
    /// What an action does.
    public enum Kind: String, ChoiceValue {
        /// Sets the attribute where it is missing.
        case insert
        /// Sets the attribute where it is present.
        case update
        /// Sets the attribute.
        case upsert
        /// Removes the attribute.
        case delete
        /// Gives the attribute another key.
        case rename
        /// Replaces the value by its SHA-256 in hexadecimal digits.
        case hash
    }
    public struct Action: ObjectValue, Hashable {
        public var action = Kind.upsert
        public var key: AttributeTarget = "key"
        public var value: String?
        public var from: AttributeTarget?
        public var to: String?
        public var when: Conditions = []
        public init() {}
        public static let fields: [Field<Self>] = [
            Field("action", \.action, required: true, "What to do."),
            Field("key", \.key, required: true, "The attribute: `key`, `resource:key` or `point:key`."),
            Field("value", \.value, "The value that `insert`, `update` and `upsert` set."),
            Field(
                "from",
                \.from,
                "The attribute whose value they set instead; where it is missing, nothing is done."
            ),
            Field("to", \.to, "The new key that `rename` gives."),
            Field("when", \.when, "One condition or several that must all hold, as the attributes then are."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            switch action {
            case .insert, .update, .upsert:
                guard (value == nil) == (from == nil) else { return }
                report.add(
                    at: marks["action"],
                    "`\(action.rawValue)` needs one of `value` and `from`",
                    mend: value == nil ? "add `value: …` or `from: other.key`" : "leave one of them out"
                )
            case .rename where to == nil || to == "":
                report.add(
                    at: marks["action"],
                    "`rename` does not say the new key",
                    mend: "add `to: new.key`"
                )
            case .rename:
                guard let to, AttributeTarget.namesPlace(to) else { return }
                report.add(
                    at: marks["to"],
                    "`\(to)` names a place, and a renamed attribute stays where it is",
                    mend: "write the new key alone; `key` says where the attribute is looked for"
                )
            case .delete, .hash: break
            }
        }
    }
    public struct Config: NodeConfig {
        public var actions: [Action] = []
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("actions", \.actions, required: true, live: true, "What is done to each series, in order.")
        ]
    }
    public static let type = NodeType(.processor, "attributes")
    public static let summary =
        "Inserts, updates, deletes, renames and hashes attributes; series that meet are added up."
    public static let ports = RelabelingPort.all

    private let work: Relabeling<Config>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context)
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

extension Attributes.Config: IdentityProgram {
    var merging: Merging {
        actions.contains { $0.action != .insert && $0.action != .hash } ? .always : .byAccident
    }

    func judge(_ subject: inout Subject) -> Verdict {
        for action in actions where action.when.hold(&subject) { action.apply(to: &subject) }
        return .pass
    }
}

extension Attributes.Action {
    fileprivate func apply(to subject: inout Subject) {
        switch action {
        case .insert: if subject.value(of: key) == nil { set(&subject) }
        case .update: if subject.value(of: key) != nil { set(&subject) }
        case .upsert: set(&subject)
        case .delete: subject.remove(key)
        case .rename: if let to { subject.rename(key, to: to) }
        case .hash:
            guard let value = subject.value(of: key) else { return }
            subject.set(key, to: .string(SHA256.hexadecimal(value.text.utf8)))
        }
    }
    private func set(_ subject: inout Subject) {
        if let value { return subject.set(key, to: .string(value)) }
        guard let from, let value = subject.value(of: from) else { return }
        subject.set(key, to: value)
    }
}
