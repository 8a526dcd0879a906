public import PhoenixGraph
import PhoenixModel
public import PhoenixRuntime

/// Writes each mode change to a control file, for processes that read it; and tells when another hand has written there.
///
/// The file is replaced whole, its version grows by one with each write, also over restarts. Since this node alone knows
/// what it wrote, it is the one to see a hand edit: linked back by `edits`, a controller goes on after a restart from what
/// the file says, and takes an edit for a person's order. Without that link an edit holds until the next decision.
public actor ModeFileExporter: Node {
    public struct Config: NodeConfig {
        public var path = "optimization_mode.yaml"
        public var poll = Duration.seconds(1)
        public init() {}
        public static let fields: [Field<Config>] = [
            Field("path", \.path, required: true, "The control file; its directory must exist."),
            Field(
                "poll",
                \.poll,
                live: true,
                in: .milliseconds(10)...(.seconds(3600)),
                "How often the file is looked at for hand edits, and a write that failed is tried again."
            ),
        ]
        public var claims: [Claim] { [.writesFile(path)] }
    }
    enum Port {
        static let input = InputPort<ModeChange>("in", required: true)
        static let kpis = InputPort<Observation>("kpis")
        static let edits = OutputPort<ModeChange>("edits")
    }
    public static let type = NodeType(.exporter, "mode_file")
    public static let summary = "Writes the mode to a control file, and tells of hand edits of it."
    public static let ports: [PortSpec] = [.input(Port.input), .input(Port.kpis), .output(Port.edits)]

    private var config: Config
    private let context: NodeContext
    private let store: ControlFileStore
    private let files: FileThread
    private let desk: Lock<Desk>
    private var draft = ControlFileDraft()
    /// What is to be done with the file next, while something is done with it.
    private var errand: Errand?
    private var isAttending = false
    /// Whether the file gave no answer when it was looked at or written last.
    private var isSilent = false
    private let written: Gauge
    private let failures: Counter
    private let edited: Counter
    /// Writes that failed since the last that did not.
    private var failedInRow = 0
    /// What is known of the file, also by a write that nobody waited for.
    private struct Desk {
        var reader: ControlFileReader
        /// Written, and not yet taken note of.
        var written: ControlFile?
    }
    private struct Errand {
        var isWhole: Bool
        var writes: Bool
    }

    public init(_ settings: Settings<Config>, _ context: NodeContext) throws {
        (config, self.context) = (settings.base, context)
        store = ControlFileStore(path: config.path)
        files = FileThread(context, config.path)
        desk = Lock(Desk(reader: ControlFileReader(store)))
        try store.checkDirectory()
        written = context.vitals.gauge(
            "phoenix_control_file_version",
            [:],
            "Version of the control file that was written or seen last."
        )
        failures = context.vitals.counter(
            "phoenix_control_file_write_failures_total",
            [:],
            "Writes of the control file that failed and are tried again."
        )
        edited = context.vitals.counter(
            "phoenix_control_file_edits_total",
            [:],
            "Times that another hand wrote the control file."
        )
    }

    public func run() async throws {
        guard let input = context.wiring[Port.input] else { return }
        // Before any word of the controller: what the file says is where it goes on, and from which version.
        await attend(Errand(isWhole: true, writes: false))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [store] in
                for await _ in DirectoryWatch.events(of: store.name, in: store.directory) {
                    await self.attend(Errand(isWhole: true, writes: false))
                }
            }
            group.addTask { try await self.poll() }
            if let kpis = context.wiring[Port.kpis] {
                group.addTask { for await observation in kpis.messages { await self.note(observation) } }
            }
            for await change in input.messages { await take(change) }
            group.cancelAll()
            try await group.waitForAll()
        }
        // What another hand of this node was about to write when it was told to stop.
        if draft.isPending { await finish() }
    }
    public func reconfigure(_ settings: Settings<Config>) -> Bool {
        guard settings.base.path == config.path else { return false }
        config = settings.base
        return true
    }

    private func poll() async throws {
        do {
            while true {
                try await context.time.sleep(for: config.poll)
                await attend(Errand(isWhole: false, writes: true))
            }
        } catch is CancellationError {
            // The controller has gone: nothing is left to write.
        }
    }
    /// Writes what is left to write. A file that does not answer is asked until there is no time left to drain; a disk that
    /// refuses is not.
    private func finish() async {
        await attend(Errand(isWhole: true, writes: true))
        while draft.isPending, isSilent, !Task.isCancelled {
            do { try await context.time.sleep(for: min(config.poll, .seconds(1))) } catch { break }
            await attend(Errand(isWhole: true, writes: true))
        }
        noteWritten()
        guard let change = draft.owed else { return }
        context.logger.error(
            "control file not written, and the node ends: the last mode may be missing there",
            metadata: [
                "file": "\(config.path)", "mode": "\(change.mode)",
                "remedy":
                    "write the mode there by hand, and see to the disk or the network mount that the file is on",
            ]
        )
    }
    private func note(_ observation: Observation) { draft.note(observation) }

    private func take(_ change: ModeChange) async {
        draft.ask(change)
        if draft.isPending { await attend(Errand(isWhole: true, writes: true)) }
    }

    /// Looks at the file and writes it, one hand at a time: who comes while another waits for the disk leaves it the errand.
    private func attend(_ next: Errand) async {
        errand = Errand(
            isWhole: next.isWhole || errand?.isWhole == true,
            writes: next.writes || errand?.writes == true
        )
        guard !isAttending else { return }
        isAttending = true
        defer { isAttending = false }
        while let errand {
            self.errand = nil
            // Before a write: somebody may have just written something that the controller has yet to hear.
            guard await look(isWhole: errand.isWhole || (errand.writes && draft.isPending)) else { return }
            if errand.writes { await write() }
        }
    }
    /// False where the file does not answer: the next poll asks again.
    private func look(isWhole: Bool) async -> Bool {
        let found = await files.run { [desk] in
            var reader = desk.withLock { $0.reader }
            let news = reader.look(isWhole: isWhole)
            return (reader, news)
        }
        noteWritten()
        // What a look that nobody waited for has seen is seen again by the next.
        isSilent = found == nil
        guard let (reader, news) = found else { return false }
        desk.withLock { $0.reader = reader }
        see(news)
        return true
    }

    private func see(_ news: ControlFileReader.News) {
        switch news {
        case .none: return
        case .missing:
            let isWritten = draft.noteMissing()
            context.logger.info(
                "there is no control file: it is written \(isWritten ? "now" : "with the first decision")",
                metadata: ["file": "\(config.path)"]
            )
        case .broken(let what, let version):
            draft.noteVersion(version)
            context.logger.warning("control file refused", metadata: ["error": "\(what)"])
        case .contents(let file):
            written.set(Double(file.version))
            guard draft.see(file, isTold: context.wiring[Port.edits].isLinked) else { return }
            edited.add()
            // Nobody need listen: without the link the next decision writes over it.
            if !context.wiring[Port.edits].offer(file.change(from: config.path)) {
                context.logger.info("the control file says what no controller here decided")
            }
        }
    }

    /// Writes what is asked for, unless the controller has yet to hear of an edit.
    private func write() async {
        guard let file = draft.file(at: context.time.unixNanoseconds) else { return }
        let outcome = await files.run { [desk, store] () -> Result<Void, any Error> in
            Result {
                try store.write(file.text)
                var reader = desk.withLock { $0.reader }
                reader.noteOwnWrite()
                desk.withLock { [reader] in $0 = Desk(reader: reader, written: file) }
            }
        }
        isSilent = outcome == nil
        switch outcome {
        case .success: noteWritten()
        case .failure(let error): noteFailure("\(error)")
        case nil: if !Task.isCancelled { noteFailure("\(store.path) does not answer") }
        }
    }
    /// Takes note of what was written, also by a write that was not waited for.
    private func noteWritten() {
        guard let file = desk.withLock({ $0.written.take() }) else { return }
        draft.noteWritten(file)
        written.set(Double(file.version))
        if failedInRow > 0 {
            context.logger.notice(
                "the control file is written again",
                metadata: ["failed": "\(failedInRow)"]
            )
        }
        failedInRow = 0
    }
    private func noteFailure(_ error: String) {
        failures.add()
        failedInRow += 1
        // It is tried again at each look: the log is told at the first, the second, the fourth and so on.
        guard failedInRow.nonzeroBitCount == 1 else { return }
        context.logger.error(
            "control file not written",
            metadata: [
                "error": "\(error)", "failed": "\(failedInRow)",
                "remedy": "make its directory and let the process write there, or name another `path`",
            ]
        )
    }
}
