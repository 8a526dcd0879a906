import PhoenixGraph
import PhoenixModel
import Testing

@Suite struct GraphLoaderTests {
    static func load(
        _ text: String,
        variables: [String: String] = [:],
        files: [String: String] = [:],
        environment: String? = nil,
        sets: [String] = []
    ) throws(GraphRefusal) -> LoadedGraph {
        var files = files
        files["graph.yaml"] = text
        let loader = GraphLoader(SmallCatalog.specs, variables: variables, files: files)
        return try loader.load(path: "graph.yaml", environment: environment, sets: sets)
    }

    /// A scalar, list or map as one line.
    static func show(_ tree: ConfigTree?) -> String {
        switch tree?.value {
        case nil: "-"
        case .null: "null"
        case .scalar(let text, _): text
        case .list(let items): "[\(items.map(show).joined(separator: ","))]"
        case .map(let entries): "{\(entries.map { "\($0.key):\(show($0.value))" }.joined(separator: ","))}"
        }
    }

    @Test func aByteOrderMarkAndOtherLineEndsAreNoMatter() throws {
        let plain = try Self.load(goodGraph).graph
        let lines = goodGraph.split(separator: "\n", omittingEmptySubsequences: false)
        for text in ["\u{FEFF}" + goodGraph, "\u{FEFF}" + lines.joined(separator: "\r\n")] {
            #expect(try Self.load(text).graph == plain)
        }
    }

    @Test func ofALongLineOnlyWhatStandsAroundThePlaceIsShown() throws {
        let long = String(repeating: "x", count: 5_000)
        let at = Diagnostic(at: Mark(file: "f", line: 1, column: 2_001), "wrong", mend: "mend it")
        let shown = at.rendered(in: long.replacing("x", with: "é", maxReplacements: 1)).split(separator: "\n")
        #expect(shown.count == 3)
        #expect(shown[1] == "    …" + String(repeating: "x", count: 200) + "…")
        #expect(shown[2] == "    " + String(repeating: " ", count: 121) + "^")
        let near = Diagnostic(at: Mark(file: "f", line: 1, column: 3), "wrong", mend: "mend it")
        #expect(near.rendered(in: "a\tbc") == "\(near)\n    a\tbc\n     \t^")
    }

