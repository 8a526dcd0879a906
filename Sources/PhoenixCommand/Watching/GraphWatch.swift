import PhoenixRuntime

/// Notices when one of the files of a graph changes: the graph file, its parts, its environment, its secrets.
struct GraphWatch {
    /// How long files must be left alone before they are read: editors write in several steps.
    var quiet = Duration.milliseconds(100)
    /// How long a writer that never leaves them alone is waited for.
    var patience = Duration.seconds(2)
    /// How often files are looked at where nothing tells of changes.
    var interval = Duration.seconds(1)
    var time: any TimeSource = SystemTime()

    /// Calls `reload` after each change until the task is cancelled; it answers which files matter from then on.
    /// `whenWatching` is called once a change would be noticed.
    ///
    /// - Parameter signatures: what the files were like when they were read: a change since then is noticed too.
    func run(
        _ files: [String],
        since signatures: [String: FileSignature] = [:],
        whenWatching: @Sendable () -> Void = {},
        _ reload: @escaping @Sendable () async -> [String]
    ) async throws {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let events = DirectoryEvents { wake.yield() }
        let (time, interval) = (time, interval)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await time.sleep(for: interval)
                    wake.yield()
                }
            }
            defer { group.cancelAll() }
            var files = files
            events?.watch(directoriesOf: files)
            var seen = Self.before(signatures, files)
            whenWatching()
            if !signatures.isEmpty { wake.yield() }
            for await _ in wakes {
                guard FileSignature.all(files) != seen else { continue }
                let settled = try await leftAlone(files)
                files = await reload()
                events?.watch(directoriesOf: files)
                // What changed while it was read has the old signature here, and is read again.
                seen = Self.before(settled, files)
            }
        }
    }

    /// What the files were like when they were read; as they are now where that is not known.
    private static func before(
        _ known: [String: FileSignature],
        _ files: [String]
    ) -> [String: FileSignature] {
        FileSignature.all(files).merging(known) { _, before in before }.filter { files.contains($0.key) }
    }
    /// The signatures once nobody writes any more.
    private func leftAlone(_ files: [String]) async throws -> [String: FileSignature] {
        let end = time.monotonic + patience
        var last = FileSignature.all(files)
        while time.monotonic < end {
            try await time.sleep(for: quiet)
            let now = FileSignature.all(files)
            if now == last { return now }
            last = now
        }
        return last
    }
}
