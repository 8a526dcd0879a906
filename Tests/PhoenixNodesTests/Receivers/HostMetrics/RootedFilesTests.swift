import Foundation
import Testing

@testable import PhoenixNodes

/// Files as they lie below a root: what is there, what is not, and what is no file.
@Suite struct RootedFilesTests {
    /// A root of this test's own, which is gone when it ends.
    private static func withRoot(_ body: (String, RootedFiles) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(
            "phoenix-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("proc/1/fd"),
            withIntermediateDirectories: true
        )
        defer {
            do { try FileManager.default.removeItem(at: root) } catch { Issue.record(error) }
        }
        try body(root.path, RootedFiles(root: root.path + "//"))
    }

    @Test func filesAreReadBelowTheRoot() throws {
        try Self.withRoot { root, files in
            try "0.1 0.2 0.3 1/2 3\n".write(
                toFile: root + "/proc/loadavg",
                atomically: false,
                encoding: .utf8
            )
            #expect(try files.parsed("/proc/loadavg", LoadAverages.init).averages == [0.1, 0.2, 0.3])
            #expect(throws: HostFileFailure.malformed) {
                try files.parsed("/proc/loadavg", MemoryFigures.init)
            }
            #expect(throws: HostFileFailure.missing) { try files.text("/proc/stat") }
            #expect(throws: HostFileFailure.missing) { try files.text("/proc/loadavg/x") }
            #expect(throws: HostFileFailure.failed) { try files.text("/proc") }
        }
    }

    @Test func aFileIsReadUpToItsBound() throws {
        try Self.withRoot { root, files in
            let bytes = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0) })
            try bytes.write(to: URL(fileURLWithPath: root + "/proc/big"))
            #expect(try files.contents("/proc/big", limit: 100_000, isCut: false).count == 100_000)
            #expect(throws: HostFileFailure.tooLarge) {
                try files.contents("/proc/big", limit: 99_999, isCut: false)
            }
            #expect(
                try files.contents("/proc/big", limit: 20_000, isCut: true) == Array(bytes.prefix(20_000))
            )
        }
    }

    @Test func aPipeThatNobodyWritesToIsEmpty() throws {
        try Self.withRoot { root, files in
            #expect(mkfifo(root + "/proc/stat", 0o600) == 0)
            let text = try files.text("/proc/stat")
            #expect(text.isEmpty)
        }
    }

    @Test func directoriesAreListedUpToTheirBound() throws {
        try Self.withRoot { root, files in
            for name in ["0", "1", "ü"] {
                try "".write(toFile: root + "/proc/1/fd/" + name, atomically: false, encoding: .utf8)
            }
            #expect(try files.names(in: "/proc/1/fd", limit: 3).sorted() == ["0", "1", "ü"])
            #expect(try files.count(in: "/proc/1/fd", limit: 3) == 3)
            #expect(throws: HostFileFailure.tooLarge) { try files.count(in: "/proc/1/fd", limit: 2) }
            #expect(throws: HostFileFailure.missing) { try files.count(in: "/proc/2/fd", limit: 2) }
        }
    }

    @Test func linksAreReadAndNotFollowed() throws {
        try Self.withRoot { root, files in
            try FileManager.default.createSymbolicLink(
                atPath: root + "/proc/1/exe",
                withDestinationPath: "/usr/bin/nothing (deleted)"
            )
            #expect(try files.target(ofLink: "/proc/1/exe") == "/usr/bin/nothing (deleted)")
            #expect(throws: HostFileFailure.missing) { try files.target(ofLink: "/proc/2/exe") }
        }
    }

    @Test func aFileSystemTellsItsSpace() throws {
        try Self.withRoot { _, files in
            let space = try files.space(at: "/proc")
            #expect(space.total > 0 && space.free <= space.total && space.available <= space.free)
            #expect(throws: HostFileFailure.missing) { try files.space(at: "/nowhere") }
        }
    }
}
