import Foundation
import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime
import Testing

@testable import PhoenixCommand

/// Graphs that are sent to a running instance, from wherever their sender sits.
@Suite struct GraphSourceTests {
    /// A directory that goes with the test.
    private final class Folder: Sendable {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "graphs-\(UInt64.random(in: 0 ... .max))"
        )
        init() throws {
            let environments = url.appending(path: "environments")
            try FileManager.default.createDirectory(at: environments, withIntermediateDirectories: true)
        }
        deinit {
            do { try FileManager.default.removeItem(at: url) } catch {
                print("left behind: \(url): \(error)")
            }
        }
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: url.appending(path: name))
        }
        func path(_ name: String) -> String { url.appending(path: name).path }
    }
    private static let graph = """
        graph: x
        version: 1
        receivers: {synthetic: {hosts: 1}}
        exporters: {debug: {from: synthetic}}
        """
    private static func overlay(hosts: Int) -> String { "receivers: {synthetic: {hosts: \(hosts)}}" }
    private static func hosts(_ loaded: LoadedGraph) -> String {
        guard case .scalar(let text, _)? = loaded.graph.vertices["synthetic"]?.config["hosts"]?.value else {
            return "-"
        }
        return text
    }

    @Test func theEnvironmentOfTheInstanceIsLaidOverWhatIsSent() throws {
        let folder = try Folder()
        try folder.write(Self.graph, "graph.yaml")
        try folder.write(Self.overlay(hosts: 7), "environments/prod.yaml")
        var source = GraphSource()
        source.environment = "prod"
        let origin = source.origin(folder.path("graph.yaml"))
        #expect(try Self.hosts(origin.read()) == "7")
        for root in ["graph.yaml", "srv/graph.yaml", "/nowhere/graph.yaml", folder.path("graph.yaml")] {
            #expect(try Self.hosts(origin.readSent(root, [root: Self.graph])) == "7", "\(root)")
        }
        // Sent along it is the sender's.
        let sent = ["cli/graph.yaml": Self.graph, "cli/environments/prod.yaml": Self.overlay(hosts: 9)]
        #expect(try Self.hosts(origin.readSent("cli/graph.yaml", sent)) == "9")
    }
    @Test func filesAreNotedAsTheyWereBeforeTheyWereRead() throws {
        let folder = try Folder()
        let path = folder.path("graph.yaml")
        try folder.write(Self.graph, "graph.yaml")
        let (before, log) = (FileSignature(path), SignatureLog())
        _ = try GraphSource().load(path, log)
        #expect(log.signatures == [path: before])
        // Changed while it was read, and read again later: it is another than the first one read.
        let reading = SignatureLog()
        let read = reading.noting { _ in
            try folder.write("another", "graph.yaml")
            return []
        }
        for _ in 0..<2 { _ = try read(path) }
        #expect(reading.signatures == [path: before])
        #expect(FileSignature(path) != before)
    }

    @Test func aPlanIsTheSameJSONFromAnInstanceAndFromAFile() throws {
        let loader = GraphLoader(GraphSource.specs, files: [:])
        let other = Self.graph.replacing("hosts: 1", with: "hosts: 2")
        let (old, new) = (try loader.load(text: Self.graph).graph, try loader.load(text: other).graph)
        let plan = Plan(from: old, to: new, PhoenixCommand.catalog)
        #expect(!plan.isEmpty)
        let answer = AdminClient.Answer(status: 200, body: "{\"plan\": \(plan.json)}\n")
        #expect(answer.planJSON == plan.json)
    }
}
