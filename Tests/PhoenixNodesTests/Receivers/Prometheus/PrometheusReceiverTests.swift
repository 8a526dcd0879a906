import Foundation
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes

/// Targets that answer what a test tells them to.
final class ScriptedTargets: ScrapeClient {
    struct Visit: Sendable, Equatable {
        var url: String
        var at: Duration
    }
    private let clock: any TimeSource
    private let answer: @Sendable (ScrapeRequest, Int) async throws -> ScrapeResponse
    private let seen = Lock([Visit]())
    init(
        _ clock: any TimeSource,
        _ answer: @escaping @Sendable (ScrapeRequest, Int) async throws -> ScrapeResponse
    ) {
        (self.clock, self.answer) = (clock, answer)
    }
    var visits: [Visit] { seen.withLock { $0 } }

    func get(_ request: ScrapeRequest) async throws -> ScrapeResponse {
        let visit = Visit(url: request.url, at: clock.monotonic)
        let number = seen.withLock { seen in
            seen.append(visit)
            return seen.count { $0.url == request.url }
        }
        return try await answer(request, number)
    }
    static func text(_ body: String) -> ScrapeResponse {
        ScrapeResponse(
            status: 200,
            headers: ["content-type": "text/plain; version=0.0.4"],
            body: Array(body.utf8)
        )
    }
}

@Suite struct PrometheusReceiverTests {
    private static func config(_ targets: String...) -> PrometheusReceiver.Config {
        var config = PrometheusReceiver.Config()
        (config.jobName, config.targets) = ("j", targets)
        (config.scrapeInterval, config.scrapeTimeout) = (.seconds(10), .seconds(5))
        return config
    }
    /// Runs a receiver for a while; what it sent, as `name{instance}=value`.
    private static func run(
        _ config: PrometheusReceiver.Config,
        for duration: Duration,
        seed: UInt64 = 1,
        _ answer: @escaping @Sendable (ScrapeRequest, Int) async throws -> ScrapeResponse
    ) throws -> (points: [String], visits: [ScriptedTargets.Visit], ended: Duration) {
        try World.run(seed: seed) { world in
            let harness = NodeHarness(world.clock, seed: seed)
            let output = harness.read(PrometheusReceiver.Port.output)
            let client = ScriptedTargets(world.clock, answer)
            let node = PrometheusReceiver(config, harness.context, client)
            try await harness.run(node) { try await world.clock.sleep(for: duration) }
            let table = harness.context.series
            let points = output.messages.flatMap { batch in
                batch.numbers.series.indices.map { index in
                    let series = table.series(batch.numbers.series[index])
                    let instance = series?.resource["service.instance.id"]?.text ?? ""
                    let isEnded = batch.numbers.flags[index].contains(.noRecordedValue)
                    let value = Double(bitPattern: batch.numbers.values[index])
                    return "\(series?.metric.name ?? "?"){\(instance)}=\(isEnded ? "ended" : "\(value)")"
                }
            }
            return (points, client.visits, world.clock.monotonic)
        }
    }

