public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Says of every resource where it runs, as far as the resource does not say so itself.
///
/// What is detected is read once, when the node is made: of the machine and process that Phoenix runs in.
public actor ResourceDetection: LastingIdentityNode {
    /// Where attributes are found.
    public enum Detector: String, ChoiceValue {
        /// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`.
        case env
        /// `host.name`, `host.id`, `host.arch`.
        case host
        /// `os.type`, `os.description`.
        case os
        /// `process.pid`, `process.executable.name`, `process.runtime.name` of Phoenix itself.
        case process

        /// What it may find; of the environment's attributes the environment decides.
        var keys: [String] {
            switch self {
            case .env: []
            case .host: ["host.name", "host.id", "host.arch"]
            case .os: ["os.type", "os.description"]
            case .process: ["process.pid", "process.executable.name", "process.runtime.name"]
            }
        }
    }
    public struct Config: NodeConfig {
        public var detectors: [Detector] = [.env, .host, .os]
        public var attributes: [String] = []
        public var override = false
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "detectors",
                \.detectors,
                "What to ask, in order; of two that know a key the first counts."
            ),
            Field(
                "attributes",
                \.attributes,
                "Which of the attributes that `host`, `os` and `process` find are told; all where none is named."
            ),
            Field("override", \.override, "Whether what is detected replaces what resources say themselves."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            let known = detectors.flatMap(\.keys)
            for name in attributes where !known.contains(name) {
                report.add(
                    at: marks["attributes"],
                    "no detector that is asked finds `\(name)`",
                    mend: known.isEmpty
                        ? "ask `host`, `os` or `process`"
                        : "they find \(known.map { "`\($0)`" }.joined(separator: ", "))"
                )
            }
        }
    }
    public static let type = NodeType(.processor, "resource_detection")
    public static let summary =
        "Adds what is known of host, system and environment to resources that lack it."
    public static let ports = RelabelingPort.all

    private let work: Relabeling<Program>
    public var identities: any IdentityWork { work }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        work = Relabeling(Self.programs(settings), context)
    }

    private static func programs(_ settings: Settings<Config>) -> Programs<Program> {
        let machine = Machine.current
        return Programs(settings) { config in
            Program(
                detected: machine.attributes(config.detectors, only: config.attributes),
                override: config.override
            )
        }
    }

    public static func read(
        from reader: inout StateReader,
        _ settings: Settings<Config>,
        _ context: NodeContext
    ) throws -> State {
        try RelabelingState.read(from: &reader, programs(settings), context)
    }
}

extension ResourceDetection {
    /// What was detected, and whether it replaces what resources say.
    struct Program: IdentityProgram, Equatable {
        var detected: [Attribute]
        var override: Bool
        var merging: Merging { .byAccident }

        func judge(_ subject: inout Subject) -> Verdict {
            for attribute in detected {
                let target = AttributeTarget(.resource, attribute.key)
                if override || subject.value(of: target) == nil { subject.set(target, to: attribute.value) }
            }
            return .pass
        }
    }
}
