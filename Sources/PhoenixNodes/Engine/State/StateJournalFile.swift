import PhoenixModel

/// A node's journal: a file for the time between two writings of the whole, let go once the one that takes its place is on
/// disk. Those that the process before left are kept until then, too.
///
/// Not brought to disk: it outlives the process, not the machine.
final class StateJournalFile: StateJournal {
    private struct State {
        var writer: StateWriter?
        /// The number of the file that is written, and those of files that are still needed.
        var current: Int?
        var kept: [Int]
        var lost = 0
    }
    /// More than this is not written between two writings of the whole.
    private let maximumBytes: Int
    /// So many files at most: while the whole cannot be written, the last one grows on.
    private static let numbers = 0..<8
    private let files: [StateFile]
    private let state: Lock<State>

    init(_ path: String, of node: String, maximumBytes: Int = 1 << 28) {
        (files, self.maximumBytes) = (Self.files(path, of: node), maximumBytes)
        state = Lock(State(kept: Self.numbers.filter { [files] in files[$0].exists }))
    }
    /// Whether a file beside the state with this at its end may be a journal.
    static func isNumber(_ text: some StringProtocol) -> Bool { numbers.contains { "\($0)" == text } }
    private static func files(_ path: String, of node: String) -> [StateFile] {
        numbers.map { StateFile(path: "\(path).\(node).\($0)") }
    }
    /// The journals that the process before left, the oldest first.
    static func left(_ path: String, of node: String) -> [StateFile] {
        files(path, of: node).filter(\.exists).sorted { $0.changedAt < $1.changedAt }
    }

    /// How many appends were left out.
    var lost: Int { state.withLock { $0.lost } }

    func append(_ body: (inout StateWriter) throws -> Void) {
        state.withLock { state in
            guard var writer = state.writer, writer.byteCount < maximumBytes else {
                state.lost += 1
                return
            }
            state.writer = nil
            do {
                try body(&writer)
                try writer.flush()
                state.writer = writer
            } catch {
                state.lost += 1
            }
        }
    }
    /// The memory is about to be written: what is noted from now on goes to another file.
    func turn() throws {
        try state.withLock { state in
            let used = state.kept + [state.current].compactMap { $0 }
            guard let next = Self.numbers.first(where: { !used.contains($0) }) else { return }
            let file = files[next]
            let handle = try StateFile.Handle(file.path, StateFile.anew, "write")
            var writer = try StateWriter { try handle.append($0) }
            try writer.beginSection()
            (state.writer, state.current, state.kept) = (writer, next, used)
        }
    }
    /// The memory is on disk: what was noted before is part of it.
    func letGo() throws {
        try state.withLock { state in
            while let number = state.kept.last {
                try files[number].remove()
                state.kept.removeLast()
            }
        }
    }
    /// The node is gone, and what is on disk does without it: nothing of the journal stays, and what comes is lost.
    func end() throws {
        state.withLock { state in
            state.writer = nil
            if let current = state.current { state.kept.append(current) }
            state.current = nil
        }
        try letGo()
    }
}
