public import PhoenixGraph

/// The section `memory_limiter` of a graph file: when receivers are to refuse.
public struct MemoryLimiterSettings: NodeConfig {
    /// The hard limit of what is accounted; 0 sets none.
    public var limit = ByteCount(0)
    /// 0 stands for four fifths of the hard limit.
    public var softLimit = ByteCount(0)
    /// The resident size of the process above which nothing is admitted; 0 stands for a quarter more than the hard
    /// limit, since not every byte is accounted.
    public var residentLimit = ByteCount(0)
    public var checkInterval = Duration.seconds(1)
    public var retryAfter = Duration.seconds(1)
    public init() {}

    public static let fields: [Field<Self>] = [
        Field(
            "limit",
            \.limit,
            live: true,
            "Accounted memory above which only critical requests are taken in; 0 sets no limit."
        ),
        Field(
            "soft_limit",
            \.softLimit,
            live: true,
            "Accounted memory above which senders are asked to retry later; 0 is four fifths of `limit`."
        ),
        Field(
            "resident_limit",
            \.residentLimit,
            live: true,
            "Resident size of the process above which nothing is taken in; 0 is a quarter more than `limit`."
        ),
        Field("check_interval", \.checkInterval, "How often the resident size is read."),
        Field("retry_after", \.retryAfter, live: true, "When a refused sender is told to try again."),
    ]

    public func check(_ marks: FieldMarks, _ report: inout Report) {
        if limit > 0, softLimit > limit {
            report.add(
                at: marks["soft_limit"],
                "`soft_limit` (\(softLimit.text)) is above `limit` (\(limit.text))",
                mend: "lower `soft_limit` or raise `limit`"
            )
        }
        if checkInterval <= .zero {
            report.add(
                at: marks["check_interval"],
                "`check_interval` is 0",
                mend: "write a duration like `1s`"
            )
        }
    }

    /// What the gate is to hold to.
    public var limits: AdmissionGate.Limits {
        func orNone(_ bytes: Int) -> Int { bytes > 0 ? bytes : .max }
        let hard = limit.bytes
        return AdmissionGate.Limits(
            softBytes: orNone(softLimit.bytes > 0 ? softLimit.bytes : hard / 5 * 4),
            hardBytes: orNone(hard),
            residentBytes: orNone(residentLimit.bytes > 0 ? residentLimit.bytes : hard / 4 * 5),
            retryAfter: retryAfter
        )
    }
    /// The section as a graph file may name it.
    public static let spec = SettingsSpec(
        "memory_limiter",
        "When receivers refuse, so that memory never runs out.",
        config: Self.self
    )
}
