import Logging
import NIOPosix
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixWire

/// Keeps what nodes remember in a file: reads it before they run, writes it at an interval and when they have ended.
///
/// One node's picture at a time is in memory, and it is written by a thread that may wait for the disk.
final class StateKeeper: Sendable {
    private let file: StateFile
    private let settings: StateSettings
    private let services: EngineServices
    private let log: StateLog
    private let lock: StateLock
    private let journals = Lock(Journals())
    private let standing = Lock(Standing())
    private let threads = NIOThreadPool.singleton
    /// The journals of the nodes that keep one.
    private struct Journals {
        var files: [NodeID: StateJournalFile] = [:]
        /// What was not noted in those that have ended.
        var lost = 0
        /// Whether those are gone that the process before left and no node of now has.
        var areCleared = false
    }
    /// What is known of the file.
    private struct Standing {
        /// How it begins; nil where nothing is there that the next process could go on from.
        var head: StateHead?
        /// Whether all that came until this process began is in it.
        var isUpToStart = true
        /// Whether what is there cannot be read, and is to be set aside before another takes its place.
        var isInTheWay = false
    }
    /// How a writing went.
    enum Saving: Sendable {
        case written
        /// Memories went elsewhere meanwhile: nothing was put in place, and it is to be tried again soon.
        case overtaken
        /// It was logged and counted, and what was there before stays.
        case failed
    }
    /// How often is looked whether memories moved, and tried again after that stood in the way.
    private static let lookInterval = Duration.seconds(1)

    /// Throws where another process keeps its state there, or nothing can be written there.
    init(_ settings: StateSettings, _ services: EngineServices) throws {
        (self.settings, self.services) = (settings, services)
        // What lies beside the file lies beside it by whichever link it is found.
        file = StateFile(path: settings.path).target
        try file.check()
        lock = try StateLock(file)
        log = StateLog(services.time)
    }
    // A thread may hold what it worked with for longer than the work took.
    deinit { lock.letGo() }
    var families: [PlainFamily] {
        log.families + [
            PlainFamily(
                "phoenix_state_journal_lost_total",
                "What was shown or changed place and was not noted for the next process: it may fall, or be told twice.",
                .counter,
                Double(
                    journals.withLock { journals in
                        journals.files.values.reduce(journals.lost) { $0 + $1.lost }
                    }
                )
            )
        ]
    }

    // MARK: Reading

