import Foundation
import NIOPosix
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import PhoenixWire
import Testing

@testable import PhoenixNodes

@Suite struct AnomalyTests {
    private func kinds(_ values: [Double], every seconds: Int = 10, samples: Int = 60) -> [Set<Anomaly.Kind>]
    {
        var detector = AnomalyDetector(.init(samples: samples, repeatAfter: .zero))
        return values.enumerated().map { index, value in
            let reading = Observation.Reading("series", value)
            let observation = Observation(source: "a", timeUnixNano: 1, readings: [reading])
            return Set(detector.take(observation, at: .seconds(index * seconds)).map(\.kind))
        }
    }
    private func noise(_ index: Int) -> Double { Double((index * 7919) % 13) - 6 }

    @Test func aSteadyCourseIsNothing() {
        let found = kinds((0..<200).map { 1000 + noise($0) })
        #expect(found.allSatisfy { $0.isEmpty })
    }
    @Test func aJumpIsFarFromTheMean() {
        let found = kinds((0..<40).map { 1000 + noise($0) } + [2500])
        #expect(found.last?.isSuperset(of: [.zScore, .rateOfChange]) == true)
        #expect(found.dropLast().allSatisfy { $0.isEmpty })
    }
    /// Twelve values of a second each reach back twelve seconds, and growth is that of a minute.
    @Test(arguments: [1, 2, 3, 5, 7, 10]) func growthIsOfAMinuteHoweverFewSamplesCount(every seconds: Int) {
        let steady = [Double](repeating: 1000, count: 120 / seconds)
        let rising = (1...(90 / seconds)).map { Double(1000 + 25 * seconds * $0) }
        let found = kinds(steady + rising, every: seconds, samples: 12)
        // The first that is twice what it was comes 40 s after the last that was steady.
        let first = found.firstIndex { $0.contains(.rateOfChange) }
        #expect(first == steady.count - 1 + (40 + seconds - 1) / seconds)
        // From a start on a minute is waited for.
        let early = kinds(rising, every: seconds, samples: 12).prefix(60 / seconds)
        #expect(early.allSatisfy { !$0.contains(.rateOfChange) })
    }
    @Test func fewerSamplesCountAtOnce() {
        var detector = AnomalyDetector(.init(samples: 100, repeatAfter: .zero))
        func take(_ value: Double, at second: Int) -> [Anomaly.Kind] {
            let reading = Observation.Reading("series", value)
            let observation = Observation(source: "a", timeUnixNano: 1, readings: [reading])
            return detector.take(observation, at: .seconds(second)).map(\.kind)
        }
        for second in 0..<100 { _ = take(second < 70 ? 500 : 1000, at: second) }
        detector.rules.samples = 12
        _ = take(1000, at: 100)
        // Of the newest twelve none was 500.
        #expect(take(1050, at: 101).contains(.zScore))
    }
    @Test func doublingAgainAndAgainIsExponential() {
        let found = kinds((0..<40).map { 100 * pow(1.1, Double($0)) })
        #expect(found.last?.contains(.exponentialGrowth) == true)
        #expect(found.last?.contains(.leak) == false)
    }
    @Test func risingInAStraightLineIsALeak() {
        let found = kinds((0..<40).map { 1000 + 20 * Double($0) })
        #expect(found.last == [.leak])
    }
    @Test func swingingIsAnOscillation() {
        let found = kinds((0..<40).map { 1000 + ($0 / 3 % 2 == 0 ? 300 : -300) })
        #expect(found.last?.contains(.oscillation) == true)
        #expect(found.allSatisfy { !$0.contains(.leak) && !$0.contains(.exponentialGrowth) })
    }
    @Test func whatGoesOnIsToldAgainAfterAWhile() {
        var detector = AnomalyDetector(.init(repeatAfter: .seconds(100)))
        let told = (0..<60).map { index in
            let reading = Observation.Reading("series", 1000 + 20 * Double(index))
            let observation = Observation(source: "a", timeUnixNano: 1, readings: [reading])
            return detector.take(observation, at: .seconds(index * 10)).filter { $0.kind == .leak }.count
        }
        #expect(told.reduce(0, +) == 5, "\(told)")
        #expect(detector.active(.leak) == 1)
    }
    @Test func readingsHaveABound() {
        var detector = AnomalyDetector(.init(maximumReadings: 10))
        let readings = (0..<100).map { Observation.Reading("r\($0)", 1) }
        for second in 0..<20 {
            _ = detector.take(
                Observation(source: "a", timeUnixNano: 1, readings: readings),
                at: .seconds(second)
            )
        }
        let many = (0..<100).map { Observation.Reading("r\($0)", 1000) }
        let found = detector.take(Observation(source: "a", timeUnixNano: 1, readings: many), at: .seconds(20))
        #expect(Set(found.map(\.metric)).count == 10)
    }

