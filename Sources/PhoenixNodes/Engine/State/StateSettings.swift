public import PhoenixGraph
import PhoenixRuntime

/// The section `state` of a graph file: where what nodes remember is kept for the next process.
public struct StateSettings: NodeConfig {
    public var path = ""
    public var interval = Duration.seconds(10)
    public init() {}
    public static let fields: [Field<Self>] = [
        Field(
            "path",
            \.path,
            required: true,
            "The file; its directory must be there. Files beside it with longer names belong to it."
        ),
        Field(
            "interval",
            \.interval,
            in: .milliseconds(100)...(.seconds(3600)),
            "How often it is written; what came since is the most that a crash can lose."
        ),
    ]
    public func check(_ marks: FieldMarks, _ report: inout Report) {
        guard path.isEmpty || path.hasSuffix("/") else { return }
        report.add(
            at: marks["path"],
            "`path` names no file",
            mend: "write a path like `/var/lib/phoenix/state`"
        )
    }
    /// The section as a graph file may name it.
    public static let spec = SettingsSpec(
        "state",
        "Where what nodes remember is kept over a restart of the process; without it, counters begin anew.",
        config: Self.self
    )
}
