import PhoenixGraph
import PhoenixModel

/// A made-up catalog: enough types to say everything that a graph file can.
enum SmallCatalog {
    static let metricsIn = PortSpec(name: "in", kind: .metrics, isInput: true, isRequired: true)
    static let metricsOut = PortSpec(name: "out", kind: .metrics, isInput: false, isRequired: false)
    static let observations = PortSpec(
        name: "observations",
        kind: .observation,
        isInput: false,
        isRequired: false
    )
    static let mode = PortSpec(name: "mode", kind: .mode, isInput: true, isRequired: false)

    static let specs = NodeSpecs(
        [
            NodeSpec(
                NodeType(.receiver, "otlp"),
                "Takes OTLP.",
                ports: [metricsOut],
                config: ListenConfig.self
            ),
            NodeSpec(
                NodeType(.receiver, "synthetic"),
                "Makes points up.",
                ports: [metricsOut],
                config: SyntheticConfig.self
            ),
            NodeSpec(
                NodeType(.processor, "aggregate"),
                "Takes attributes away and adds up what becomes one.",
                ports: [metricsIn, mode, metricsOut],
                config: AggregateConfig.self
            ),
            NodeSpec(
                NodeType(.processor, "split"),
                "Sends some points one way, the rest another.",
                ports: [
                    metricsIn, PortSpec(name: "matched", kind: .metrics, isInput: false, isRequired: false),
                    PortSpec(name: "rest", kind: .metrics, isInput: false, isRequired: false),
                ],
                config: SplitConfig.self
            ),
            NodeSpec(
                NodeType(.exporter, "prometheus"),
                "Serves Prometheus.",
                ports: [metricsIn, observations],
                config: ListenConfig.self
            ),
            NodeSpec(
                NodeType(.exporter, "mode_file"),
                "Writes the mode.",
                ports: [mode],
                config: WriterConfig.self
            ),
            NodeSpec(
                NodeType(.receiver, "mode_file"),
                "Watches the mode.",
                ports: [PortSpec(name: "mode", kind: .mode, isInput: false, isRequired: false)],
                config: ReaderConfig.self
            ),
            NodeSpec(
                NodeType(.observer, "kpis"),
                "Measures.",
                ports: [
                    PortSpec(name: "in", kind: .observation, isInput: true, isRequired: true),
                    PortSpec(name: "out", kind: .observation, isInput: false, isRequired: false),
                    PortSpec(name: "metrics", kind: .metrics, isInput: false, isRequired: false),
                ],
                config: NoConfig.self
            ),
            NodeSpec(
                NodeType(.controller, "mode"),
                "Decides.",
                ports: [
                    PortSpec(name: "in", kind: .observation, isInput: true, isRequired: true),
                    PortSpec(name: "out", kind: .mode, isInput: false, isRequired: false),
                ],
                config: ControllerConfig.self
            ),
        ],
        settings: [SettingsSpec("engine", "The engine.", config: EngineConfig.self)]
    )
}

struct NoConfig: NodeConfig {
    static let fields: [Field<Self>] = []
}

struct ListenConfig: NodeConfig {
    var listen: OneOrMany<ListenAddress> = []
    var path = "/metrics"
    var `protocol` = "http"
    var token: Secret?
    static let fields: [Field<Self>] = [
        Field("listen", \.listen, required: true, "Where it listens."),
        Field("path", \.path, "The path it serves."),
        Field("protocol", \.protocol, "What it speaks."),
        Field("token", \.token, live: true, "Asked of every client."),
    ]
    var claims: [Claim] {
        listen.values.map { .listen(address: $0.text, protocol: self.protocol, path: path) }
    }
}

struct SyntheticConfig: NodeConfig {
    var interval = Duration.seconds(15)
    var hosts = 3
    var share = 0.5
    var burst = ByteCount.kibibytes(64)
    static let fields: [Field<Self>] = [
        Field(
            "interval",
            \.interval,
            live: true,
            in: .milliseconds(10) ... .seconds(7200),
            "Time between two rounds."
        ),
        Field("hosts", \.hosts, in: 1...1_000_000, "How many hosts."),
        Field("share", \.share, in: 0...1, "How many of them are busy."),
        Field("burst", \.burst, in: 1..., "How much at once."),
    ]
}

