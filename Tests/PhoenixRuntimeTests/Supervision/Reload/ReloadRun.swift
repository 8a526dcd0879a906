import Logging
import PhoenixGraph
import PhoenixModel
import PhoenixTestKit

@testable import PhoenixRuntime

/// One engine of traced nodes in a world, changed again and again.
final class ReloadRun: Sendable {
    let world: World
    let trace: Trace
    let supervisor: Supervisor
    let services: EngineServices
    let server: FakeServer
    let outcomes = Shared([String: Int]())
    /// What runs if the change that is on probation is undone.
    private let doubtful = Shared<Graph?>(nil)
    private let name: String

    init(_ world: World) {
        self.world = world
        name = "reload \(world.seed) \(UInt64.random(in: .min ... .max))"
        trace = Trace.make(name)
        server = FakeServer()
        services = EngineServices(
            time: world.clock,
            seed: world.seed,
            listeners: Listeners(server),
            logger: Logger(label: "test") { [trace] _ in TraceLog(trace: trace) },
            engine: EngineInfo(graph: name),
            limits: QueueLimits(batches: 1 + Int(world.seed % 5))
        )
        supervisor = Supervisor(catalog: traceCatalog, services: services, grace: .milliseconds(100))
    }
    deinit { Trace.forget(name) }

    private static let loader = NodeSpecs(traceCatalog.specs)
    private static func load(_ random: inout RandomGraph) throws -> Graph {
        try GraphLoader(loader, files: random.files()).load(path: "graph.yaml").graph
    }

    func play(changes: Int) async throws {
        var random = RandomGraph(random: world.random)
        let first = try Self.load(&random)
        trace.mayBe([first])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.supervisor.run(first) }
            while await supervisor.readiness.phase != .running {
                try await world.clock.sleep(for: .milliseconds(1))
            }
            var current = first
            do {
                for _ in 0..<changes { current = try await change(current, &random) }
                try await finish()
            } catch {
                print(trace.tail)
                group.cancelAll()
                throw error
            }
            try await group.waitForAll()
        }
        await settle()
        let verdict = trace.verdict
        if !verdict.isEmpty { print(trace.tail) }
        try require(verdict.isEmpty, verdict.prefix(3).joined(separator: "\n"))
        try require(trace.living == 0, "nodes live on: \(trace.whoLives)")
        try require(world.clock.sleeping == 0, "\(world.clock.sleeping) tasks sleep on")
        try require(trace.sentCount > 0, "nothing was sent")
    }

    private func change(_ current: Graph, _ random: inout RandomGraph) async throws -> Graph {
        try await world.clock.sleep(for: .milliseconds(Int.random(in: 0..<20, using: &random.random)))
        var next = random
        next.changeSome()
        let graph = try Self.load(&next)
        let faults = faults(current, graph, &next.random)
        trace.note("RELOAD faults \(faults) \(Plan(from: current, to: graph, traceCatalog).text)")
        trace.plan(faults)
        server.refused.change { $0 = faults["listen"] == nil ? [] : Set((1...6).map { "h:\($0)" }) }
        // The change before may still be on probation, and be undone before this one begins.
        let earlier = doubtful.value.map { [$0] } ?? []
        trace.mayBe([current, graph] + earlier)
        let isSettled = Int.random(in: 0..<4, using: &next.random) == 0
        var limits = ReloadLimits(handOver: .seconds(5), probation: .milliseconds(40))
        limits.giveBack = .seconds(5)
        if faults["hand over"] != nil { limits.handOver = .zero }
        do {
            let report = try await supervisor.reload(to: graph, limits: limits, settled: isSettled)
            note(report.record.outcome.rawValue)
        } catch let failure as ReloadFailure {
            note("\(isEarly(failure.step) ? "failed" : "undone") \(failure.step.rawValue)")
        } catch ReloadError.busy {
            // The change before was condemned just now, and is on its way back.
            note("busy")
        }
        trace.plan([:])
        let running = try await running(orUndone: [current] + earlier, isSettled: isSettled)
        if running == graph {
            random = next
        } else {
            try require(
                running == current || earlier.contains(running),
                "neither the old nor the new graph runs"
            )
            // The names go on, so that nothing is taken for what was there before.
            random.random = next.random
        }
        return running
    }
    private func isEarly(_ step: ReloadFailure.Step) -> Bool {
        step == .make || step == .listen || step == .reconfigure
    }
    private func note(_ outcome: String) { outcomes.change { $0[outcome, default: 0] += 1 } }

    /// What runs once it is clear. A change on probation may still be undone: both graphs are possible until then. The graph
    /// before it is not always the one that was last seen to run, for that may have been undone just before the change began.
    private func running(orUndone old: [Graph], isSettled: Bool) async throws -> Graph {
        if !isSettled, await supervisor.isOnProbation, world.seed % 2 == 0 {
            try await world.clock.sleep(for: .milliseconds(50))
        }
        // Each look in one step: a change on probation may be undone between two.
        var standing = await supervisor.standing
        while standing.isTurningBack {
            try await world.clock.sleep(for: .milliseconds(1))
            standing = await supervisor.standing
        }
        let running = standing.graph
        doubtful.change { $0 = standing.before }
        if let before = standing.before {
            try require(old.contains(before), "a change would be undone to a graph that never ran")
        } else {
            trace.mayBe([running])
            try await checkSettings(running)
        }
        return running
    }

    private func checkSettings(_ graph: Graph) async throws {
        // Who was just told to run has not begun yet.
        await settle(50)
        for (id, vertex) in graph.vertices {
            guard let tag = trace.tag(id) else { continue }
            let wanted = try Settings<TraceConfig>(of: vertex).base.tag
            try require(tag == wanted, "\(id) works by tag \(tag), and the graph says \(wanted)")
        }
        // A node that hangs in a call is held by the call, whatever has become of it.
        try require(
            trace.living <= graph.vertices.count + trace.hanging,
            "\(trace.living) nodes live for \(graph.vertices.keys.sorted()): \(trace.whoLives)"
        )
    }

    private func faults(_ old: Graph, _ new: Graph, _ random: inout SeededGenerator) -> [String: Int] {
        let ids = new.vertices.keys.sorted()
        guard let id = ids.randomElement(using: &random) else { return [:] }
        switch Int.random(in: 0..<16, using: &random) {
        case 0: return ["init \(id)": 1]
        case 1, 2, 3: return ["run \(id)": 1]
        case 4: return ["listen": 1]
        case 5: return ["hand over": 1]
        case 6, 7: return ["refuse \(id)": 1]
        case 8, 9: return ["refuse \(id)": 1, "init \(id)": 1]
        case 10: return ["hang \(id)": 1]
        default: return [:]
        }
    }

    private func finish() async throws {
        let report = await supervisor.drain(within: .seconds(60))
        try require(report.isClean, "not clean: \(report)")
    }
}

extension Supervisor {
    var isOnProbation: Bool { change?.decisions.phase == .probation }
    /// What runs, and what ran before it where that may come back.
    var standing: (graph: Graph, before: Graph?, isTurningBack: Bool) {
        (graph, isOnProbation ? change?.before : nil, isTurningBack)
    }
    /// Whether a change is neither done nor on probation.
    var isTurningBack: Bool { change.map { $0.decisions.phase != .probation } ?? false }
}
