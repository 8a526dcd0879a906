public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Follows a control file: the mode that it says is asked of the graph, whoever wrote it.
///
/// A file that is missing, half-written or wrong changes nothing: the last good mode stays, and what is wrong is told with
/// line and column.
public actor ModeFileReceiver: Source {
    public struct Config: NodeConfig {
        public var path = "optimization_mode.yaml"
        public var poll = Duration.seconds(1)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("path", \.path, required: true, "The control file."),
            Field(
                "poll",
                \.poll,
                live: true,
                in: .milliseconds(10)...(.seconds(3600)),
                "How often the file is looked at where the kernel does not tell of its changes."
            ),
        ]
        public var claims: [Claim] { [.readsFile(path)] }
    }
    enum Port { static let output = OutputPort<ModeChange>("out") }
    public static let type = NodeType(.receiver, "mode_file")
    public static let summary = "Asks for the mode that a control file says."
    public static let ports: [PortSpec] = [.output(Port.output)]

    private var config: Config
    private let context: NodeContext
    private let stop = StopSignal()
    private let files: FileThread
    private var reader: ControlFileReader
    /// What a look found that took longer than it was waited for.
    private let late = Lock<(ControlFileReader, ControlFileReader.News)?>(nil)
    /// The look that is due, and whether the file is known to be whole.
    private var due: Bool?
    private var isLooking = false
    private var last: ModeChange?
    private let applied: Gauge
    private let rejected: Counter

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
        reader = ControlFileReader(ControlFileStore(path: config.path))
        files = FileThread(context, config.path)
        applied = context.vitals.gauge(
            "phoenix_main_applied_control_config_version",
            [:],
            "Version of the control file that holds."
        )
        rejected = context.vitals.counter(
            "phoenix_control_file_rejected_total",
            [:],
            "States of the control file that could not be read and changed nothing."
        )
    }

    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let store = reader.store
            group.addTask {
                for await _ in DirectoryWatch.events(of: store.name, in: store.directory) {
                    await self.look(isWhole: true)
                }
            }
            repeat { await look(isWhole: false) } while try await stop.sleep(for: config.poll, context.time)
            group.cancelAll()
            try await group.waitForAll()
        }
    }
    public func quiesce() { stop.raise() }
    public func reopen() { stop.lower() }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        guard settings.base.path == config.path else { return false }
        config = settings.base
        return true
    }

    private func reject(_ what: String) {
        rejected.add()
        let kept = last.map { "\($0.mode) stays" } ?? "no mode is asked for"
        context.logger.warning("control file refused", metadata: ["error": "\(what)", "effect": "\(kept)"])
    }
    /// Looks at the file, one look at a time: who comes while another waits for the disk has it looked at once more.
    private func look(isWhole: Bool) async {
        due = isWhole || due == true
        guard !isLooking else { return }
        isLooking = true
        defer { isLooking = false }
        while let isWhole = due {
            due = nil
            let found = await files.run(keeping: late) {
                [reader] () -> (ControlFileReader, ControlFileReader.News) in
                var reader = reader
                let news = reader.look(isWhole: isWhole)
                return (reader, news)
            }
            // The next poll takes what is found later, and the one after it looks anew.
            guard let (reader, news) = found else { return }
            self.reader = reader
            follow(news)
        }
    }
    private func follow(_ news: ControlFileReader.News) {
        switch news {
        case .none: return
        case .missing: reject("\(config.path): there is no such file")
        case .broken(let what, _): reject(what)
        case .contents(let file):
            let change = file.change(from: config.path)
            applied.set(Double(file.version))
            guard change != last else { return }
            last = change
            guard context.wiring[Port.output].offer(change) else {
                context.logger.warning("the mode reached nobody: nothing follows this node")
                return
            }
            context.logger.info(
                "control file applied",
                metadata: [
                    "mode": "\(change.mode)", "version": "\(change.version)", "reason": "\(change.reason)",
                    "correlation_id": "\(change.correlationID)",
                ]
            )
        }
    }
}
