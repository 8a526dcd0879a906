import Foundation
import PhoenixModel
import PhoenixRuntime
import Testing

@testable import PhoenixCommand

/// Files of the disk: what is waited for is told by the watch itself, within a wide limit.
@Suite(.timeLimit(.minutes(5))) struct GraphWatchTests {
    private static func directory() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("watch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }
    /// Watches a file and answers once `change` was noticed; an `early` one is made between reading and watching.
    private static func notices(
        polling: Bool = false,
        early: Bool = false,
        _ change: @escaping @Sendable (URL) throws -> Void
    ) async throws {
        let file = try directory().appendingPathComponent("graph.yaml")
        defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        try Data("one".utf8).write(to: file)
        let read = early ? FileSignature.all([file.path]) : [:]
        if early { try change(file) }
        var watch = GraphWatch()
        watch.interval = polling ? .milliseconds(20) : .seconds(3600)
        watch.quiet = .milliseconds(10)
        let (noticed, notice) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { [watch] group in
            group.addTask {
                do {
                    try await watch.run(
                        [file.path],
                        since: read,
                        whenWatching: { if !early { try? change(file) } }
                    ) {
                        notice.yield()
                        return [file.path]
                    }
                } catch is CancellationError {}
            }
            for await _ in noticed { break }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test func itNoticesAWriteInPlace() async throws {
        try await Self.notices { file in try Data("another".utf8).write(to: file) }
    }
    @Test func itNoticesAFileThatIsRenamedOverIt() async throws {
        try await Self.notices { file in
            let other = file.deletingLastPathComponent().appendingPathComponent(".graph.yaml.swp")
            try Data("two".utf8).write(to: other)
            #expect(rename(other.path, file.path) == 0)
        }
    }
    @Test func itNoticesALinkThatIsSwapped() async throws {
        try await Self.notices(polling: true) { file in
            let other = file.deletingLastPathComponent().appendingPathComponent("two.yaml")
            try Data("two, by a link".utf8).write(to: other)
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createSymbolicLink(at: file, withDestinationURL: other)
        }
    }
    @Test func itNoticesThatOthersMayReadTheFileThanBefore() async throws {
        try await Self.notices { file in #expect(chmod(file.path, 0o400) == 0) }
    }
    @Test func itNoticesWhatChangedBetweenReadingAndWatching() async throws {
        try await Self.notices(early: true) { file in try Data("another".utf8).write(to: file) }
    }
    @Test func itNoticesThatTheFileIsGone() async throws {
        try await Self.notices { file in try FileManager.default.removeItem(at: file) }
    }
}
