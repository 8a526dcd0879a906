public import Logging
public import PhoenixGraph
public import PhoenixModel

/// What the engine gives a node besides its settings: all of the world that it may touch.
public struct NodeContext: Sendable {
    public var id: NodeID
    public var wiring: Wiring
    /// The one table of the engine, shared by all receivers.
    public var series: SeriesTable
    public var time: any TimeSource
    /// Where the node's random numbers begin; differs by node, and is the same again in a test.
    public var seed: UInt64
    public var listeners: Listeners
    public var vitals: NodeVitals
    public var logger: Logger
    public var gate: AdmissionGate
    public var engine: EngineInfo

    public init(
        id: NodeID,
        wiring: Wiring = Wiring(),
        series: SeriesTable = SeriesTable(),
        time: any TimeSource = SystemTime(),
        seed: UInt64 = 1,
        listeners: Listeners = Listeners(),
        vitals: NodeVitals? = nil,
        logger: Logger = Logger(label: "phoenix"),
        gate: AdmissionGate = AdmissionGate(),
        engine: EngineInfo = EngineInfo()
    ) {
        (self.id, self.wiring, self.series, self.time, self.seed) = (id, wiring, series, time, seed)
        (self.listeners, self.vitals) = (listeners, vitals ?? NodeVitals(id))
        (self.logger, self.gate, self.engine) = (logger, gate, engine)
    }
    /// A generator of the node's own.
    public var random: SeededGenerator { SeededGenerator(seed: seed) }
    /// A node's context: the claim of a path on an address, opened once every node is made.
    public func listen(
        _ address: String,
        protocol protocolName: String = "http",
        paths: [String] = ["/"],
        _ endpoint: any Endpoint
    ) {
        listeners.attach(address, protocol: protocolName, paths: paths, endpoint, owner: id)
    }
}

/// What a node may say of the engine it runs in.
public struct EngineInfo: Sendable, Hashable {
    /// The graph's name.
    public var graph: String
    public var version: String
    /// Names this process among others of the same graph.
    public var instance: String
    public var startUnixNano: UInt64
    public init(
        graph: String = "",
        version: String = "0.0.0",
        instance: String = "",
        startUnixNano: UInt64 = 0
    ) {
        (self.graph, self.version, self.instance) = (graph, version, instance)
        self.startUnixNano = startUnixNano
    }
}
