public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Sends what the golden case gives: a receiver for tests of graphs.
public actor Given: Source {
    public struct Config: NodeConfig {
        public init() {}
        public static let fields: [Field<Config>] = []
    }
    enum Port {
        static let output = OutputPort<MetricBatch>("out")
        static let mode = OutputPort<ModeChange>("mode")
    }
    public static let type = NodeType(.receiver, "given")
    public static let summary = "Sends the points of a golden case's given.txt."
    public static let ports: [PortSpec] = [.output(Port.output), .output(Port.mode)]

    private let context: NodeContext
    private let stage: GoldenStage
    private var next = 0

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        guard let stage = GoldenStage.current else {
            throw Unexpected(
                "`\(context.id)`: a `given` receiver runs in a golden case only: use `phoenix test`"
            )
        }
        (self.context, self.stage) = (context, stage)
    }

    public func run() async throws {
        let script = try GivenScript(stage.given, context.series)
        let (output, modes) = (context.wiring[Port.output], context.wiring[Port.mode])
        while next < script.steps.count {
            switch script.steps[next] {
            case .batch(let batch):
                let now = context.time.unixNanoseconds
                if let newest = batch.newestTime, newest > now {
                    try await context.time.sleep(for: .nanoseconds(Int64(newest - now)))
                }
                try await output.send(batch)
            case .wait(let duration): try await context.time.sleep(for: duration)
            case .mode(let change):
                // Time passes only when nobody works: what was sent before meets the old mode, what comes after the new.
                try await context.time.sleep(for: .milliseconds(1))
                try await modes.send(change)
                try await context.time.sleep(for: .milliseconds(1))
            case .scrape:
                // Until everything that was sent has arrived.
                try await context.time.sleep(for: .milliseconds(1))
                stage.scrape()
            }
            next += 1
        }
        if stage.isScraped {
            // What ends with the data is scraped before it ends.
            try await context.time.sleep(for: .milliseconds(1))
            stage.scrape()
        }
        stage.finish()
    }
    public func quiesce() {}
    public func reopen() {}
}

extension MetricBatch {
    fileprivate var newestTime: UInt64? {
        [numbers.times.max(), histograms.times.max(), exponentials.times.max(), summaries.times.max()]
            .compactMap { $0 }
            .max()
    }
}