    @Test func scrapesEachTargetInItsRhythmAndTellsHowItIs() throws {
        let (points, visits, ended) = try Self.run(Self.config("a:1", "b:2"), for: .seconds(30)) {
            request,
            _ in
            ScriptedTargets.text("x \(request.url.count)\n")
        }
        #expect(visits.count { $0.url == "http://a:1/metrics" } == 3)
        #expect(visits.count { $0.url == "http://b:2/metrics" } == 3)
        let times = visits.filter { $0.url == "http://a:1/metrics" }.map(\.at)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == .seconds(10) })
        #expect(times[0] != visits.first { $0.url == "http://b:2/metrics" }?.at)
        #expect(points.count { $0 == "up{a:1}=1.0" } == 3)
        #expect(points.count { $0 == "x{b:2}=18.0" } == 3)
        #expect(points.count { $0 == "scrape_series_added{a:1}=1.0" } == 1)
        // A node that is told to end ends at once, and ends no series.
        #expect(ended == .seconds(30))
        #expect(!points.contains { $0.hasSuffix("ended") })
    }
    @Test func whatIsWrongWithOneTargetStaysWithIt() throws {
        let (points, _, ended) = try Self.run(Self.config("a:1", "b:2", "c:3", "d:4"), for: .seconds(40)) {
            request,
            visit in
            switch request.url.dropFirst(7).prefix(1) {
            case "b" where visit > 1: throw ScrapeProblem.connection("refused")
            case "c" where visit > 1: return ScrapeResponse(status: 500)
            // It never answers: the scrape ends by its timeout.
            case "d" where visit > 1: try await ManualClock().sleep(for: .seconds(1_000_000))
            default: break
            }
            return ScriptedTargets.text("x 1\n")
        }
        for target in ["b:2", "c:3", "d:4"] {
            #expect(points.count { $0 == "up{\(target)}=1.0" } == 1, "\(target)")
            #expect(points.count { $0 == "up{\(target)}=0.0" } >= 2, "\(target)")
            #expect(points.count { $0 == "x{\(target)}=ended" } == 1, "\(target)")
        }
        #expect(points.count { $0 == "up{a:1}=1.0" } == 4)
        #expect(points.contains("scrape_duration_seconds{d:4}=5.0"))
        #expect(ended == .seconds(40))
    }
    @Test func answersThatAreNoExpositionsFail() throws {
        var config = Self.config("a:1", "b:2", "c:3")
        config.bodySizeLimit = 10
        config.extraScrapeMetrics = true
        let (points, _, _) = try Self.run(config, for: .seconds(10)) { request, _ in
            switch request.url.dropFirst(7).prefix(1) {
            case "a": ScrapeResponse(status: 200, headers: ["content-type": "text/html"], body: [])
            case "b": ScrapeResponse(status: 200, headers: [:], body: Array("x 1\n".utf8))
            default: throw ScrapeProblem.tooLarge(limit: request.bodyLimit)
            }
        }
        // A limit of 10 takes 9 bytes: ten fail, as in Prometheus.
        let problem = ScrapeProblem.tooLarge(limit: 9)
        #expect("\(problem)" == "the answer has 10 bytes or more; raise `body_size_limit`")
        for target in ["a:1", "b:2", "c:3"] { #expect(points.contains("up{\(target)}=0.0"), "\(target)") }
        #expect(points.contains("scrape_body_size_bytes{c:3}=-1.0"))
        config.fallbackScrapeProtocol = .text
        let (again, _, _) = try Self.run(config, for: .seconds(10)) { _, _ in
            ScrapeResponse(status: 200, headers: [:], body: Array("x 1\n".utf8))
        }
        #expect(again.contains("up{b:2}=1.0"))
    }
    @Test func targetsComeAndGoByFile() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("targets-\(UUID()).yml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var config = Self.config()
        var files = FileDiscoveryConfig()
        (files.files, files.refreshInterval) = ([path], .seconds(1))
        config.fileSDConfigs = [files]
        var texts = [
            "- {targets: [a:1, b:2], labels: {env: x}}", "[{\"targets\": [\"a:1\"",
            "[{\"targets\": [\"b:2\"], \"labels\": {\"env\": \"x\"}}]",
        ]
        try texts.removeFirst().write(toFile: path, atomically: true, encoding: .utf8)
        let rest = Lock(texts)
        // Every twenty scrapes of `b`, the file changes: first it breaks, then `a` is gone.
        let (points, visits, _) = try Self.run(config, for: .seconds(600)) { request, visit in
            if request.url.contains("b:2"), visit % 20 == 0 {
                let text = rest.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                try text?.write(toFile: path, atomically: true, encoding: .utf8)
            }
            return ScriptedTargets.text("x 1\n")
        }
        #expect(visits.count { $0.url.contains("b:2") } == 60)
        #expect((39...41).contains(visits.count { $0.url.contains("a:1") }))
        #expect(points.count { $0 == "x{a:1}=ended" } == 1)
        #expect(points.count { $0 == "up{a:1}=ended" } == 1)
        #expect(!points.contains("x{b:2}=ended"))
    }
    @Test func targetsComeByHTTP() throws {
        var config = Self.config()
        var http = HTTPDiscoveryConfig()
        (http.url, http.refreshInterval) = (Secret("http://sd/targets"), .seconds(20))
        config.httpSDConfigs = [http]
        var rule = RelabelRule()
        (rule.sourceLabels, rule.targetLabel) = (["__meta_url"], "from")
        config.relabelConfigs = [rule]
        let (points, visits, _) = try Self.run(config, for: .seconds(99)) { request, visit in
            guard request.url == "http://sd/targets" else { return ScriptedTargets.text("x 1\n") }
            if visit == 2 { return ScrapeResponse(status: 500) }
            let body = visit < 4 ? "[{\"targets\": [\"a:1\"]}]" : "[]"
            return ScrapeResponse(
                status: 200,
                headers: ["content-type": "application/json"],
                body: Array(body.utf8)
            )
        }
        #expect(visits.count { $0.url == "http://sd/targets" } == 5)
        #expect((5...6).contains(visits.count { $0.url.contains("a:1") }))
        #expect(points.count { $0 == "x{a:1}=ended" } == 1)
    }
    @Test func tooManyTargetsShow() throws {
        var config = Self.config("a:1", "b:2")
        config.targetLimit = 1
        let (points, visits, _) = try Self.run(config, for: .seconds(10)) { _, _ in
            ScriptedTargets.text("x 1\n")
        }
        #expect(visits.isEmpty)
        #expect(points.contains("up{a:1}=0.0"))
    }
    @Test func aTargetThatIsGoneEndsAfterTwoIntervals() {
        let wanted = TargetSwitch()
        #expect(wanted.tick() == .scrape)
        wanted.drop()
        #expect([wanted.tick(), wanted.tick()] == [.wait, .wait])
        #expect(wanted.want())
        #expect(wanted.tick() == .scrape)
        wanted.drop()
        #expect([wanted.tick(), wanted.tick(), wanted.tick(), wanted.tick()] == [.wait, .wait, .end, .end])
        #expect(!wanted.want())
    }
    @Test func targetsAreMadeOutOfLabels() throws {
        var config = Self.config()
        config.params = ["module": [Secret("a b"), Secret("c")]]
        let target = try #require(
            try ScrapeTarget.make(
                "[::1]:9",
                ["env": "prod", "__metrics_path__": "/m", "__scrape_interval__": "20s"],
                config,
                job: "j"
            )
        )
        #expect(target.url == "http://[::1]:9/m?module=a%20b&module=c")
        #expect(target.labels.description == "{env=\"prod\", instance=\"[::1]:9\", job=\"j\"}")
        #expect(target.origin == ScrapeOrigin(scheme: "http", host: "::1", port: "9"))
        #expect([target.interval, target.timeout] == [.seconds(20), .seconds(5)])
        #expect(throws: ScrapeTarget.Flaw.self) {
            _ = try ScrapeTarget.make("a:1", ["__scrape_timeout__": "1h"], config, job: "j")
        }
        #expect(try ScrapeTarget.make("a:1", [:], config, job: "j", relabel: { _ in nil }) == nil)
    }
}
