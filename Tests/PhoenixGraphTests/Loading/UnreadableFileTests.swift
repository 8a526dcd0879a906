import Foundation
import Testing

@testable import PhoenixGraph

/// What is read of the disk: by a command, which waits for what it is given, and by an engine that runs.
@Suite struct UnreadableFileTests {
    /// A directory of the test's own, which is gone when it ends.
    private static func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "phoenix-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(at: directory) } catch { Issue.record(error) }
        }
        try body(directory.path)
    }
    private static func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    @Test func aFileIsReadWhole() throws {
        try Self.withDirectory { directory in
            // More than is read at once.
            let text = String(repeating: "graph", count: 50_000)
            try Self.write(text, directory + "/a")
            for read in [UnreadableFile.read, UnreadableFile.readAgain] {
                #expect(try read(directory + "/a") == Array(text.utf8))
                #expect(throws: UnreadableFile("it is a directory")) { try read(directory) }
                #expect(throws: UnreadableFile("there is no such file")) { try read(directory + "/b") }
                #expect(throws: UnreadableFile("there is no such file")) { try read(directory + "/a/b") }
                #expect(try read("/dev/null").isEmpty)
            }
        }
    }

    /// As the shell hands over what another command writes: `phoenix run <(…)`.
    @Test func aCommandReadsAPipe() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let text = Array("graph: x".utf8)
        #expect(Foundation.write(ends[1], text, text.count) == text.count)
        close(ends[1])
        #expect(try UnreadableFile.read("/dev/fd/\(ends[0])") == text)
    }

    @Test func anEngineThatRunsWaitsForNoPipe() throws {
        try Self.withDirectory { directory in
            let (graph, part) = (directory + "/graph.yaml", directory + "/part.yaml")
            try Self.write("graph: x\nversion: 1\ninclude: [part.yaml]\n", graph)
            #expect(mkfifo(part, 0o600) == 0)
            let loader = GraphLoader(SmallCatalog.specs, readFile: UnreadableFile.readAgain)
            let refusal = #expect(throws: GraphRefusal.self) { try loader.load(path: graph) }
            let first = refusal?.diagnostics.first.map(\.description) ?? ""
            #expect(
                first.contains(
                    "part.yaml`: it is a pipe, which can be read once only; put a file in its place"
                )
            )
            // A file in its place is read, whatever stood there before.
            try FileManager.default.removeItem(atPath: part)
            try Self.write(
                "receivers: {otlp: {listen: 127.0.0.1:1}}\nexporters: {prometheus: {from: otlp, listen: 127.0.0.1:2}}\n",
                part
            )
            #expect(try loader.load(path: graph).graph.vertices.keys.sorted() == ["otlp", "prometheus"])
        }
    }

    @Test func theReasonIsThatOfTheSystem() throws {
        #expect(UnreadableFile(code: EACCES) == UnreadableFile("this user may not read it"))
        #expect(UnreadableFile(code: EIO).description.hasPrefix("the system says: "))
        let none = UnreadableFile(code: EMFILE)
        let loader = GraphLoader(SmallCatalog.specs) { _ in throw none }
        let refusal = #expect(throws: GraphRefusal.self) { try loader.load(path: "graph.yaml") }
        let told = refusal?.diagnostics.first.map(\.description) ?? ""
        #expect(
            told.hasSuffix(
                "cannot read `graph.yaml`: no file descriptors are left; raise the limit (ulimit -n)"
            )
        )
    }
}