    /// Gives nodes what they remembered. Whatever is wrong with the file: then they begin anew, and the log says why.
    func restore(_ nodes: [LastingMemory]) async {
        let file = file
        do {
            let found = try await onThread {
                guard file.exists else { return StateArchive.Contents?.none }
                return try StateArchive.read(nodes, { try file.source() }) { node in
                    StateJournalFile.left(file.path, of: node.id)
                }
            }
            if let found {
                for (node, state) in found.states { await node.inherit(state) }
                tell(found)
                // From the first scrape on, not from the first writing.
                if await begin(on: found.head) { return await noteDown(nodes) }
            } else {
                log.began(.absent)
                services.logger.notice("no state was kept: counters begin anew", metadata: place)
            }
        } catch {
            let isAlien = if case StateError.alien? = error as? StateError { true } else { false }
            log.began(isAlien ? .alien : .damaged)
            await setAside(because: error)
        }
        // There is something to go on from before anything is shown.
        await save(nodes, isFinal: false)
    }
    /// Says in the file that it lacks what comes from now on: until the first writing it would look as if nothing did.
    ///
    /// False where that cannot be said without writing it anew.
    private func begin(on head: StateHead) async -> Bool {
        standing.withLock { ($0.head, $0.isUpToStart) = (head, head.isFinal) }
        guard head.isFinal else { return true }
        return await replace(head, by: StateHead(savedAt: services.time.unixNanoseconds, isFinal: false))
    }
    /// The engine did not start: nothing came since the process before ended, and the next one is not to be told otherwise.
    func neverRan() async {
        guard let head = standing.withLock({ $0.isUpToStart ? $0.head : nil }), !head.isFinal else { return }
        // Where it cannot be said, the next process tells of a loss that there was not.
        await replace(head, by: StateHead(savedAt: head.savedAt, isFinal: true))
    }
    /// A few bytes, however long the file is.
    @discardableResult
    private func replace(_ old: StateHead, by new: StateHead) async -> Bool {
        do {
            return try await onThread { [file, lock, standing] in
                try lock.hold()
                guard try file.replaceStart(old.bytes, by: new.bytes) else { return false }
                standing.withLock { $0.head = new }
                return true
            }
        } catch {
            services.logger.info(
                "the head of the state was not written",
                metadata: place.merging(["error": "\(error)"]) { first, _ in first }
            )
            return false
        }
    }
    private func noteDown(_ nodes: [LastingMemory]) async {
        do { for node in nodes { try await noteDown(node) } } catch { tellFailure(error) }
    }
    private var place: Logger.Metadata { ["path": "\(file.path)"] }
    private func setAside(because error: any Error) async {
        var metadata = place.merging(["error": "\(error)"]) { first, _ in first }
        do {
            try await onThread { [file, lock] in
                try lock.hold()
                try file.setAside()
            }
            services.logger.error(
                "the kept state is not read, counters begin anew; it was set aside under `\(file.path).damaged`",
                metadata: metadata
            )
        } catch {
            standing.withLock { $0.isInTheWay = true }
            metadata["hindrance"] = "\(error)"
            services.logger.error(
                """
                the kept state is not read, counters begin anew; it could not be set aside, and no other is written over it: \
                nothing is kept until what hinders it is mended, or the file moved away
                """,
                metadata: metadata
            )
        }
    }
    /// What could not be read is set aside before another takes its place, however late.
    private static func makeWay(
        for file: StateFile,
        _ lock: StateLock,
        _ standing: Lock<Standing>,
        _ logger: Logger
    ) throws {
        try lock.hold()
        guard standing.withLock({ $0.isInTheWay }) else { return }
        if file.exists {
            try file.setAside()
            logger.notice("what could not be read was set aside under `\(file.path).damaged`")
        }
        standing.withLock { $0.isInTheWay = false }
    }
    private func tell(_ found: StateArchive.Contents) {
        let now = services.time.unixNanoseconds
        let gap = found.head.isFinal ? 0 : Double(now - min(now, found.head.savedAt)) / 1e9
        log.began(.restored, gap: gap, forgotten: found.unread.count)
        var metadata = place
        metadata["nodes"] = "\(found.states.map(\.node.id).sorted())"
        if !found.unread.isEmpty {
            services.logger.warning(
                "some of the kept state is forgotten: no node reads it",
                metadata: place.merging(["why": "\(found.unread)"]) { first, _ in first }
            )
        }
        guard !found.head.isFinal else {
            return services.logger.info("the kept state goes on", metadata: metadata)
        }
        metadata["gap_seconds"] = "\(gap)"
        services.logger.warning(
            """
            the kept state goes on, but the process before did not end in order: what came since it was written and does \
            not tell its total again is lost
            """,
            metadata: metadata
        )
    }

    // MARK: Writing

