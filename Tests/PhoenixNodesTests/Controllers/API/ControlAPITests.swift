import Foundation
import PhoenixGraph
import PhoenixModel
import PhoenixRuntime
import PhoenixTestKit
import Testing

@testable import PhoenixNodes

/// The control API, request by request: what is asked, and what is answered, as text in `Transcripts`.
@Suite struct ControlAPITests {
    static let transcripts = ["control", "status", "history", "older", "refusals"]

    private static func api(_ desk: FixedDesk) -> ControlAPI {
        var context = NodeContext(id: "control")
        context.engine.version = "1.2.3"
        return ControlAPI(desk, context)
    }

    @Test(arguments: transcripts) func isAsTranscribed(_ name: String) async throws {
        let transcript = try Transcript.read(name)
        let api = Self.api(FixedDesk()).api
        #expect(!transcript.turns.isEmpty)
        for turn in transcript.turns {
            let request = try #require(Transcript.request(turn.request), "\(turn.request)")
            let answer = Transcript.lines(await api.respond(to: request))
            #expect(answer == turn.answer, "to \(turn.request)")
        }
    }

    /// Each route is asked, well and badly, in some transcript.
    @Test func everyRouteIsTranscribed() throws {
        let asked = try Self.transcripts.flatMap { try Transcript.read($0).turns }.map { turn in
            String(turn.request[0].prefix { $0 != "?" })
        }
        // The document is asked below: it is its own transcript.
        for route in Self.api(FixedDesk()).api.served where route != "GET /openapi.yaml" {
            #expect(asked.contains(route), "\(route) is in no transcript")
        }
    }

    @Test func everyRouteIsInTheDocumentAndNoOther() {
        var documented: [String] = []
        var path = ""
        for line in ControlAPI.document.split(separator: "\n").prefix(while: { $0 != "components:" }) {
            if line.hasPrefix("  /") { path = line.dropFirst(2).trimmingCharacters(in: [":"]) }
            let word = line.trimmingCharacters(in: [" ", ":"])
            if line == "    \(word):", !path.isEmpty { documented.append("\(word.uppercased()) \(path)") }
        }
        #expect(documented.sorted() == Self.api(FixedDesk()).api.served)
        #expect(
            Set(documented.compactMap { $0.split(separator: " ").last }.map(String.init))
                == Set(ControlAPI.paths)
        )
    }

    @Test func theDocumentServedIsTheContract() async throws {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).joined(separator: "/")
            .dropFirst()
        let link = "\(root)/Sources/PhoenixNodes/Resources/control.yaml"
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: link)
        #expect(target == "../../../contracts/openapi/control.yaml")
        let contract = try String(contentsOfFile: link, encoding: .utf8)
        let request = try #require(Transcript.request(["GET /openapi.yaml"]))
        let lines = Transcript.lines(await Self.api(FixedDesk()).api.respond(to: request))
        #expect(lines[0] == "200 application/yaml")
        #expect(lines.dropFirst().map { $0 } == contract.split(separator: "\n").map(String.init))
    }

    @Test func ordersReachTheDeskAsTheyWereGiven() async throws {
        let desk = FixedDesk()
        let body = #"{"mode": "aggressive", "duration_seconds": 600.0, "reason": "line\nbreak\u0000"}"#
        let request = try #require(Transcript.request(["POST /api/v1/control", body]))
        #expect(await Self.api(desk).api.respond(to: request).status == 200)
        #expect(desk.order == .init(mode: .aggressive, duration: .seconds(600), reason: "line break "))
        let bare = try #require(Transcript.request(["POST /api/v1/control", #"{"mode": "balanced"}"#]))
        #expect(await Self.api(desk).api.respond(to: bare).status == 200)
        #expect(desk.order == .init(mode: .balanced, duration: nil, reason: "asked for over the control API"))
    }

    @Test func anomaliesReachTheDeskAsTheyWereTold() async throws {
        let desk = FixedDesk()
        let body =
            #"{"anomaly_id": "a-1", "severity": "critical", "metric_name": "cardinality", "current_value": 3e4, "#
            + #""confidence": 0.5, "timestamp": "2026-01-01T01:00:00.25+01:00", "extra": [1]}"#
        let request = try #require(Transcript.request(["POST /anomaly", body]))
        #expect(await Self.api(desk).api.respond(to: request).status == 200)
        let report = AnomalyReport(
            id: "a-1",
            severity: .critical,
            metricName: "cardinality",
            currentValue: 30_000,
            confidence: 0.5,
            timeUnixNano: FixedDesk.start + 250_000_000
        )
        #expect(desk.reports == [report])
    }

    @Test(arguments: [
        ["POST /api/v1/control", #"{"mode": "aggressive"}"#], ["DELETE /api/v1/control"],
        ["POST /mode", #"{"mode": "aggressive"}"#],
    ])
    func anOrderThatCannotBeTakenIsInConflict(_ lines: [String]) async throws {
        let request = try #require(Transcript.request(lines))
        let answer = Transcript.lines(await Self.api(FixedDesk(takesOrders: false)).api.respond(to: request))
        #expect(answer[0].hasPrefix("409 application/json"))
        #expect(answer[1].contains("not now"))
    }
}