    @Test func anAlertIsWhatTheControlAPITakes() throws {
        let anomaly = Anomaly(
            kind: .zScore,
            metric: "phoenix_intake_series",
            labels: ["a": "\"b\""],
            value: 2500,
            expected: 1000,
            confidence: 0.5,
            severity: .critical
        )
        let text = AlertText(anomaly, id: "anomaly-1", at: 1_704_067_200_000_000_000).json
        #expect(!text.contains("\n"))
        let decoded = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(decoded?["anomaly_id"] as? String == "anomaly-1")
        #expect(decoded?["severity"] as? String == "critical")
        #expect(decoded?["metric_name"] as? String == "phoenix_intake_series")
        #expect(decoded?["current_value"] as? Double == 2500)
        #expect(decoded?["timestamp"] as? String == "2024-01-01T00:00:00Z")
    }

    // MARK: The webhook's decisions

    @Test func aFailureIsTriedAgainLaterAndLater() {
        var queue = WebhookQueue(.init(attempts: 3, breakAfter: 100), seed: 1)
        queue.add([1])
        let s1 = queue.next(at: .zero)
        #expect(s1 == .post([1]))
        queue.finish([1], .failed, at: .zero)
        guard case .wait(let first) = queue.next(at: .zero) else {
            Issue.record("no wait")
            return
        }
        #expect(first >= .milliseconds(500) && first <= .seconds(1))
        let s2 = queue.next(at: first)
        #expect(s2 == .post([1]))
        queue.finish([1], .failed, at: first)
        guard case .wait(let second) = queue.next(at: first) else {
            Issue.record("no wait")
            return
        }
        #expect(second >= .seconds(1) && second <= .seconds(2))
        queue.finish([1], .failed, at: first + second)
        let s3 = queue.next(at: first + second)
        #expect(s3 == .rest)
        #expect(queue.losses == [.gaveUp: 1])
    }
    @Test func whatIsRefusedIsNotTriedAgain() {
        var queue = WebhookQueue(.init(), seed: 1)
        queue.add([1])
        queue.add([2])
        queue.finish([1], .refused, at: .zero)
        let s4 = queue.next(at: .zero)
        #expect(s4 == .post([2]))
        queue.finish([2], .delivered, at: .zero)
        let s5 = queue.next(at: .zero)
        #expect(s5 == .rest)
        #expect(queue.losses == [.refused: 1] && queue.delivered == 1)
    }
    @Test func theOldestGoesForWantOfRoom() {
        var queue = WebhookQueue(.init(maximumWaiting: 2), seed: 1)
        for body in UInt8(1)...3 { queue.add([body]) }
        let s6 = queue.next(at: .zero)
        #expect(s6 == .post([2]))
        // The one under way went: what came of it is no other's.
        queue.add([4])
        queue.finish([2], .delivered, at: .zero)
        let s7 = queue.next(at: .zero)
        #expect(s7 == .post([3]))
        #expect(queue.losses == [.overflow: 2] && queue.count == 2)
    }
    @Test func theBreakerOpensTriesOnceAndCloses() {
        var queue = WebhookQueue(.init(attempts: 100, breakAfter: 3, breakFor: .seconds(30)), seed: 1)
        queue.add([1])
        var now = Duration.zero
        for _ in 0..<3 {
            if case .wait(let delay) = queue.next(at: now) { now += delay }
            let s8 = queue.next(at: now)
            #expect(s8 == .post([1]))
            queue.finish([1], .failed, at: now)
        }
        #expect(queue.isBroken)
        let s9 = queue.next(at: now)
        #expect(s9 == .wait(.seconds(30)))
        now += .seconds(30)
        let s10 = queue.next(at: now)
        #expect(s10 == .post([1]))
        queue.finish([1], .failed, at: now)
        let s11 = queue.next(at: now)
        #expect(s11 == .wait(.seconds(30)))
        now += .seconds(30)
        queue.finish([1], .delivered, at: now)
        let s12 = queue.next(at: now)
        #expect(!queue.isBroken && s12 == .rest)
    }

