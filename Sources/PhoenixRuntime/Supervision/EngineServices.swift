public import Logging
import PhoenixGraph
public import PhoenixModel

/// What all nodes of an engine share.
public struct EngineServices: Sendable {
    public var series: SeriesTable
    public var time: any TimeSource
    /// Where all random numbers of the engine begin.
    public var seed: UInt64
    public var listeners: Listeners
    public var gate: AdmissionGate
    public var vitals: Vitals
    public var logger: Logger
    public var engine: EngineInfo
    /// The limits of every queue.
    public var limits: QueueLimits
    /// Where the supervisor decides, and where nodes do what it tells them; nil for where nodes run.
    public var commands: (any TaskExecutor)?
    /// How often the resident size is read, where the gate has a limit for it.
    public var residentCheckInterval: Duration

    public init(
        series: SeriesTable = SeriesTable(),
        time: any TimeSource = SystemTime(),
        seed: UInt64 = .random(in: .min ... .max),
        listeners: Listeners = Listeners(),
        gate: AdmissionGate = AdmissionGate(),
        vitals: Vitals? = nil,
        logger: Logger = Logger(label: "phoenix"),
        engine: EngineInfo = EngineInfo(),
        limits: QueueLimits = QueueLimits(),
        commands: (any TaskExecutor)? = nil,
        residentCheckInterval: Duration = .seconds(1)
    ) {
        (self.series, self.time, self.seed, self.listeners) = (series, time, seed, listeners)
        (self.gate, self.vitals, self.logger) = (gate, vitals ?? Vitals(gate: gate), logger)
        (self.engine, self.limits, self.commands) = (engine, limits, commands)
        self.residentCheckInterval = residentCheckInterval
    }

    func context(for id: NodeID, _ wiring: Wiring) -> NodeContext {
        var logger = logger
        logger[metadataKey: "node"] = "\(id)"
        // The same node has the same numbers again for one seed, whatever other nodes there are.
        let seed = id.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return NodeContext(
            id: id,
            wiring: wiring,
            series: series,
            time: time,
            seed: seed,
            listeners: listeners,
            vitals: vitals.node(id),
            logger: logger,
            gate: gate,
            engine: engine
        )
    }
}
