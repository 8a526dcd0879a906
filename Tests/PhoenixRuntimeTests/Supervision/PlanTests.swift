import Foundation
import PhoenixGraph
import Testing

@testable import PhoenixRuntime

@Suite("A plan says what a change will do, and does nothing")
struct PlanTests {
    private static func graph(_ nodes: String) throws -> Graph {
        let text = "graph: test\nversion: 1\n\(nodes)"
        return try GraphLoader(NodeSpecs(traceCatalog.specs), files: [:]).load(text: text).graph
    }
    private static let old = """
        receivers: {f: {type: feed}}
        processors:
          same: {type: hop, from: f}
          live: {type: hop, from: f}
          state: {type: hop, from: f, port: 1}
          salty: {type: hop, from: f, salt: 2}
          other: {type: hop, from: f}
        exporters:
          s: {type: end, from: [same, live, state, salty, other]}
          gone: {type: end, from: f}
        """

    @Test func `each node with the reason, then links and addresses`() throws {
        var text = Self.old.replacing("live: {type: hop, ", with: "live: {type: hop, tag: 1, ")
        text = text.replacing("port: 1", with: "port: 2").replacing("salt: 2", with: "salt: 1")
        text = text.replacing("other: {type: hop", with: "other: {type: detour")
        text = text.replacing("gone: {type: end, from: f}", with: "new: {type: end, from: same}")
        let plan = Plan(from: try Self.graph(Self.old), to: try Self.graph(text), traceCatalog)
        #expect(
            plan.text == """
                - gone: remove; forgets: all that it remembers, for the graph has it no more
                ~ live: reconfigure (tag)
                + new: add
                ! other: replace without state (type); forgets: a processor hop cannot leave anything to a processor detour
                ! salty: replace without state (salt); forgets: the salt became less
                ~ state: replace with state (port)
                + link same.out -> new.in
                - link f.out -> gone.in
                3 kept, 1 reconfigured, 1 replaced with state, 2 replaced without state, 1 added, 1 removed
                """
        )
        #expect(plan.json.contains("\"action\": \"replace without state\""))
        #expect(!plan.isEmpty)
        // Whoever gets it from a running instance shows it just so.
        #expect(try JSONDecoder().decode(PlanListing.self, from: Data(plan.json.utf8)) == plan.listing)
    }

    @Test func `a node is made anew when an input of it is linked for the first time`() throws {
        let text = Self.old.replacing("same: {type: hop, from: f}", with: "same: {type: hop, from: f, aux: live}")
        let plan = Plan(from: try Self.graph(Self.old), to: try Self.graph(text), traceCatalog)
        #expect(plan.text.hasPrefix("~ same: replace with state (aux)\n+ link live.out -> same.aux"))
    }

    @Test func `who remembers nothing has nothing to forget`() throws {
        let old = Self.old.replacing("other: {type: hop", with: "other: {type: detour")
        let plan = Plan(from: try Self.graph(old), to: try Self.graph(Self.old), traceCatalog)
        #expect(plan.text.hasPrefix("! other: replace without state (type)\n"))
    }

    @Test func `layout is no change`() throws {
        let graph = try Self.graph(Self.old)
        #expect(Plan(from: graph, to: try Self.graph("# a comment\n" + Self.old), traceCatalog).text == "nothing changes")
    }
}
