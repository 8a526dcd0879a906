import PhoenixGraph
import PhoenixRuntime
import Testing

@testable import PhoenixNodes

/// The running graph as the admin API shows it.
@Suite struct GraphStatusTests {
    @Test(arguments: [
        ("${env:TOK}", "${env:TOK}"),
        ("${env:TOK:-hunter2}", "${env:TOK:-***}"),
        ("${env:TOK:-}", "${env:TOK:-}"),
        ("Bearer ${env:TOK:-hunter2} and hunter2", "***${env:TOK:-***}***"),
        ("${env:A:-${env:B:-hunter2}}", "${env:A:-${env:B:-***}}"),
        ("${env:A:-hunter2${file:/run/token}}", "${env:A:-***${file:/run/token}}"),
        // The first brace closes it.
        ("${env:A:-hun}ter2}", "${env:A:-***}***"),
        ("$${hunter2}${env:TOK}", "***${env:TOK}"),
        ("hunter2$", "***"),
        ("${hunter2", "***"),
        ("${hunter2}", "***"),
        (
            "${env:A:-${env:B:-${env:C:-${env:D:-${env:E:-${env:F:-${env:G:-${env:H:-${env:I:-hunter2}}}}}}}}}",
            "${env:A:-${env:B:-${env:C:-${env:D:-${env:E:-${env:F:-${env:G:-${env:H:-***}}}}}}}}"
        ),
    ])
    func aSecretShowsWhereItComesFromAndNoTextOfItsOwn(_ written: String, _ shown: String) {
        var tree = ConfigTree(.scalar("hunter2", isPlain: true), at: Mark(file: "f", line: 1, column: 1))
        tree.written = written
        #expect(GraphStatus.tree(tree, .string(format: "secret")).written() == "\"\(shown)\"")
        // What is not described may be one.
        #expect(GraphStatus.tree(tree, nil).written() == "\"\(shown)\"")
        #expect(GraphStatus.tree(tree, .string(format: nil)).written() == "\"\(written)\"")
    }

    @Test(arguments: [[String: String](), ["TOK": "hunter3"]])
    func theTokenOfTheAdminAPIIsNotShown(_ variables: [String: String]) throws {
        let text = """
            graph: x
            version: 1
            engine: {instance: "${env:NAME:-here}", admin: {listen: ["127.0.0.1:0"], token: "${env:TOK:-hunter2}"}}
            receivers: {synthetic: {}}
            exporters: {debug: {from: synthetic}}
            """
        let specs = NodeSpecs(.standard)
        let graph = try GraphLoader(specs, variables: variables, files: [:]).load(text: text).graph
        let engine = try #require(graph.settings["engine"])
        let shown = GraphStatus.tree(engine, .object(specs.settings["engine"]?.fields ?? [])).written()
        #expect(!shown.contains("hunter"))
        #expect(shown.contains("${env:TOK:-***}"))
        #expect(shown.contains("${env:NAME:-here}"))
    }
}
