public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Reads what the kernel tells of a host and its processes, in `/proc` and `/sys`.
///
/// Files of the kernel answer at once, but there are many: they are read a slice at a time, between which others have
/// their turn. What is known not to answer, such as a file system behind a network, is not asked; what does not answer all
/// the same, such as one on a disk that dies, costs the node its reports until it does, and nobody else anything.
public actor HostMetrics: Source {
    public struct Config: NodeConfig {
        public var scrapers = HostScraper.allCases
        public var interval = Duration.seconds(15)
        public var rootPath = "/"
        public var perCPU = false
        public var disk = DiskSelection()
        public var filesystem = FileSystemSelection()
        public var network = HostSelection()
        public var process = ProcessSelection()
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("scrapers", \.scrapers, "What is read."),
            Field(
                "interval",
                \.interval,
                in: .milliseconds(100)...(.seconds(86_400)),
                "The time between two reports."
            ),
            Field(
                "root_path",
                \.rootPath,
                "Where the root of the host is mounted: `/hostfs`, say, in a container that sees it there."
            ),
            Field(
                "per_cpu",
                \.perCPU,
                "Whether CPU time is told of each processor, with `cpu.logical_number`, or of all together."
            ),
            Field("disk", \.disk, "Which disks are told of, by the names of their devices."),
            Field(
                "filesystem",
                \.filesystem,
                "Which file systems are told of; those behind a network and those of programs (FUSE) never are."
            ),
            Field("network", \.network, "Which interfaces are told of, by their names."),
            Field("process", \.process, "Which processes are told of, and how many."),
        ]
        public func check(_ marks: FieldMarks, _ report: inout Report) {
            if !rootPath.hasPrefix("/") {
                report.add(
                    at: marks["root_path"],
                    "`root_path` is no absolute path",
                    mend: "write it from the root on: `/\(rootPath)`"
                )
            }
            if scrapers.isEmpty {
                report.add(
                    at: marks["scrapers"],
                    "there is nothing to read",
                    mend: "name some of \(HostScraper.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
        }
        /// Whether the host is the one that this process runs on and sees.
        var isOwnHost: Bool { rootPath.allSatisfy { $0 == "/" } }
    }
    enum Port {
        static let output = OutputPort<MetricBatch>("out")
    }
    public static let type = NodeType(.receiver, "hostmetrics")
    public static let summary = "Reads the metrics of a host and its processes from the kernel's files."
    public static let ports: [PortSpec] = [.output(Port.output)]
    /// What one turn may take: so many processes, or so long.
    private static let slice = (processes: 32, time: Duration.milliseconds(2))

    private let config: Config
    private let context: NodeContext
    private let stop = StopSignal()
    private let thread: FileThread
    /// Lent to the thread while that reads.
    private let survey: Lock<HostSurvey?>
    private var epoch: UInt64 = 0
    private var pending: [MetricBatch] = []
    private let overLimit: Counter

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        self.init(settings.base, context, RootedFiles(root: settings.base.rootPath))
    }
    init(_ config: Config, _ context: NodeContext, _ files: any HostFiles) {
        (self.config, self.context) = (config, context)
        survey = Lock(HostSurvey(config, files, context.series, lane: context.id))
        thread = FileThread(context, "those of the host below \(config.rootPath)")
        overLimit = context.vitals.counter(
            "phoenix_hostmetrics_processes_over_limit_total",
            [:],
            "Processes that were not told of since there were more than `process.limit`, once for each report."
        )
    }

    public func run() async throws {
        repeat {
            try await deliver()
            try await report()
        } while try await stop.sleep(for: config.interval, context.time)
    }
    public func quiesce() { stop.raise() }
    public func reopen() { stop.lower() }

    /// What is known of the host: where series began, and which processes there are.
    public struct State: Sendable {
        var memory: HostSurvey.Memory
        var epoch: UInt64
        var pending: [MetricBatch]
    }
    public func handOver() -> State? {
        // A host that does not answer is begun anew.
        let memory = survey.withLock { $0?.memory } ?? HostSurvey.Memory()
        return State(memory: memory, epoch: epoch, pending: pending)
    }
    public func inherit(_ state: State) {
        survey.withLock { $0?.memory = state.memory }
        (epoch, pending) = (state.epoch, state.pending)
    }
    public static func inheritance(from old: Settings<Config>, to new: Settings<Config>) -> Inheritance {
        if old.base.rootPath != new.base.rootPath {
            return .nothing("`root_path` changed: another host begins anew")
        }
        return .everything
    }

    /// One report: a batch for each scraper, and one for each slice of the processes.
    private func report() async throws {
        defer { tellCounts() }
        for scraper in config.scrapers where scraper != .process {
            if stop.isRaised { return }
            let now = context.time.unixNanoseconds
            guard let parts = await atHost({ $0.report(scraper, at: now) }) else { return }
            try await send(parts)
        }
        if config.scrapers.contains(.process) { try await reportProcesses() }
    }
    private func reportProcesses() async throws {
        guard let pids = await atHost({ $0.beginProcesses() }) ?? nil else { return }
        var rest = pids[...]
        while !rest.isEmpty {
            // A round that is broken off ends no process.
            if stop.isRaised { return }
            let slice = await atHost { [rest, time = context.time] survey in
                let began = time.monotonic
                var rest = rest
                let parts = survey.reportProcesses(&rest, at: time.unixNanoseconds) { seen in
                    seen >= Self.slice.processes || (seen > 0 && time.monotonic - began >= Self.slice.time)
                }
                return (parts, rest)
            }
            guard let (parts, left) = slice else { return }
            rest = left
            try await send(parts)
        }
        let now = context.time.unixNanoseconds
        for parts in await atHost({ $0.endProcesses(at: now) }) ?? [] { try await send(parts) }
    }
    /// Reads on a thread that may wait; nil where the host does not answer.
    private func atHost<Result: Sendable>(
        _ work: @escaping @Sendable (inout HostSurvey) -> Result
    ) async -> Result? {
        let answer = await thread.run { [survey] () -> Result? in
            guard var lent = survey.withLock({ $0.take() }) else { return nil }
            let result = work(&lent)
            survey.withLock { [lent] in $0 = lent }
            return result
        }
        return answer ?? nil
    }

    private func send(_ parts: MetricBatch.Parts) async throws {
        if parts.count > 0 {
            // Seconds since 1970, as every receiver counts them; all batches of one second may share it.
            epoch = max(epoch, context.time.unixNanoseconds / 1_000_000_000)
            var batch = MetricBatch(parts, epoch: epoch)
            batch.receivedAt = context.time.monotonic.nanoseconds
            pending.append(batch)
        }
        try await deliver()
        await Task.yield()
    }
    private func deliver() async throws {
        while let batch = pending.first {
            try await context.wiring[Port.output].send(batch)
            pending.removeFirst()
        }
    }
    private func tellCounts() {
        guard let counts = survey.withLock({ $0?.takeCounts() }) else { return }
        overLimit.add(counts.overLimit)
        context.vitals.drop(counts.refused, reason: DropReason.tableFull.name)
        for (failure, count) in counts.failures {
            context.vitals.counter(
                "phoenix_hostmetrics_read_failures_total",
                ["scraper": failure.scraper.rawValue, "reason": failure.reason.rawValue],
                "Files of the host that could not be read."
            ).add(count)
        }
    }
}
