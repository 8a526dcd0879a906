import PhoenixGraph
import PhoenixNodes
import PhoenixRuntime
import PhoenixTestKit
import Testing

/// Every graph in the repository loads with the types that are built in.
@Suite struct GraphFileTests {
    static let parts = ["/pipelines/", "/environments/", "/broken/", "/golden/"]
    static let graphs = Repository.files(below: "graphs", ending: ".yaml").filter { file in
        !parts.contains { file.contains($0) }
    }
    static let environments = ["development", "staging", "production"]

    @Test func thereAreGraphs() { #expect(Self.graphs.contains("graphs/demo.yaml")) }

    @Test(arguments: graphs) func loads(_ file: String) throws {
        let loader = GraphLoader(NodeSpecs(.standard))
        let loaded = try loader.load(path: Repository.root.appendingPathComponent(file).path)
        #expect(!loaded.graph.vertices.isEmpty)
    }

    @Test(arguments: environments) func phoenixLoadsInEachEnvironment(_ environment: String) throws {
        let loader = GraphLoader(NodeSpecs(.standard))
        let path = Repository.root.appendingPathComponent("graphs/phoenix.yaml").path
        let loaded = try loader.load(path: path, environment: environment)
        #expect(loaded.graph.settings["engine"] != nil)
    }

    @Test func theDemonstrationAndPhoenixReduceAlike() throws {
        let loader = GraphLoader(NodeSpecs(.standard))
        func graph(_ name: String) throws -> Graph {
            try loader.load(path: Repository.root.appendingPathComponent("graphs/\(name).yaml").path).graph
        }
        let (demo, phoenix) = (try graph("demo"), try graph("phoenix"))
        for id in [
            "optimized", "experimental", "full_endpoint", "optimized_endpoint", "experimental_endpoint",
        ] {
            #expect(
                demo.vertices[id] == phoenix.vertices[id],
                "`\(id)` differs between demo.yaml and phoenix.yaml"
            )
        }
    }
}
