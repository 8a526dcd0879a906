import PhoenixGraph
import Testing

@Suite struct GraphDiffTests {
    static func diff(_ change: (inout String) -> Void) throws -> GraphDiff {
        var text = goodGraph
        change(&text)
        let old = try GraphLoaderTests.load(goodGraph).graph
        let new = try GraphLoaderTests.load(text).graph
        return GraphDiff(from: old, to: new, SmallCatalog.specs)
    }

    static func changed(_ diff: GraphDiff) -> [NodeID: GraphDiff.Change] {
        diff.changes.filter { $0.value != .keep }
    }

    @Test func layoutCommentsAndSpelledOutDefaultsAreNoChange() throws {
        let diff = try Self.diff { text in
            text = "# new\n\n" + text.replacing("interval: 1h30m", with: "interval: 90m")
            text = text.replacing("path: /health}", with: "path: \"/health\", protocol: http}")
            text = text.replacing("from: kpis, target: 20000", with: "target: 20_000, from: [kpis.out]")
        }
        #expect(diff.isEmpty)
    }

    @Test func liveSettingsReconfigure() throws {
        let diff = try Self.diff { $0.replace("target: 20000", with: "target: 30000") }
        #expect(Self.changed(diff) == ["control": .reconfigure(["target"])])
        let modes = try Self.diff { $0.replace("{merge: avg}", with: "{merge: last}") }
        #expect(Self.changed(modes) == ["optimized": .reconfigure(["merge"])])
    }

    @Test func otherSettingsAndTypesReplace() throws {
        let diff = try Self.diff { text in
            text.replace("mode: control", with: "mode: control\n    capacity: 9\n    merge: avg")
            text.replace("type: synthetic, interval", with: "type: synthetic, interval")
        }
        #expect(Self.changed(diff) == ["optimized": .replace(["capacity", "merge"])])
        let typed = try Self.diff {
            $0.replace("more:\n    <<: *load\n    hosts: 5", with: "more: {type: otlp, listen: 127.0.0.1:9}")
        }
        #expect(Self.changed(typed) == ["more": .replace(["type"])])
    }

    @Test func rewiringKeepsTheNodes() throws {
        let diff = try Self.diff { $0.replace("from: [otlp, load, more.out]", with: "from: [otlp, load]") }
        #expect(Self.changed(diff).isEmpty)
        #expect(diff.unlinked == [.init(from: .init("more", "out"), to: .init("intake", "in"))])
        #expect(diff.linked.isEmpty)
        #expect(!diff.isEmpty)
    }

    @Test func nodesComeAndGo() throws {
        let diff = try Self.diff { $0.replace("health: {type", with: "ready: {type") }
        #expect(Self.changed(diff) == ["health": .remove, "ready": .add])
        #expect(diff.linked.map(\.to.node) == ["ready"])
        #expect(diff.unlinked.map(\.to.node) == ["health"])
    }

    @Test func settingsSections() throws {
        #expect(try Self.diff { $0.replace("watch: true", with: "watch: false") }.settings == ["engine"])
    }

    @Test func whatStandsInAFileThatANodeLoadsIsASetting() throws {
        let specs = NodeSpecs(
            [NodeSpec(NodeType(.receiver, "tls"), "Loads.", ports: [], config: LoadingConfig.self)],
            settings: []
        )
        func load(_ certificate: String?) throws -> LoadedGraph {
            var files = ["graph.yaml": "graph: x\nversion: 1\nreceivers: {tls: {certificate: c.pem}}"]
            files["c.pem"] = certificate
            return try GraphLoader(specs, files: files).load(path: "graph.yaml")
        }
        let (one, same, other, none) = (try load("1"), try load("1"), try load("2"), try load(nil))
        // Also one that is missing is watched.
        #expect(one.files == ["graph.yaml", "c.pem"])
        #expect(none.files == one.files)
        #expect(GraphDiff(from: one.graph, to: same.graph, specs).isEmpty)
        for graph in [other.graph, none.graph] {
            let diff = GraphDiff(from: one.graph, to: graph, specs)
            #expect(diff.changes == ["tls": .replace(["tls.certificate"])])
        }
    }
}

private struct LoadingConfig: NodeConfig {
    var certificate = ""
    static let fields: [Field<Self>] = [Field("certificate", \.certificate, "The file.")]
    var claims: [Claim] { [.loadsFile(certificate, setting: "tls.certificate")] }
}
