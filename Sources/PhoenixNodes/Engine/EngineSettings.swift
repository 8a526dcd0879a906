public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// The section `engine` of a graph file: what all nodes share, and where the engine itself answers.
public struct EngineSettings: NodeConfig {
    public var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 13133)]
    public var maxSeries = 1 << 24
    public var seriesIdle = Duration.seconds(900)
    public var queueBatches = 64
    public var queueBytes = ByteCount.mebibytes(64)
    public var drainTimeout = Duration.seconds(30)
    /// 0 stands for one for each core.
    public var eventLoops = 0
    /// Empty stands for the host's name.
    public var instance = ""
    public var handOverTimeout = Duration.seconds(30)
    public var probation = Duration.seconds(2)
    public var admin = AdminSettings()
    public init() {}

    public static let fields: [Field<Self>] = [
        Field(
            "listen",
            \.listen,
            "Where the engine answers `/health`, `/ready` and `/metrics`; none with `[]`."
        ),
        Field(
            "max_series",
            \.maxSeries,
            in: 1024...(1 << 30),
            "How many series may live at once; points of further ones are refused and counted."
        ),
        Field(
            "series_idle",
            \.seriesIdle,
            in: .seconds(10)...(.seconds(7 * 86_400)),
            "How long a series may be silent before it is forgotten."
        ),
        Field(
            "queue_batches",
            \.queueBatches,
            in: 1...1_000_000,
            "How many batches wait at an input before senders do."
        ),
        Field("queue_bytes", \.queueBytes, in: 1..., "How many bytes wait at an input before senders do."),
        Field(
            "drain_timeout",
            \.drainTimeout,
            live: true,
            in: .zero ... .seconds(3600),
            "How long a stop waits for what is under way; what is left then is cut off."
        ),
        Field(
            "event_loops",
            \.eventLoops,
            in: 0...1024,
            "Threads that serve connections; 0 takes one for each core."
        ),
        Field(
            "instance",
            \.instance,
            "Names this process among others of the same graph; the host's name if empty."
        ),
        Field(
            "hand_over_timeout",
            \.handOverTimeout,
            live: true,
            in: .zero ... .seconds(3600),
            "How long nodes that a change replaces or removes may take to drain and hand over; then it is undone."
        ),
        Field(
            "probation",
            \.probation,
            live: true,
            in: .zero ... .seconds(600),
            "How long a change of the graph can still be undone because a new node fails."
        ),
        Field("admin", \.admin, "Where the engine can be told to change its graph."),
    ]
    /// The section as a graph file may name it.
    public static let spec = SettingsSpec("engine", "What all nodes of the engine share.", config: Self.self)

    public var claims: [Claim] {
        listen.flatMap { address in
            EngineEndpoints.paths.map { .listen(address: address.text, protocol: "http", path: $0) }
        } + adminAddresses.map { .listen(address: $0.text, protocol: "http", path: AdminAPI.path) }
    }
    /// Where the admin API answers: an engine that was moved from its own port says so itself.
    var adminAddresses: [ListenAddress] {
        admin.listen ?? (listen == Self().listen ? [.tcp(host: "127.0.0.1", port: 13134)] : [])
    }

    var queueLimits: QueueLimits { QueueLimits(batches: queueBatches, bytes: queueBytes.bytes) }
    var seriesIdleSeconds: UInt32 { UInt32(clamping: seriesIdle.components.seconds) }
}

extension NodeSpecs {
    /// All that a graph file may name in an engine with these node types.
    public init(_ catalog: NodeCatalog) {
        self.init(
            catalog.specs,
            settings: [EngineSettings.spec, MemoryLimiterSettings.spec, StateSettings.spec]
        )
    }
}
