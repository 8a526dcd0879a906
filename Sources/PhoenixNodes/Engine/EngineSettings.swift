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
    ]
    /// The section as a graph file may name it.
    public static let spec = SettingsSpec("engine", "What all nodes of the engine share.", config: Self.self)

    public var claims: [Claim] {
        listen.flatMap { address in
            EngineEndpoints.paths.map { .listen(address: address.text, protocol: "http", path: $0) }
        }
    }

    var queueLimits: QueueLimits { QueueLimits(batches: queueBatches, bytes: queueBytes.bytes) }
    var seriesIdleSeconds: UInt32 { UInt32(clamping: seriesIdle.components.seconds) }
}

extension NodeSpecs {
    /// All that a graph file may name in an engine with these node types.
    public init(_ catalog: NodeCatalog) {
        self.init(catalog.specs, settings: [EngineSettings.spec, MemoryLimiterSettings.spec])
    }
}