    // MARK: The node

    /// A webhook that answers as it is told.
    private final class Replies: WebhookClient {
        let state = Lock((statuses: [Int](), bodies: [String]()))
        init(_ statuses: [Int]) { state.withLock { $0.statuses = statuses } }
        func post(
            _ body: [UInt8],
            to url: String,
            _ headers: [String: String],
            within deadline: Duration
        ) -> Int {
            state.withLock { state in
                state.bodies.append(String(decoding: body, as: UTF8.self))
                return state.statuses.isEmpty ? 200 : state.statuses.removeFirst()
            }
        }
    }
    private static func course(_ harness: NodeHarness, _ world: World) async throws {
        for index in 0..<20 {
            let value = index == 15 ? 5000.0 : 1000 + Double(index % 3)
            let reading = Observation.Reading("series", value)
            let observation = Observation(
                source: "a",
                timeUnixNano: world.clock.unixNanoseconds,
                readings: [reading]
            )
            try await harness.feed(AnomalyWatch.Port.input, observation)
            try await world.clock.sleep(for: .seconds(10))
        }
    }

    @Test func anAlertGoesOutAsObservationMetricAndPost() throws {
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.link(AnomalyWatch.Port.input)
            let told = harness.read(ObserverPort.observations)
            let shown = harness.read(ObserverPort.metrics)
            var config = AnomalyWatch.Config()
            var webhook = AnomalyWatch.Webhook()
            webhook.url = Secret("http://nowhere")
            config.webhook = webhook
            let replies = Replies([500, 200])
            let node = AnomalyWatch(Settings(config), harness.context, client: replies)
            try await harness.run(node) { try await Self.course(harness, world) }
            // Edges hold an alert for a control period: it comes more than once.
            let alerts = Set(told.messages.flatMap(\.alerts).map(\.name))
            try require(alerts.sorted() == ["anomaly_rate_of_change", "anomaly_zscore"], "\(alerts)")
            let bodies = replies.state.withLock { $0.bodies }
            // The first was tried twice.
            try require(bodies.count == 3 && bodies[0] == bodies[1] && bodies[2] != bodies[1], "\(bodies)")
            let lines = shown.messages.flatMap { PointText.lines($0, harness.context.series) }
            try require(
                lines.contains {
                    $0.contains("phoenix_anomaly_alerts{; kind=zscore}") && $0.hasSuffix(" 1.0")
                },
                "\(lines)"
            )
        }
    }

    /// The real client and a real server: what arrives is the alert.
    @Test func itIsPostedOverHTTP() async throws {
        struct Desk: HTTPHandler {
            let bodies: AsyncStream<String>.Continuation
            func handle(_ request: HTTPRequest, body: UnsafeRawBufferPointer, _ responder: HTTPResponder) {
                bodies.yield("\(request.head.method) \(String(decoding: body, as: UTF8.self))")
                responder.respond(.bytes(200, type: "application/json", Array("{}".utf8)))
            }
        }
        let (bodies, arrive) = AsyncStream.makeStream(of: String.self)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let routes = RouteTable()
        routes["/anomaly"] = Desk(bodies: arrive)
        let server = HTTPServer(group: group)
        let bound = try await server.bind(.tcp(host: "127.0.0.1", port: 0), routes: routes)
        let status = try await HTTPWebhookClient().post(
            Array(#"{"a":1}"#.utf8),
            to: "http://\(bound.address)/anomaly",
            ["authorization": "Bearer x"],
            within: .seconds(60)
        )
        #expect(status == 200)
        for await body in bodies {
            #expect(body.lowercased().contains("post") && body.hasSuffix(#"{"a":1}"#))
            break
        }
        await bound.close(within: .zero)
        try await group.shutdownGracefully()
    }
}
