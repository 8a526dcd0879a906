import Foundation
import PhoenixGraph
import PhoenixNodes
import Testing

@testable import PhoenixCommand

@Suite struct CommandTests {
    @Test func aTypeIsFoundByNameOrByRoleAndName() {
        let specs = GraphSource.specs
        #expect(Nodes.types(named: "otlp", in: specs).map(\.type) == [NodeType(.receiver, "otlp")])
        #expect(Nodes.types(named: "receiver/otlp", in: specs).count == 1)
        #expect(Nodes.types(named: "exporter/otlp2", in: specs).isEmpty)
    }

    @Test func validationAsJSONTellsPlaces() throws {
        var refusal: GraphRefusal?
        do throws(GraphRefusal) {
            let text = "graph: x\nversion: 1\nreceivers: {otlp: {listn: []}}"
            _ = try GraphLoader(GraphSource.specs, files: [:]).load(text: text, name: "x.yaml")
        } catch { refusal = error }
        let json = Validate.json([("x.yaml", .failure(try #require(refusal)))])
        let list = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        #expect(list.first?["valid"] as? Bool == false)
        let diagnostics = try #require(list.first?["diagnostics"] as? [[String: Any]])
        #expect(diagnostics.contains { $0["line"] as? Int == 3 })
    }

    @Test func runReadsItsArguments() throws {
        let run = try Run.parse([
            "g.yaml", "--env", "production", "--set", "a.b=1", "--set", "c.d=[x]", "--drain-timeout", "5s",
        ])
        #expect(run.graph == "g.yaml")
        #expect(run.overlays.environment == "production")
        #expect(run.overlays.sets == ["a.b=1", "c.d=[x]"])
        #expect(run.drainTimeout?.duration == .seconds(5))
        #expect(throws: (any Error).self) { try Run.parse(["--drain-timeout", "soon"]) }
    }

    @Test func modeReadsItsArguments() throws {
        let set = try #require(
            try Root.parseAsRoot(["mode", "set", "aggressive", "--for", "10m", "--reason", "load"])
                as? ModeSet
        )
        #expect(set.mode == "aggressive")
        #expect(set.duration?.duration == .seconds(600))
        #expect(set.reason == "load")
        #expect(set.control.address == "127.0.0.1:8080")
        #expect(try Root.parseAsRoot(["mode"]) is ModeShow)
        #expect(try Root.parseAsRoot(["mode", "clear", "--address", "h:1", "--format", "json"]) is ModeClear)
        for time in ["0s", "1500ms", "soon"] {
            #expect(throws: (any Error).self) {
                try Root.parseAsRoot(["mode", "set", "balanced", "--for", time])
            }
        }
    }

    @Test func theDemonstrationLoads() throws {
        let loaded = try GraphSource().load(nil)
        #expect(loaded.graph.name == "demo")
    }

    @Test func whereNoInstanceRunsIsSaidAtOnce() async throws {
        let began = ContinuousClock.now
        // Port 1 is nobody's.
        let reload = try ReloadGraph.parse(["--address", "127.0.0.1:1"])
        await #expect(throws: Outcome.notStarted.exitCode) { try await reload.run() }
        let plan = try PlanGraph.parse(["graphs/demo.yaml", "--address", "127.0.0.1:1"])
        await #expect(throws: Outcome.notStarted.exitCode) { try await plan.run() }
        #expect(ContinuousClock.now - began < .seconds(20))
    }
    @Test func aPlanAgainstAnInstanceLaysNothingOver() async throws {
        let plan = try PlanGraph.parse(["graphs/demo.yaml", "--set", "a.b=1"])
        await #expect(throws: Outcome.refused.exitCode) { try await plan.run() }
    }

    @Test func exitCodesStayWhatTheyAre() {
        #expect([Outcome.success, .refused, .notStarted, .cutOff].map(\.rawValue) == [0, 1, 2, 3])
    }
}
