import Logging
import PhoenixGraph
import PhoenixModel
import PhoenixNodes
import PhoenixRuntime
import ServiceLifecycle
import UnixSignals

/// Changes the running graph when its files change or SIGHUP comes.
///
/// SIGHUP is taken also where files are not watched: it must not end the process. Before that `Run` ignores it. Told to end, it
/// waits for no file that is being read.
struct ReloadTriggers: Service {
    let engine: Engine
    let files: [String]
    /// What they were like when they were read.
    let signatures: [String: FileSignature]
    let watches: Bool
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.hangUps() }
                if watches { group.addTask { try await self.watch() } }
                try await group.waitForAll()
            }
        }
    }
    private func hangUps() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { _ = await reload("sighup") }
    }
    private func watch() async throws {
        logger.info("watching", metadata: ["files": "\(files.joined(separator: ", "))"])
        do {
            try await GraphWatch().run(files, since: signatures) { await reload("watch") }
        } catch is CancellationError {}
    }

    /// Answers the files that were read; those of before where nobody could say.
    private func reload(_ origin: String) async -> [String] {
        let read = Lock(files)
        while !Task.isCancelled {
            do {
                _ = try await engine.reload(
                    to: { () throws(GraphRefusal) -> LoadedGraph in
                        do throws(GraphRefusal) {
                            let loaded = try engine.origin.read()
                            read.withLock { $0 = loaded.files }
                            return loaded
                        } catch {
                            read.withLock { $0 = Array(Set(files + error.files)).sorted() }
                            throw error
                        }
                    },
                    origin: origin
                )
                return read.withLock { $0 }
            } catch ReloadError.busy {
                // Another change is under way: this one comes after it.
                guard (try? await SystemTime().sleep(for: .milliseconds(50))) != nil else { break }
            } catch {
                // The engine has told of it, or this is the end.
                return read.withLock { $0 }
            }
        }
        return read.withLock { $0 }
    }
}
