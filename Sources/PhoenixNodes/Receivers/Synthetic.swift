public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Makes up the process metrics of hosts that do not exist: for demonstrations, benchmarks and tests.
///
/// The same seed gives the same points at the same times. Each host reports in a batch of its own.
public actor Synthetic: Source {
    /// How the number of processes goes up and down.
    public enum Shape: String, ChoiceValue {
        case constant
        /// From `processes_per_host` to `peak` within a `period`, and stays.
        case ramp
        /// At `peak` for the last tenth of each `period`.
        case spike
        /// Up to `peak` and down again in each `period`.
        case wave
    }
    public struct Config: NodeConfig {
        public var hosts = 3
        public var processesPerHost = 250
        public var interval = Duration.seconds(15)
        public var seed = 0
        public var profile = Shape.constant
        public var peak = 1000
        public var period = Duration.seconds(300)
        public var heavyHitters = 0.08
        public var memoryLeaks = 0.02
        public var descriptorLeaks = 0.01
        public var restarts = 0.002
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("hosts", \.hosts, in: 1...10_000, "How many hosts report."),
            Field(
                "processes_per_host",
                \.processesPerHost,
                in: 0...100_000,
                "How many processes a host has."
            ),
            Field(
                "interval",
                \.interval,
                in: .milliseconds(10)...(.seconds(86_400)),
                "The time between two reports."
            ),
            Field("seed", \.seed, "Where the random numbers begin; 0 takes the engine's seed."),
            Field("profile", \.profile, "How the number of processes changes over time."),
            Field("peak", \.peak, in: 0...100_000, "The processes of a host at the top of the profile."),
            Field(
                "period",
                \.period,
                in: .seconds(1)...(.seconds(86_400)),
                "The time that the profile takes."
            ),
            Field(
                "heavy_hitters",
                \.heavyHitters,
                in: 0...1,
                "The share of processes that use 40 times as much."
            ),
            Field(
                "memory_leaks",
                \.memoryLeaks,
                in: 0...1,
                "The share of processes whose memory only grows."
            ),
            Field(
                "fd_leaks",
                \.descriptorLeaks,
                in: 0...1,
                "The share of processes whose open files only grow."
            ),
            Field("restarts", \.restarts, in: 0...1, "The share of processes that start anew, per interval."),
        ]
    }
    enum Port {
        static let output = OutputPort<MetricBatch>("out")
    }
    public static let type = NodeType(.receiver, "synthetic")
    public static let summary = "Makes up process metrics of imaginary hosts, determined by a seed."
    public static let ports: [PortSpec] = [.output(Port.output)]

    private let config: Config
    private let context: NodeContext
    private let names: SyntheticNames
    private let stop = StopSignal()
    private var load: SyntheticLoad?
    private var epoch: UInt64 = 0
    private var pending: [MetricBatch] = []

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
        names = SyntheticNames(context.series, lane: context.id)
    }

    public func run() async throws {
        repeat {
            try await deliver()
            try await report()
        } while try await stop.sleep(for: config.interval, context.time)
    }
    public func quiesce() { stop.raise() }
    public func reopen() { stop.lower() }

    /// The processes live on under the heir.
    public struct State: Sendable {
        var load: SyntheticLoad?
        var epoch: UInt64
        var pending: [MetricBatch]
    }
    public func handOver() -> State? { State(load: load, epoch: epoch, pending: pending) }
    public func inherit(_ state: State) {
        (load, epoch, pending) = (state.load, state.epoch, state.pending)
        load?.settings = config.load
    }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        if new.base.hosts < old.base.hosts {
            return .part("the processes of \(old.base.hosts - new.base.hosts) hosts end, since `hosts` fell")
        }
        if new.base.seed != old.base.seed {
            return .part("all processes live on; `seed` counts when the graph is next started")
        }
        return .everything
    }

    /// One host after the other, between which others have their turn: a thread that makes up all of them at once is missing
    /// to everybody else, such as those whom a change of mode is to reach.
    private func report() async throws {
        let now = context.time.unixNanoseconds
        let seed = config.seed == 0 ? context.seed : UInt64(bitPattern: Int64(config.seed))
        var load = load ?? SyntheticLoad(config.load, seed: seed, at: now)
        var round = load.beginRound(at: now)
        self.load = load
        while let parts = self.load?.nextReport(of: &round, into: names) {
            guard parts.count > 0 else { continue }
            epoch = max(epoch + 1, now / 1_000_000_000)
            var batch = MetricBatch(parts, epoch: epoch)
            batch.receivedAt = context.time.monotonic.nanoseconds
            pending.append(batch)
            try await deliver()
            await Task.yield()
        }
    }
    private func deliver() async throws {
        while let batch = pending.first {
            try await context.wiring[Port.output].send(batch)
            pending.removeFirst()
        }
    }

    /// What all processes together have counted so far.
    var totals: SyntheticLoad.Totals { load?.totals ?? .init() }
}

extension Synthetic.Config {
    var load: SyntheticLoad.Settings {
        var load = SyntheticLoad.Settings()
        load.hosts = hosts
        load.profile = LoadProfile(shape: profile, base: processesPerHost, peak: peak, period: period)
        (load.heavyHitters, load.memoryLeaks) = (heavyHitters, memoryLeaks)
        (load.descriptorLeaks, load.restarts) = (descriptorLeaks, restarts)
        return load
    }
}
