import Foundation
import Glibc
import LoadShape
import PhoenixModel

/// Runs the whole program under load and prints what it cost; a run whose endpoints disagree with the oracle is void.
@main
enum Load {
    struct Plan {
        var name: String
        var graph: String
        var isGRPC = false
        var bodies: Int
        var processesPerBody: Int
        var connections: Int
        var seconds: Double
        var endpoints: [UInt16]
    }
    static let intake: UInt16 = 14318
    static let endpoints: [UInt16] = [18888, 18889, 18890]

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 2 else {
            say("usage: load PHOENIX-BINARY GRAPH-FOLDER [CASE...]")
            exit(2)
        }
        let folder = arguments[1]
        let pipelines = folder + "/three_pipelines.yaml"
        let plans = [
            Plan(
                name: "http-30k",
                graph: pipelines,
                bodies: 64,
                processesPerBody: 79,
                connections: 4,
                seconds: 8,
                endpoints: endpoints
            ),
            Plan(
                name: "http-300k",
                graph: pipelines,
                bodies: 200,
                processesPerBody: 250,
                connections: 4,
                seconds: 12,
                endpoints: endpoints
            ),
            Plan(
                name: "http-96k",
                graph: pipelines,
                bodies: 64,
                processesPerBody: 250,
                connections: 4,
                seconds: 8,
                endpoints: endpoints
            ),
            Plan(
                name: "grpc-96k",
                graph: pipelines,
                isGRPC: true,
                bodies: 64,
                processesPerBody: 250,
                connections: 4,
                seconds: 8,
                endpoints: endpoints
            ),
            Plan(
                name: "http-15-points",
                graph: pipelines,
                bodies: 6400,
                processesPerBody: 2,
                connections: 64,
                seconds: 8,
                endpoints: endpoints
            ),
            Plan(
                name: "drop-96k",
                graph: folder + "/receive_and_drop.yaml",
                bodies: 64,
                processesPerBody: 250,
                connections: 4,
                seconds: 8,
                endpoints: []
            ),
        ]
        let wanted = Set(arguments.dropFirst(2))
        for plan in plans where wanted.isEmpty || wanted.contains(plan.name) {
            do {
                try run(plan, binary: arguments[0])
            } catch {
                say("\(plan.name): VOID: \(error)")
                exit(1)
            }
        }
    }

    static func run(_ plan: Plan, binary: String) throws {
        pin(core: 1)
        let server = try Server(
            binary: binary,
            arguments: ["run", plan.graph, "--log-level", "error"],
            core: 0
        )
        defer { kill(server.pid, SIGKILL) }
        try server.waitUntilReady(port: 23133)
        let base = server.memory("VmRSS")
        // Streams that began long ago count from their first value on, on every pipeline.
        let began = UInt64(time(nil) - 86_400) * 1_000_000_000
        var load = ProcessLoad(
            bodies: plan.bodies,
            processesPerBody: plan.processesPerBody,
            startUnixNano: began
        )
        var senders: [any Sender] = []
        for _ in 0..<plan.connections {
            senders.append(plan.isGRPC ? try GRPCSender(port: intake) : try HTTPSender(port: intake))
        }
        try round(&load, 0, &senders)
        let first = load.totals
        try settle(plan, server)
        let (cpu, start) = (server.cpuSeconds, ContinuousClock.now)
        var (rounds, elapsed) = (0, 0.0)
        while elapsed < plan.seconds {
            rounds += 1
            try round(&load, UInt64(rounds), &senders)
            elapsed = seconds(since: start)
        }
        try settle(plan, server)
        let after = server.cpuSeconds
        let points = Double(rounds * load.points)
        let used = (after.user - cpu.user, after.system - cpu.system)
        let perMillion = (used.0 + used.1) / points * 1e6
        let yardstick = yardstick(load)
        say(
            "\(plan.name): \(Int(points / elapsed)) points/s, \(text(perMillion)) CPU-s per million points "
                + "(user \(text(used.0 / points * 1e6)), system \(text(used.1 / points * 1e6))), "
                + "\(text(perMillion / yardstick.perMillion)) x the yardstick (\(text(yardstick.rate)) GB/s), "
                + "\(load.bodies[0].bytes.count) bytes and \(load.bodies[0].values.count) points a request"
        )
        if yardstick.rate < 10 { say("  VOID: the yardstick is below 10 GB/s; the machine is too busy") }
        if !plan.endpoints.isEmpty {
            let resident = server.memory("VmRSS")
            say(
                "  memory: base \(base / 1024) MiB, now \(resident / 1024) MiB, peak \(server.memory("VmHWM") / 1024) MiB, "
                    + "\((resident - base) * 1024 / load.points) bytes an input series"
            )
            try check(plan, load, first)
        }
        _ = server.stop()
    }

    static func round(_ load: inout ProcessLoad, _ round: UInt64, _ senders: inout [any Sender]) throws {
        let now = UInt64(time(nil)) * 1_000_000_000 + round
        var next = 0
        while next < load.bodies.count {
            let group = next..<min(next + senders.count, load.bodies.count)
            for (index, body) in group.enumerated() {
                load.advance(body, to: now, round: round)
                try senders[index].send(load.bodies[body].bytes)
            }
            for index in 0..<group.count { try senders[index].finish() }
            next = group.upperBound
        }
    }

    /// Waits until nothing is under way: the counters of the endpoints stand still.
    static func settle(_ plan: Plan, _ server: Server) throws {
        var before = -1.0
        for _ in 0..<400 {
            usleep(25_000)
            let metrics = try scrape(port: 23133, keep: true).text
            let lines = metrics.split(separator: "\n").filter {
                $0.hasPrefix("phoenix_node_queue_batches") || $0.hasPrefix("phoenix_node_points_in_total")
            }
            let queued = lines.filter { $0.hasPrefix("phoenix_node_queue") }.reduce(0.0) {
                $0 + (Double($1.split(separator: " ").last ?? "0") ?? 0)
            }
            let taken = lines.filter { $0.hasPrefix("phoenix_node_points") }.reduce(0.0) {
                $0 + (Double($1.split(separator: " ").last ?? "0") ?? 0)
            }
            if queued == 0, taken == before { return }
            before = taken
        }
        throw LoadError("the graph does not come to rest")
    }

    /// Compares each endpoint's counters with what was sent.
    static func check(_ plan: Plan, _ load: ProcessLoad, _ first: ProcessLoad.Totals) throws {
        for (index, port) in plan.endpoints.enumerated() {
            var best = try scrape(port: port, keep: false)
            for _ in 0..<3 {
                let again = try scrape(port: port, keep: false)
                if again.seconds < best.seconds { best = again }
            }
            let (sums, series) = counterSums(try scrape(port: port, keep: true).text)
            let now = load.totals
            // full_fidelity shows whole lives; the others what was watched since the first point.
            let cpu = index == 0 ? now.cpu : now.cpu - first.cpu
            let disk = index == 0 ? now.disk : now.disk - first.disk
            let isRight =
                abs((sums["cpu"] ?? -1) - cpu) <= 1e-9 * max(1, cpu)
                && abs((sums["disk"] ?? -1) - disk) <= 1e-9 * max(1, disk)
            say(
                "  :\(port): \(series) series, scrape \(best.bytes) bytes in \(text(best.seconds * 1000)) ms = "
                    + "\(text(Double(best.bytes) / best.seconds / 1e9)) GB/s; "
                    + (isRight
                        ? "agrees with the oracle" : "VOID: shows \(sums), sent cpu \(cpu) disk \(disk)")
            )
        }
    }

    /// Prints at once, also into a pipe.
    static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    static func yardstick(_ load: ProcessLoad) -> (perMillion: Double, rate: Double) {
        var (best, hash): (Double, UInt64) = (.infinity, 1)
        for _ in 0..<10 {
            let start = ContinuousClock.now
            for body in load.bodies { hash ^= body.bytes.withUnsafeBytes { foldHash($0, seed: hash) } }
            best = min(best, seconds(since: start))
        }
        if hash == 0 { say("") }
        let bytes = load.bodies.reduce(0) { $0 + $1.bytes.count }
        return (best / Double(load.points) * 1e6, Double(bytes) / best / 1e9)
    }
    static func seconds(since start: ContinuousClock.Instant) -> Double {
        let took = (ContinuousClock.now - start).components
        return Double(took.seconds) + Double(took.attoseconds) / 1e18
    }
    static func text(_ number: Double) -> String { String(format: "%.3f", number) }
    /// The loader keeps off the server's core; `taskset` works on a running process too.
    static func pin(core: Int) {
        let taskset = Process()
        taskset.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
        taskset.arguments = ["-a", "-p", "-c", String(core), String(getpid())]
        taskset.standardOutput = FileHandle.nullDevice
        try? taskset.run()
        taskset.waitUntilExit()
    }
}

protocol Sender {
    func send(_ body: [UInt8]) throws
    func finish() throws
}
extension HTTPSender: Sender {}
extension GRPCSender: Sender {}
