public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Writes down what comes, for comparison with the golden case's expect.txt.
public actor Expect: Node {
    public struct Config: NodeConfig {
        public init() {}
        public static let fields: [Field<Config>] = []
    }
    enum Port { static let input = InputPort<MetricBatch>("in", required: true) }
    public static let type = NodeType(.exporter, "expect")
    public static let summary = "Compares the points that come with a golden case's expect.txt."
    public static let ports: [PortSpec] = [.input(Port.input)]

    private let context: NodeContext
    private let stage: GoldenStage

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        guard let stage = GoldenStage.current else {
            throw Unexpected(
                "`\(context.id)`: an `expect` exporter runs in a golden case only: use `phoenix test`"
            )
        }
        (self.context, self.stage) = (context, stage)
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        for await batch in input.messages {
            stage.write(PointText.lines(batch, context.series), by: context.id)
        }
    }
}
