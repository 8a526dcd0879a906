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
    private let lock: StateFile.Handle
    private let journals = Lock(Journals())
    private let threads = NIOThreadPool.singleton
    /// The journals of the nodes that keep one.
    private struct Journals {
        var files: [NodeID: StateJournalFile] = [:]
        /// What was not noted in those that have ended.
        var lost = 0
        /// Whether those are gone that the process before left and no node of now has.
        var areCleared = false
    }
    /// How often is looked whether memories moved, and tried again after that stood in the way.
    private static let lookInterval = Duration.seconds(1)

    /// Throws where another process keeps its state there, or nothing can be written there.
    init(_ settings: StateSettings, _ services: EngineServices) throws {
        (self.settings, self.services) = (settings, services)
        file = StateFile(path: settings.path)
        lock = try file.lock()
        log = StateLog(services.time)
    }
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
                return await noteDown(nodes)
            }
            log.began(.absent)
            services.logger.notice("no state was kept: counters begin anew", metadata: place)
        } catch {
            let isAlien = if case StateError.alien? = error as? StateError { true } else { false }
            log.began(isAlien ? .alien : .damaged)
            services.logger.error(
                "the kept state is not read, counters begin anew; it is set aside under `\(file.path).damaged`",
                metadata: place.merging(["error": "\(error)"]) { first, _ in first }
            )
            await setAside()
        }
        // There is something to go on from before anything is shown.
        await save(nodes, isFinal: false)
    }
    private func noteDown(_ nodes: [LastingMemory]) async {
        do { for node in nodes { try await noteDown(node) } } catch { tellFailure(error) }
    }
    private var place: Logger.Metadata { ["path": "\(file.path)"] }
    private func setAside() async {
        let file = file
        do { try await onThread { try file.setAside() } } catch {
            services.logger.warning("\(error)")
        }
    }
    private func tell(_ found: StateArchive.Contents) {
        let now = services.time.unixNanoseconds
        let gap = found.isFinal ? 0 : Double(now - min(now, found.savedAt)) / 1e9
        log.began(.restored, gap: gap, forgotten: found.unread.count)
        var metadata = place
        metadata["nodes"] = "\(found.states.map(\.node.id).sorted())"
        if !found.unread.isEmpty {
            services.logger.warning(
                "some of the kept state is forgotten: no node reads it",
                metadata: place.merging(["why": "\(found.unread)"]) { first, _ in first }
            )
        }
        guard !found.isFinal else {
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
                await save(
                    now.nodes,
                    isFinal: false,
                    parked: now.parked,
                    { await supervisor.stillStand(now) }
                )
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
    /// - Returns: false where it is to be tried again soon.
    @discardableResult
    func save(
        _ nodes: [LastingMemory],
        isFinal: Bool,
        parked: Set<NodeID> = [],
        _ stillStand: () async -> Bool = { true }
    ) async -> Bool {
        let (file, began) = (file, services.time.monotonic)
        do {
            let now = services.time.unixNanoseconds
            let archive = try await onThread { try StateArchive(file, savedAt: now, isFinal: isFinal) }
            for node in nodes {
                try await noteDown(node)
                guard let picture = await node.picture() else { continue }
                try await onThread { try archive.write(node, picture) }
            }
            guard await stillStand() else {
                try await onThread { try file.discardDraft() }
                return false
            }
            let bytes = try await onThread { try archive.finish() }
            let noting = nodes.filter { $0.journal != nil }.map(\.id)
            try await letGo(but: parked.union(noting))
            log.saved(bytes: bytes, seconds: (services.time.monotonic - began).inSeconds)
        } catch {
            tellFailure(error)
            // What it has written takes up room that may be what is lacking; where that fails, it is known by now.
            try? await onThread { try file.discardDraft() }
        }
        return true
    }
    /// What was written is on disk: what was noted before is part of it, and journals of other nodes than these are of none.
    private func letGo(but staying: Set<NodeID>) async throws {
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
    }
    private func tellFailure(_ error: any Error) {
        log.failed()
        services.logger.error(
            "the state was not written; what was written before stays, and it is tried again",
            metadata: place.merging(["error": "\(error)"]) { first, _ in first }
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
