public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Writes to the log what comes: for a look at a graph, not for a load.
public actor Debug: Node {
    /// How much is written of a batch.
    public enum Verbosity: String, ChoiceValue {
        /// How many points of each kind there are.
        case basic
        /// A line for each metric.
        case normal
        /// A line for each point.
        case detailed
    }
    public struct Config: NodeConfig {
        public var verbosity = Verbosity.basic
        public var samplingInitial = 2
        public var samplingThereafter = 500
        public var maxLines = 100
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("verbosity", \.verbosity, live: true, "How much is written of a batch."),
            Field(
                "sampling_initial",
                \.samplingInitial,
                live: true,
                in: 0...1_000_000,
                "How many batches are written in a second before the others are thinned out."
            ),
            Field(
                "sampling_thereafter",
                \.samplingThereafter,
                live: true,
                in: 0...1_000_000,
                "Of the others, one in so many is written; 0 writes none."
            ),
            Field(
                "max_lines",
                \.maxLines,
                live: true,
                in: 1...10_000,
                "The most lines that are written of a batch."
            ),
        ]
    }
    enum Port { static let input = InputPort<MetricBatch>("in", required: true) }
    public static let type = NodeType(.exporter, "debug")
    public static let summary = "Writes what comes to the log, thinned out."
    public static let ports: [PortSpec] = [.input(Port.input)]

    private var config: Config
    private var sampling = LogSampling()
    private let context: NodeContext

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        for await batch in input.messages {
            let second = Int(context.time.monotonic.components.seconds)
            guard
                sampling.isChosen(at: second, first: config.samplingInitial, then: config.samplingThereafter)
            else {
                continue
            }
            for line in BatchLog(batch, context.series).lines(config.verbosity, most: config.maxLines) {
                context.logger.info("\(line)")
            }
        }
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        config = settings.base
        return true
    }
    /// How many batches of this second were written or thinned out.
    public struct State: Sendable { var sampling: LogSampling }
    public func handOver() -> State? { State(sampling: sampling) }
    public func inherit(_ state: State) { sampling = state.sampling }
}

/// Which batches are written: the first of each second, and few of the others.
struct LogSampling: Sendable {
    private var second = Int.min
    private var seen = 0

    /// Whether the next batch, in that second, is written.
    mutating func isChosen(at second: Int, first: Int, then thereafter: Int) -> Bool {
        if second != self.second { (self.second, seen) = (second, 0) }
        seen += 1
        if seen <= first { return true }
        return thereafter > 0 && (seen - first) % thereafter == 0
    }
}
