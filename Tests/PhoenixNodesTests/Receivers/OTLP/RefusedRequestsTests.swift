import Logging
import NIOCore
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes
@testable import PhoenixWire

/// What of a request that is refused shows: the counter, and lines of the log.
@Suite struct RefusedRequestsTests {
    /// A receiver's way in, with nothing behind it.
    private struct Way {
        let context: NodeContext
        let intake: OTLPIntake
        let log: WrittenLog

        init(_ time: any TimeSource = ManualClock(), gate: AdmissionGate = AdmissionGate()) {
            let log = WrittenLog()
            self.log = log
            context = NodeContext(
                id: "otlp",
                time: time,
                logger: Logger(label: "otlp") { _ in log },
                gate: gate
            )
            var config = OTLPReceiver.Config()
            config.maxRequestBytes = ByteCount(1000)
            intake = OTLPIntake(config, context, Outlet<MetricBatch>())
        }
        var http: OTLPHTTPHandler { OTLPHTTPHandler(intake: intake, crossOrigin: nil) }
        var grpc: OTLPExport { OTLPExport(intake: intake) }

        /// Every series that is not 0, as `http/malformed 1`.
        var counted: [String] {
            RequestRefusal.allCases.flatMap { reason in
                OTLPReply.Speech.allCases.compactMap { speech in
                    let labels = ["reason": reason.label, "protocol": speech.label]
                    let count = context.vitals.counter("phoenix_receiver_refused_requests_total", labels)
                        .value
                    return count > 0 ? "\(speech.label)/\(reason.label) \(count)" : nil
                }
            }.sorted()
        }
    }
    private func head(
        _ fields: HTTPFields,
        _ method: HTTPMethod = .post,
        length: Int? = nil
    ) -> HTTPRequestHead {
        HTTPRequestHead(
            method: method,
            target: "/v1/metrics",
            version: .http11,
            fields: fields,
            contentLength: length
        )
    }
    private static let protobuf: HTTPFields = ["content-type": "application/x-protobuf"]

    @Test func aHeadThatIsRefusedCountsByItsReason() {
        let way = Way()
        #expect(way.http.head(head(["content-type": "text/plain"]), loop: 0)?.status == 415)
        var packed = Self.protobuf
        packed.append("content-encoding", "zstd")
        #expect(way.http.head(head(packed), loop: 0)?.status == 415)
        #expect(way.http.head(head(Self.protobuf, length: 1001), loop: 0)?.status == 413)
        #expect(way.counted == ["http/content_type 1", "http/encoding 1", "http/too_large 1"])
    }

    @Test func whatIsAdmittedOrServedNowhereIsNotCounted() {
        let way = Way()
        #expect(way.http.head(head(Self.protobuf, length: 1000), loop: 0)?.status == nil)
        #expect(way.grpc.admit(head([:]), loop: 0)?.code == nil)
        #expect(way.http.head(head(Self.protobuf, .get), loop: 0)?.status == 405)
        let elsewhere = OTLPNotServed(refusals: way.intake.refusals)
        #expect(elsewhere.head(head(Self.protobuf), loop: 0)?.status == 404)
        #expect(way.counted == [])
    }

    @Test func wantOfMemoryAndTheEndCountForBothProtocols() {
        let full = Way(gate: AdmissionGate(.init(hardBytes: 0, residentBytes: 0)))
        full.context.gate.noteResident(bytes: 1)
        #expect(full.http.head(head(Self.protobuf), loop: 0)?.status == 503)
        #expect(full.grpc.admit(head([:]), loop: 0)?.code == .unavailable)
        #expect(full.counted == ["grpc/memory 1", "http/memory 1"])
        let ending = Way()
        ending.intake.close()
        #expect(ending.http.head(head(Self.protobuf), loop: 0)?.status == 503)
        #expect(ending.grpc.admit(head([:]), loop: 0)?.code == .unavailable)
        #expect(ending.counted == ["grpc/stopping 1", "http/stopping 1"])
    }

    @Test func whatTheServerFindsIsCountedWhereItIsAnswered() {
        let way = Way()
        #expect(way.http.answer(.bodyTooLarge(limit: 1000), to: head(Self.protobuf)).status == 413)
        #expect(way.http.answer(.gateTimeout, to: head(Self.protobuf)).status == 503)
        #expect(way.http.answer(.requestTimeout, to: head(Self.protobuf)).status == 408)
        way.grpc.refused(.encoding, "snappy", head([:]), peer: nil)
        way.grpc.refused(.problem(.gateTimeout), "later", head([:]), peer: nil)
        #expect(
            way.counted == [
                "grpc/busy 1", "grpc/encoding 1", "http/busy 1", "http/timeout 1", "http/too_large 1",
            ]
        )
    }

    @Test(arguments: [(400, 3), (417, 3), (431, 8), (501, 12), (505, 12)])
    func whatIsNoRequestIsAnsweredByAStatus(status: Int, code: Int) throws {
        let way = Way()
        let answer = OTLPNotServed(refusals: way.intake.refusals)
            .answer(.unreadable(status: status, reason: "why"), to: head([:]))
        #expect(answer.status == status)
        #expect(answer.fields["content-type"] == "application/json")
        guard case .bytes(let body) = answer.body else { throw Unexpected("there is no body") }
        #expect(String(buffer: body) == #"{"code":\#(code),"message":"why"}"#)
        #expect(way.counted == ["http/http 1"])
    }

    @Test func theLogSaysWhoWhyAndWhatToDoOnceAMinute() {
        let clock = ManualClock()
        let way = Way(clock)
        var sender = Self.protobuf
        sender.append("user-agent", "Exporter/1")
        for _ in 0..<90 {
            way.intake.refusals.note(
                .invalidArgument("noise"),
                .http,
                head(sender),
                peer: "[IPv4]10.0.0.1:9"
            )
            way.intake.refusals.tell()
            clock.advance(by: .seconds(1))
        }
        let lines = way.log.lines.withLock { $0 }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("left_out=0") == true)
        #expect(lines.last?.contains("left_out=59") == true)
        let parts = [
            "warning requests are refused; their points are lost: ", "node=otlp", "reason=malformed",
            "protocol=http", "what=noise", "peer=[IPv4]10.0.0.1:9", "user_agent=Exporter/1",
        ]
        for part in parts {
            #expect(lines.allSatisfy { $0.contains(part) }, "\(part)")
        }
        #expect(way.counted == ["http/malformed 90"])
    }

    @Test func wordsOfASenderAreCutOff() {
        let way = Way()
        way.intake.refusals.note(.invalidArgument(String(repeating: "x", count: 100_000)), .grpc)
        way.intake.refusals.tell()
        let lines = way.log.lines.withLock { $0 }
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { $0.count < 1000 })
    }

    @Test func theRunningNodeTells() throws {
        let log = WrittenLog()
        try World.run { world in
            let harness = NodeHarness(world.clock)
            harness.context.logger = Logger(label: "otlp") { _ in log }
            _ = harness.read(OTLPReceiver.Port.output)
            let node = try harness.make(OTLPReceiver.self)
            try await harness.run(node) {
                await node.intake.refusals.note(.full(.seconds(1)), .http)
                try await world.clock.sleep(for: .seconds(1))
            }
        }
        #expect(log.lines.withLock { $0.filter { $0.contains("reason=busy") } }.count == 1)
    }
}