    /// Writes at every interval until it is cancelled, and within a second of a change that moved memories: the graph file
    /// of then is not what was written.
    func run(_ supervisor: Supervisor) async {
        var (dueAt, last) = (services.time.monotonic, Memories?.none)
        while !Task.isCancelled {
            var isCurrent = false
            if let last { isCurrent = await supervisor.stillStand(last) }
            if !isCurrent || services.time.monotonic >= dueAt, let now = await supervisor.memories,
                // Those of a start that failed are none, and those of the end are written at the end.
                await supervisor.readiness.phase != .ended,
                await save(
                    now.nodes,
                    isFinal: false,
                    parked: now.parked,
                    { await supervisor.stillStand(now) }
                ) != .overtaken
            {
                (dueAt, last) = (services.time.monotonic + settings.interval, now)
            }
            // Cancelled: the engine has ended.
            let wait = min(settings.interval, Self.lookInterval)
            guard (try? await services.time.sleep(for: wait)) != nil else { return }
        }
    }
    /// Has a node that keeps a journal begin a new one, beside what is written of it now.
    private func noteDown(_ node: LastingMemory) async throws {
        guard let keeping = node.journal else { return }
        let journal = journals.withLock { [file] journals in
            if let known = journals.files[node.id] { return known }
            let journal = StateJournalFile(file.path, of: node.id)
            journals.files[node.id] = journal
            return journal
        }
        try await onThread { try journal.turn() }
        await keeping.note(journal)
    }
    /// Writes what the nodes remember now; an error is logged and counted, and what was there before stays.
    ///
    /// - Parameters:
    ///   - parked: nodes that may come back: their journals stay.
    ///   - stillStand: whether no memory went elsewhere meanwhile; else nothing is put in place.
    @discardableResult
    func save(
        _ nodes: [LastingMemory],
        isFinal: Bool,
        parked: Set<NodeID> = [],
        _ stillStand: () async -> Bool = { true }
    ) async -> Saving {
        let (file, lock, standing, logger) = (file, lock, standing, services.logger)
        let began = services.time.monotonic
        do {
            let head = StateHead(savedAt: services.time.unixNanoseconds, isFinal: isFinal)
            let archive = try await onThread {
                try Self.makeWay(for: file, lock, standing, logger)
                return try StateArchive(file, head)
            }
            for node in nodes {
                try await noteDown(node)
                guard let picture = await node.picture() else { continue }
                try await onThread { try archive.write(node, picture) }
            }
            guard await stillStand() else {
                try await discardDraft()
                return .overtaken
            }
            let bytes = try await onThread { try archive.finish { try lock.hold() } }
            standing.withLock { $0.head = head }
            let noting = nodes.filter { $0.journal != nil }.map(\.id)
            await letGo(but: parked.union(noting))
            log.saved(bytes: bytes, seconds: (services.time.monotonic - began).inSeconds)
            return .written
        } catch {
            if isFinal { tellLoss(error) } else { tellFailure(error) }
            // What it has written takes up room that may be what is lacking; where that fails, it is known by now.
            try? await discardDraft()
            return .failed
        }
    }
    /// Where another process has the place, the draft is its.
    private func discardDraft() async throws {
        try await onThread { [file, lock] in
            try lock.hold()
            try file.discardDraft()
        }
    }
    /// What was written is on disk: what was noted before is part of it, and journals of other nodes than these are of none.
    private func letGo(but staying: Set<NodeID>) async {
        do {
            try await onThread { [file, journals] in
                for (id, journal) in journals.withLock({ $0.files }) {
                    if staying.contains(id) {
                        try journal.letGo()
                        continue
                    }
                    try journal.end()
                    journals.withLock { journals in
                        journals.files[id] = nil
                        journals.lost += journal.lost
                    }
                }
                guard !journals.withLock({ $0.areCleared }) else { return }
                for (id, file) in try file.journals where !staying.contains(id) { try file.remove() }
                journals.withLock { $0.areCleared = true }
            }
        } catch {
            log.failed()
            services.logger.error(
                "the state was written, but journals of before it stay; it is tried again with the next writing",
                metadata: place.merging(["error": "\(error)"]) { first, _ in first }
            )
        }
    }
    private func tellFailure(_ error: any Error) {
        log.failed()
        services.logger.error(
            "the state was not written; what was written before stays, and it is tried again",
            metadata: place.merging(["error": "\(error)"]) { first, _ in first }
        )
    }
    /// Nothing is tried again at the end.
    private func tellLoss(_ error: any Error) {
        log.failed()
        var metadata = place.merging(["error": "\(error)"]) { first, _ in first }
        let head = standing.withLock { $0.head }
        let written = head.map { RFC3339.text(unixNano: $0.savedAt) } ?? "never"
        metadata["written"] = "\(written)"
        let loss =
            head == nil
            ? "nothing was written before: all increments are lost, and the next process begins anew"
            : "increments that came since the last writing are lost, and the next process goes on from that"
        services.logger.error(
            "the process ends, and the state was not written; \(loss). Mend what hinders it before that one starts",
            metadata: metadata
        )
    }
    /// Runs on a thread that may wait, to the end: not even the end of the engine cuts a writing short.
    private func onThread<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            threads.submit { state in
                switch state {
                case .active: continuation.resume(with: Swift.Result(catching: body))
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        }
    }
}
