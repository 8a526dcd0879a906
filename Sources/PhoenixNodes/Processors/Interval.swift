public import PhoenixGraph
public import PhoenixModel
public import PhoenixRuntime

/// Sends each series once in an interval, whatever came meanwhile: downsampling.
///
/// Counters and histograms add up what came, deltas become one window, gauges show the newest value. An interval ends at a
/// multiple of its length since 1970, by the clock of this machine: what was received until then is sent, and nothing that
/// is received later, so that what a counter grew by between two ends is the same before the node and behind it. Restarts of
/// senders within an interval do not show. What is held at the end is sent; an heir goes on holding it.
public actor Interval: LastingIdentityNode {
    public struct Config: NodeConfig {
        public var interval = Duration.seconds(60)
        public var staleAfter = 2.5
        public var expiry = Duration.seconds(900)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field(
                "interval",
                \.interval,
                live: true,
                in: .seconds(1)...(.seconds(3600)),
                "How long what comes is held. Ends are looked for every second."
            ),
            Field(
                "stale_after",
                \.staleAfter,
                live: true,
                in: 1...1000,
                "For how many of its own intervals a gauge counts after its last point."
            ),
            Field(
                "expiry",
                \.expiry,
                live: true,
                in: .seconds(1)...(.seconds(86_400)),
                "How long a series that is not seen is remembered, so that it counts on where it stopped."
            ),
        ]
    }
    public static let type = NodeType(.processor, "interval")
    public static let summary = "Sends each series once in an interval."
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

extension Interval.Config: IdentityProgram {
    var merging: Merging { .always }
    var holdNanoseconds: UInt64 { interval.nanoseconds }
    var options: Reaggregator.Options {
        var options = Reaggregator.Options()
        options.staleAfter = staleAfter
        options.forgetAfterSeconds = UInt32(clamping: Int(expiry.inSeconds))
        return options
    }

    func judge(_ subject: inout Subject) -> Verdict { .pass }
    func decides(as other: Self) -> Bool { true }
}
