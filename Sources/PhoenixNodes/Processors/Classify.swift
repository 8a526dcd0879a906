public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Says what a series belongs to: the first rule that holds sets attributes; constants are added and others dropped.
///
/// All of an intake in one node, since each node that renames series costs the engine one more identity for each. What
/// is dropped ought to depend on what stays (`process.parent_pid` on `process.pid`); should two living series get one
/// identity all the same, they are added up from then on.
public actor Classify: LastingIdentityNode {
    /// What is set where the conditions hold.
    public struct Rule: ObjectValue, Hashable {
        public var when: Conditions = []
        public var set: [String: String] = [:]
        public init() {}
        public static let fields: [Field<Self>] = [
            Field(
                "when",
                \.when,
                "One condition or several that must all hold; without any, the rule always applies."
            ),
            Field("set", \.set, required: true, "The attributes that a series gets."),
        ]
    }
    public struct Config: NodeConfig {
        public var rules: [Rule] = []
        public var set: [String: String] = [:]
        public var drop: [AttributeTarget] = []
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "rules",
                \.rules,
                live: true,
                "In order; the first whose conditions hold sets its attributes."
            ),
            Field(
                "set",
                \.set,
                live: true,
                "Attributes that every series gets; one with an empty value is left out."
            ),
            Field(
                "drop",
                \.drop,
                live: true,
                "Attributes to remove, after the rules have looked: what tells series apart is for `aggregate`."
            ),
        ]
    }
    public static let type = NodeType(.processor, "classify")
    public static let summary =
        "Sets attributes by ordered rules, adds constants and drops what is not wanted."
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

extension Classify.Config: IdentityProgram {
    var merging: Merging { .byAccident }

    func judge(_ subject: inout Subject) -> Verdict {
        let rule = rules.first { $0.when.hold(&subject) }
        for (key, value) in set.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
            subject.set(AttributeTarget(stringLiteral: key), to: .string(value))
        }
        for (key, value) in (rule?.set ?? [:]).sorted(by: { $0.key < $1.key }) {
            subject.set(AttributeTarget(stringLiteral: key), to: .string(value))
        }
        for target in drop { subject.remove(target) }
        return .pass
    }
}
