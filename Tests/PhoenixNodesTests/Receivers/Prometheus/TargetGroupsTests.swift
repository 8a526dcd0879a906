import Foundation
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// What discovery reads, and what becomes of addresses that relabelling changes.
@Suite struct TargetGroupsTests {
    private static func json(_ text: String) -> Result<[ScrapeGroup], GroupsProblem> {
        GroupsProblem.groups(inJSON: Data(text.utf8))
    }

    /// Go writes `null` for what is empty, Python pairs of escapes for what is beyond 16 bits.
    @Test func jsonIsReadAsOthersWriteIt() throws {
        #expect(try Self.json(#"[{"targets": ["a:1"], "labels": null}]"#).get() == [ScrapeGroup(["a:1"])])
        #expect(
            try Self.json(#"[{"targets": null, "labels": {"k": "v"}}]"#).get() == [
                ScrapeGroup([], labels: ["k": "v"])
            ]
        )
        #expect(
            try Self.json(#"[{"targets": ["a:1"], "labels": {"who": "\ud83d\ude00", "none": null}}]"#).get()
                == [ScrapeGroup(["a:1"], labels: ["who": "😀"])]
        )
        #expect(try Self.json("[]").get() == [])
        #expect(try Self.json("null").get() == [])
        #expect(try Self.json("[\t{\"targets\":\t[\"http://a/b\"]}]").get() == [ScrapeGroup(["http://a/b"])])
    }
    @Test(arguments: [
        ("", "it is no JSON (it is empty)"),
        (#"[{"targets": ["a:1""#, "it is no JSON ("),
        ("[{\"targets\": [\"a:1\" \"b:2\"]}]", "it is no JSON ("),
        (#"[{"targets": "a:1"}]"#, "`[0].targets` is not a list"),
        (#"[{"targets": []}, {"targets": ["a:1", 5]}]"#, "`[1].targets[1]` is not a string"),
        (#"[{"labels": {"k": 1}}]"#, "`[0].labels.k` is not a string"),
        (#"[{"labels": {"a-b": "c"}}]"#, "`[0].labels` has `a-b`, which is no label name"),
        (#"[{"target": ["a:1"]}]"#, "`[0]` has `target`: did you mean `targets`?"),
        ("[null]", "`[0]` is not an object"),
        ("{}", "the text is not a list"),
    ])
    func brokenJSONSaysWhatIsWrongAndWhere(_ text: String, _ said: String) {
        guard case .failure(let problem) = Self.json(text) else {
            Issue.record("it was read: \(text)")
            return
        }
        #expect(problem.description.hasPrefix(said), "\(problem)")
        #expect(problem.description.hasSuffix("; what it said before holds on"))
    }
    @Test func whatSaysNothingIsEmptyInYAMLToo() throws {
        let text = "- targets: [a:1]\n  labels:\n- targets: null\n  labels: {k: v}\n"
        let groups = try GroupsProblem.groups(inYAML: text, from: "t.yml").get()
        #expect(groups == [ScrapeGroup(["a:1"]), ScrapeGroup([], labels: ["k": "v"])])
        #expect(try GroupsProblem.groups(inYAML: "", from: "t.yml").get() == [])
    }

    /// The pattern of exporters that probe others: the target is what is asked about.
    private static func probing() -> PrometheusReceiver.Config {
        var config = PrometheusReceiver.Config()
        (config.jobName, config.metricsPath) = ("j", "/probe")
        (config.scrapeInterval, config.scrapeTimeout) = (.seconds(10), .seconds(5))
        var (asked, named, asking) = (RelabelRule(), RelabelRule(), RelabelRule())
        (asked.sourceLabels, asked.targetLabel) = (["__address__"], "__param_target")
        (named.sourceLabels, named.targetLabel) = (["__param_target"], "instance")
        (asking.targetLabel, asking.replacement) = ("__address__", "prober:9115")
        config.relabelConfigs = [asked, named, asking]
        return config
    }
    private static func problems(_ config: PrometheusReceiver.Config) -> [String] {
        var report = Report()
        config.check(FieldMarks(node: Mark(file: "g", line: 1, column: 1), fields: [:]), &report)
        return report.diagnostics.map(\.message)
    }

    @Test func addressesAreJudgedAfterRelabelling() throws {
        var config = Self.probing()
        config.staticConfigs = [ScrapeGroup(["http://prometheus.io/a?b=c"])]
        config.targets = ["https://example.org"]
        #expect(Self.problems(config) == [])
        config.relabelConfigs = []
        #expect(Self.problems(config).count == 2)
    }
    /// Puts a link at `path` to a file beside it that names one target.
    private static func link(_ path: String, to name: String, _ target: String) throws {
        let file = (path as NSString).deletingLastPathComponent + "/" + name
        try "[{\"targets\": [\"\(target)\"]}]".write(toFile: file, atomically: true, encoding: .utf8)
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: name)
    }
    @Test func aLinkIsFollowedAndAPipeIsNot() throws {
        let place = try ModeFileTests.Place()
        let path = place.directory.path + "/targets.json"
        try World.run { world in
            let client = ScriptedTargets(world.clock) { _, _ in ScriptedTargets.text("") }
            let context = NodeHarness(world.clock).context
            let surroundings = DiscoveryWorld(client: client, context: context, stop: StopSignal())
            var config = FileDiscoveryConfig()
            config.files = [path]
            var discovery = FileDiscovery(config)
            try Self.link(path, to: "one", "a:1")
            let first = try await discovery.look(surroundings)
            try require(first?.map(\.targets) == [["a:1"]], "\(String(describing: first))")
            // As a mounted ConfigMap is renewed: what the link leads to is another file.
            try Self.link(path, to: "two", "b:2")
            let second = try await discovery.look(surroundings)
            try require(second?.map(\.targets) == [["b:2"]], "\(String(describing: second))")
            try FileManager.default.removeItem(atPath: path)
            try require(mkfifo(path, 0o600) == 0, "no pipe was made")
            let third = try await discovery.look(surroundings)
            try require(third == nil, "\(String(describing: third))")
            let failures = context.vitals.counter("phoenix_scrape_discovery_failures_total").value
            try require(failures == 1, "\(failures)")
        }
    }
    @Test func aTargetThatIsNoneCostsNoOther() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("targets-\(UUID()).json")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try """
        [{"targets": ["http://prometheus.io/a"], "labels": null},
         {"targets": ["b"], "labels": {"__scheme__": "gopher"}}]
        """.write(toFile: path, atomically: true, encoding: .utf8)
        var (config, files) = (Self.probing(), FileDiscoveryConfig())
        files.files = [path]
        config.fileSDConfigs = [files]
        let (urls, counts) = try World.run { [config] world in
            let harness = NodeHarness(world.clock)
            let output = harness.read(PrometheusReceiver.Port.output)
            let client = ScriptedTargets(world.clock) { _, _ in ScriptedTargets.text("x 1\n") }
            let node = PrometheusReceiver(config, harness.context, client)
            try await harness.run(node) { try await world.clock.sleep(for: .seconds(10)) }
            let vitals = harness.context.vitals
            let instances = output.messages.flatMap(\.numbers.series).compactMap {
                harness.context.series.series($0)?.resource["service.instance.id"]?.text
            }
            try require(Set(instances) == ["http://prometheus.io/a"], "\(instances)")
            return (
                client.visits.map(\.url),
                [
                    vitals.gauge("phoenix_scrape_targets").value,
                    vitals.gauge("phoenix_scrape_targets_left_out").value,
                    Double(vitals.counter("phoenix_scrape_discovery_failures_total").value),
                ]
            )
        }
        #expect(urls == ["http://prober:9115/probe?target=http%3A%2F%2Fprometheus.io%2Fa"])
        #expect(counts == [1, 1, 0])
    }
}
