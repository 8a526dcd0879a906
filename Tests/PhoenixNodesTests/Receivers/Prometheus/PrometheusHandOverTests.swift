import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// A receiver and its heirs, as reloads make them: what is gone ends, what is still there goes on.
@Suite struct PrometheusHandOverTests {
    private struct Leg: Sendable {
        var config: PrometheusReceiver.Config
        var duration: Duration
    }
    private static func leg(
        _ groups: [ScrapeGroup],
        every interval: Duration = .seconds(10),
        for duration: Duration = .seconds(40),
        _ change: (inout PrometheusReceiver.Config) -> Void = { _ in }
    ) -> Leg {
        var config = PrometheusReceiver.Config()
        (config.jobName, config.staticConfigs) = ("j", groups)
        (config.scrapeInterval, config.scrapeTimeout) = (interval, .seconds(5))
        change(&config)
        return Leg(config: config, duration: duration)
    }
    private static func group(_ address: String, env: String) -> ScrapeGroup {
        ScrapeGroup([address], labels: ["env": env])
    }

    /// Runs one receiver after the other; what each sent, as `name{instance,env}=value`, where `value` is `ended` at the end.
    private static func relay(
        _ legs: [Leg],
        _ answer: @escaping @Sendable (_ leg: Int, ScrapeRequest) throws -> String
    ) throws -> [[String]] {
        try World.run { world in
            let table = NodeHarness(world.clock).context.series
            var points: [[String]] = []
            var state: PrometheusReceiver.State?
            for (index, leg) in legs.enumerated() {
                let harness = NodeHarness(world.clock)
                harness.context.series = table
                let output = harness.read(PrometheusReceiver.Port.output)
                let client = ScriptedTargets(world.clock) { request, _ in
                    ScriptedTargets.text(try answer(index, request))
                }
                let node = PrometheusReceiver(leg.config, harness.context, client)
                if let state { await Self.inherit(node, state) }
                state = try await harness.runToHandOver(node) {
                    try await world.clock.sleep(for: leg.duration)
                }
                points.append(output.messages.flatMap { Self.texts($0, table) })
            }
            return points
        }
    }
    private static func inherit<Kind: Node>(_ node: Kind, _ state: Kind.State) async {
        await node.inherit(state)
    }
    private static func texts(_ batch: MetricBatch, _ table: SeriesTable) -> [String] {
        func text(_ id: SeriesID, _ value: String) -> String {
            let series = table.series(id)
            let instance = series?.resource["service.instance.id"]?.text ?? ""
            let env = series?.attributes["env"]?.text ?? ""
            return "\(series?.metric.name ?? "?"){\(instance),\(env)}=\(value)"
        }
        let (numbers, histograms) = (batch.numbers, batch.histograms)
        let single = numbers.series.indices.map { index in
            let isEnded = numbers.flags[index].contains(.noRecordedValue)
            let value = Double(bitPattern: numbers.values[index])
            return text(numbers.series[index], isEnded ? "ended" : "\(value)")
        }
        let compound = histograms.series.indices.map { index in
            let isEnded = histograms.flags[index].contains(.noRecordedValue)
            return text(histograms.series[index], isEnded ? "ended" : "\(histograms.counts[index])")
        }
        return single + compound
    }