    @Test func readsEveryConstruct() throws {
        let loaded = try Self.load(goodGraph)
        let graph = loaded.graph
        #expect(graph.name == "phoenix")
        #expect(loaded.files == ["graph.yaml"])
        #expect(
            graph.links.map { "\($0.from) \($0.to)" }.sorted() == [
                "control.out optimized.mode", "endpoint.observations kpis.in", "intake.matched optimized.in",
                "intake.rest optimized.in", "kpis.out control.in", "load.out intake.in", "more.out intake.in",
                "optimized.out endpoint.in", "optimized.out health.in", "otlp.out intake.in",
            ]
        )
        #expect(graph.vertices["kpis"]?.type == NodeType(.observer, "kpis"))
        #expect(graph.settings.keys.sorted() == ["engine"])
        var report = Report()
        let more = try #require(graph.vertices["more"].flatMap { SyntheticConfig.decode($0, &report) }).base
        #expect(more.hosts == 5)
        #expect(more.interval == .seconds(5400))
        #expect(more.burst.bytes == 64 << 20)
        let split = try #require(graph.vertices["intake"].flatMap { SplitConfig.decode($0, &report) }).base
        #expect(split.rules.count == 2)
        #expect(split.rules[0].when.matches?.source == "critical|^java_app$")
        #expect(split.rules[0].set == ["phoenix.priority": "critical"])
        let (base, modes) = try #require(
            graph.vertices["optimized"].flatMap { AggregateConfig.decode($0, &report) }
        )
        #expect(base.drop == ["process.pid", "container.id"])
        #expect(modes[.aggressive]?.drop == [])
        #expect(modes[.aggressive]?.keep == ["host.name"])
        #expect(modes[.balanced]?.drop == base.drop)
        #expect(modes[.balanced]?.merge == .avg)
        #expect(modes[.conservative] == nil)
        #expect(report.diagnostics.isEmpty)
    }

    @Test func substitutesVariablesAndFiles() throws {
        let text = goodGraph.replacing(
            "${env:TOKEN:-geheim}",
            with: "$${x} ${env:A:-${env:B:-c}} ${file:/run/t}$"
        )
        let loaded = try Self.load(
            text,
            variables: ["PHOENIX_HOST": "0.0.0.0", "B": "b"],
            files: ["/run/t": "s\n"]
        )
        #expect(Self.show(loaded.graph.vertices["endpoint"]?.config["token"]) == "${x} b s$")
        #expect(Self.show(loaded.graph.vertices["otlp"]?.config["listen"]) == "[0.0.0.0:4317,127.0.0.1:4318]")
        #expect(loaded.files == ["graph.yaml", "/run/t"])
    }

    @Test func laysEnvironmentAndSetsOver() throws {
        let environment = """
            engine: {watch: false}
            receivers: {extra: {type: synthetic}}
            processors:
              intake: {from: [otlp, extra]}
              optimized:
                keep: [service.name]
                modes: {aggressive: {drop: [a]}, conservative: {merge: last}}
            """
        let loaded = try Self.load(
            goodGraph,
            files: ["environments/staging.yaml": environment],
            environment: "staging",
            sets: [
                "control.target=7", "optimized.modes.balanced.merge=last", "engine.watch=true", "graph=other",
            ]
        )
        let graph = loaded.graph
        #expect(graph.name == "other")
        #expect(Self.show(graph.settings["engine"]) == "{watch:true}")
        #expect(Self.show(graph.vertices["control"]?.config) == "{target:7}")
        let optimized = try #require(graph.vertices["optimized"])
        #expect(Self.show(optimized.config) == "{keep:[service.name]}")
        #expect(Self.show(optimized.modes[.aggressive]) == "{drop:[a]}")
        #expect(Self.show(optimized.modes[.balanced]) == "{merge:last}")
        #expect(Self.show(optimized.modes[.conservative]) == "{merge:last}")
        #expect(graph.links.filter { $0.to.node == "intake" }.map(\.from.node).sorted() == ["extra", "otlp"])
        #expect(loaded.files == ["graph.yaml", "environments/staging.yaml"])
    }

    @Test func takesInParts() throws {
        let parts = [
            "pipelines/a.yaml": "include: more/b.yaml\nreceivers: {otlp: {listen: 127.0.0.1:1}}\n",
            "pipelines/more/b.yaml":
                "version: 1\nexporters: {prometheus: {from: otlp, listen: 127.0.0.1:2}}\n",
        ]
        let loaded = try Self.load("version: 1\ninclude: [./pipelines/a.yaml]\n", files: parts)
        #expect(loaded.graph.name == "graph")
        #expect(loaded.graph.vertices.keys.sorted() == ["otlp", "prometheus"])
        #expect(loaded.graph.links.count == 1)
        #expect(loaded.files == ["graph.yaml", "pipelines/a.yaml", "pipelines/more/b.yaml"])
    }

    @Test func equalWhateverTheLayout() throws {
        let one = "version: 1\ngraph: g\nreceivers:\n  # it\n  synthetic: {hosts: 4, interval: \"5s\"}\n"
        let other = "graph: g\nreceivers:\n  synthetic:\n    interval: 5s\n\n    hosts: 4\nversion: 1\n"
        #expect(try Self.load(one).graph == Self.load(other).graph)
    }

    @Test func errorsShowLineCaretAndRemedy() {
        #expect {
            try Self.load("version: 1\nreceivers:\n  synthetic: {host: 4}\n")
        } throws: { error in
            (error as? GraphRefusal)?.description == """
                graph.yaml:3:15: error: unknown setting `host`; did you mean `hosts`?
                      synthetic: {host: 4}
                                  ^
                1 error
                """
        }
    }

    @Test func aliasBombsAreRefusedAtOnce() {
        var bomb = "version: 1\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let uses = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(uses)]\n"
        }
        let deep = String(repeating: "[", count: 200_000)
        let wide = "version: 1\nreceivers: [" + String(repeating: "a,", count: 150_000) + "]\n"
        let nested =
            "version: 1\nreceivers: " + String(repeating: "{a: ", count: 70)
            + String(repeating: "}", count: 70)
        let indented = (0..<3000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        for text in [bomb, bomb + "? *a12\n: 1\n", deep, wide, nested, indented] {
            #expect(throws: GraphRefusal.self) { try Self.load(text) }
        }
    }

    @Test func invalidUTF8IsRefusedAtItsPlace() {
        let loader = GraphLoader(SmallCatalog.specs) { _ in Array("version: 1\ngraph: a".utf8) + [0xff, 0x0a]
        }
        #expect {
            try loader.load(path: "graph.yaml")
        } throws: { error in
            (error as? GraphRefusal)?.diagnostics.map { "\($0.mark.line):\($0.mark.column)" } == ["2:9"]
        }
    }
}