struct AggregateConfig: NodeConfig {
    enum Merge: String, ChoiceValue { case sum, avg, last }
    var drop: [String] = []
    var keep: [String] = []
    var merge = Merge.sum
    var only: Pattern?
    var capacity = 8
    static let fields: [Field<Self>] = [
        Field("drop", \.drop, live: true, "Attributes to take away."),
        Field("keep", \.keep, live: true, "Attributes to keep, all others go."),
        Field("merge", \.merge, live: true, "How gauges become one."),
        Field("only", \.only, live: true, "Metrics by name; the others pass."),
        Field("capacity", \.capacity, in: 1...64, "Batches under way."),
    ]
    static let exclusive = [["drop", "keep"]]
    func check(_ marks: FieldMarks, _ report: inout Report) {
        if keep.contains("everything") {
            report.add(at: marks["keep"], "`keep` keeps everything", mend: "leave the node out")
        }
    }
}

struct SplitConfig: NodeConfig {
    struct Condition: ObjectValue {
        var attribute = ""
        var matches: Pattern?
        static let fields: [Field<Self>] = [
            Field("attribute", \.attribute, required: true, "The attribute to look at."),
            Field("matches", \.matches, "What its value must match."),
        ]
    }
    struct Rule: ObjectValue {
        var when = Condition()
        var set: [String: String] = [:]
        static let fields: [Field<Self>] = [
            Field("when", \.when, required: true, "The condition."),
            Field("set", \.set, "Attributes to set."),
        ]
    }
    var rules: [Rule] = []
    static let fields: [Field<Self>] = [
        Field("rules", \.rules, required: true, "The first that matches holds.")
    ]
}

struct WriterConfig: NodeConfig {
    var path = "mode.yaml"
    static let fields: [Field<Self>] = [Field("path", \.path, "The file.")]
    var claims: [Claim] { [.writesFile(path)] }
}

struct ReaderConfig: NodeConfig {
    var path = "mode.yaml"
    static let fields: [Field<Self>] = [Field("path", \.path, "The file.")]
    var claims: [Claim] { [.readsFile(path)] }
}

struct ControllerConfig: NodeConfig {
    var target = 20_000
    var start = Mode.balanced
    static let fields: [Field<Self>] = [
        Field("target", \.target, live: true, "Series to aim at."),
        Field("start", \.start, "The first mode."),
    ]
}

struct EngineConfig: NodeConfig {
    var watch = false
    static let fields: [Field<Self>] = [Field("watch", \.watch, "Whether to watch the file.")]
}

/// A graph that is right, with every construct in it.
let goodGraph = """
    graph: phoenix
    version: 1
    engine: {watch: true}
    receivers:
      otlp:
        listen: ["${env:PHOENIX_HOST:-127.0.0.1}:4317", "127.0.0.1:4318"]
      load: &load {type: synthetic, interval: 1h30m, hosts: 1_000, share: 0.25, burst: 64MiB}
      more:
        <<: *load
        hosts: 5
    processors:
      intake:            # splits
        type: split
        from: [otlp, load, more.out]
        rules:
          - when: {attribute: process.executable.name, matches: "critical|^java_app$$"}
            set: {phoenix.priority: critical}
          - when: {attribute: host.name}
      optimized:
        type: aggregate
        from: [intake.matched, intake.rest]
        mode: control
        drop: [process.pid, container.id]
        modes:
          aggressive: {keep: [host.name]}
          balanced: {merge: avg}
    exporters:
      endpoint: {type: prometheus, from: optimized, listen: "127.0.0.1:8889", token: "${env:TOKEN:-geheim}"}
      health: {type: prometheus, from: optimized, listen: "127.0.0.1:8889", path: /health}
    observers:
      kpis: {from: [endpoint.observations]}
    controllers:
      control: {type: mode, from: kpis, target: 20000}

    """