    @Test func targetsThatAReloadTookAwayEndOnceAndOthersGoOn() throws {
        let points = try Self.relay([
            Self.leg([Self.group("a:1", env: "x"), Self.group("b:2", env: "x"), Self.group("c:3", env: "x")]),
            Self.leg([Self.group("a:1", env: "y"), Self.group("c:3", env: "x")], for: .seconds(60)),
        ]) { _, _ in "x 1\n" }
        #expect(!points[0].contains { $0.hasSuffix("ended") })
        for gone in ["x{a:1,x}", "up{a:1,x}", "x{b:2,x}", "up{b:2,x}", "scrape_duration_seconds{b:2,x}"] {
            #expect(points[0].contains { $0.hasPrefix(gone) })
            #expect(points[1].filter { $0.hasPrefix(gone) } == ["\(gone)=ended"], "\(gone)")
        }
        for alive in ["x{a:1,y}", "up{a:1,y}", "x{c:3,x}", "up{c:3,x}"] {
            #expect(points[1].count { $0 == "\(alive)=1.0" } == 6, "\(alive)")
            #expect(!points[1].contains("\(alive)=ended"), "\(alive)")
        }
    }
    @Test func theEndComesTwoIntervalsAfterTheReload() throws {
        let before = Self.leg([Self.group("a:1", env: "x")])
        for (duration, isEnded) in [(Duration.seconds(19), false), (Duration.seconds(21), true)] {
            let points = try Self.relay([before, Self.leg([Self.group("b:2", env: "x")], for: duration)]) {
                _,
                _ in
                "x 1\n"
            }
            #expect(points[1].contains("x{a:1,x}=ended") == isEnded, "after \(duration)")
        }
    }
    @Test func whatTheFirstScrapeOfAnHeirDoesNotHaveEnds() throws {
        let histogram = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\nh_sum 1\nh_count 3\n"
        let points = try Self.relay([
            Self.leg([Self.group("a:1", env: "x")]),
            Self.leg([Self.group("a:1", env: "x")], every: .seconds(5)),
        ]) { leg, _ in leg == 0 ? "x 1\ny 1\n" + histogram : "x 1\n" }
        #expect(points[0].contains("h{a:1,x}=3"))
        #expect(
            points[1].filter { $0.hasPrefix("y{") || $0.hasPrefix("h{") }.sorted() == [
                "h{a:1,x}=ended", "y{a:1,x}=ended",
            ]
        )
        #expect(points[1].count { $0 == "x{a:1,x}=1.0" } == 8)
        #expect(points[1].count { $0.hasSuffix("ended") } == 2)
    }
    @Test func whereTheFirstScrapeOfAnHeirFailsAllEndsButWhatIsToldOfIt() throws {
        let leg = Self.leg([Self.group("a:1", env: "x")])
        let points = try Self.relay([leg, leg]) { leg, _ in
            if leg == 1 { throw ScrapeProblem.connection("refused") }
            return "x 1\n"
        }
        #expect(points[1].count { $0 == "x{a:1,x}=ended" } == 1)
        #expect(points[1].count { $0 == "up{a:1,x}=0.0" } == 4)
        #expect(!points[1].contains("up{a:1,x}=ended"))
    }
    /// An heir that is replaced before it has scraped anything knows no series of its own, and hands on those it was given.
    @Test func whatWasHandedOverIsHandedOn() throws {
        let leg = Self.leg([Self.group("a:1", env: "x")])
        let short = Self.leg(
            [Self.group("a:1", env: "x"), Self.group("b:2", env: "x")],
            for: .nanoseconds(1)
        )
        let points = try Self.relay([leg, short, short, Self.leg([Self.group("b:2", env: "x")])]) { _, _ in
            "x 1\n"
        }
        #expect(points[1] + points[2] == [])
        #expect(points[3].filter { $0.hasPrefix("x{a:1") } == ["x{a:1,x}=ended"])
    }
    /// Metric relabelling takes the label away by which the targets differ: the series stays the same.
    @Test func aSeriesThatAnotherTargetTellsDoesNotEnd() throws {
        var rule = RelabelRule()
        (rule.action, rule.regex) = (.labeldrop, try RelabelPattern("env"))
        let rules = [rule]
        let points = try Self.relay([
            Self.leg([Self.group("a:1", env: "x")]) { $0.metricRelabelConfigs = rules },
            Self.leg([Self.group("a:1", env: "y")]) { $0.metricRelabelConfigs = rules },
        ]) { _, _ in "x 1\n" }
        #expect(points[1].count { $0 == "x{a:1,}=1.0" } == 4)
        #expect(!points[1].contains("x{a:1,}=ended"))
        #expect(points[1].filter { $0.hasPrefix("up{a:1,x}") } == ["up{a:1,x}=ended"])
    }
    /// The node that was replaced by a change that is undone runs again, with what its heir hands back.
    @Test func anEstateIsTakenInPlaceOfWhatWasThere() throws {
        let table = SeriesTable()
        let config = Self.leg([]).config
        let target = try #require(try ScrapeTarget.make("a:1", [:], config, job: "j"))
        let decoder = ScrapeDecoder(
            table: table,
            lane: "n",
            ScrapeDecoder.Options(config.rewriting(target.labels))
        )
        _ = decoder.report([ScrapeFigure("up", 1, "Up.")], at: 1)
        let estate = ScrapeEstate()
        estate.leave(target, decoder.open)
        #expect(estate.all.count == 1)
        #expect(estate.claim(target).isEmpty, "what was left since the node runs is for the next run")
        estate.open()
        #expect(!estate.claim(target).isEmpty)
        #expect(estate.all.isEmpty)
        estate.leave(target, decoder.open)
        estate.replace(with: [:])
        #expect(estate.all.isEmpty)
    }
}
