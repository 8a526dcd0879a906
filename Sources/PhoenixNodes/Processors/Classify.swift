public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Says what a series belongs to: the first rule that holds sets attributes; constants are added and others dropped.
///
/// All of an intake in one node, since each node that renames series costs the engine one more identity for each. What
/// is dropped ought to depend on what stays (`process.parent_pid` on `process.pid`); should two living series get one
/// identity all the same, they are added up from then on.
public actor Classify: JournalingNode {
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
            Field("drop", \.drop, live: true, "Attributes to remove, after the rules have looked at them."),
        ]
    }
    public static let type = NodeType(.processor, "classify")
    public static let summary =
        "Sets attributes by ordered rules, adds constants and drops what is not wanted."
    public static let ports = RelabelingPort.all

    /// What an heir goes on with, whatever its settings: the memory itself.
    public struct State: Weighed {
        let content: RelabelingState<Config>
        public var byteCount: Int { content.byteCount }
    }

    private let work: Relabeling<Config>

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Programs(settings) { $0 }, context)
    }

    public func run() async throws { try await work.run { try await self.handle($0) } }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        work.replace(with: Programs(settings) { $0 })
        return true
    }
    public func flush() async throws { try await work.flush() }
    public func handOver() -> State? { State(content: work.state) }
    public func inherit(_ state: State) { work.inherit(state.content) }
    public static let stateVersion: UInt32 = 1
    public func picture() -> (any StatePicture)? { work.state.picture }
    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        State(content: try .read(from: &reader, Programs(settings) { $0 }, context))
    }
    public func note(in journal: any StateJournal) { work.state.note(in: journal) }
    public static func read(
        journal reader: inout StateReader,
        into state: State,
        _ context: NodeContext
    ) throws {
        try state.content.read(journal: &reader)
    }

    private func handle(_ event: RelabelingEvent) async throws { try await work.handle(event) }
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
