import Foundation
import Glibc
import LoadShape
import PhoenixModel

/// One case: the server started on one core, fed from the other, watched, compared with the oracle.
struct Run {
    static let intake: UInt16 = 14318
    static let health: UInt16 = 23133
    private static let batches = "phoenix_node_batches_out_total{node=\"otlp\""
    static let endpoints: [UInt16] = [18888, 18889, 18890]

    let plan: Case
    private let server: Server
    private var load: ProcessLoad
    private var senders: [any Sender] = []
    private var sent = 0

    init(_ plan: Case, binary: String, graphs: String) throws {
        self.plan = plan
        Machine.pin(core: 1)
        server = try Server(
            binary: binary,
            arguments: ["run", "\(graphs)/\(plan.graph)", "--log-level", "error"],
            core: 0
        )
        // Streams that began long ago count from their first value on, on every pipeline.
        let began = UInt64(time(nil) - 86_400) * 1_000_000_000
        load = ProcessLoad(
            bodies: plan.bodies,
            groups: plan.groups,
            pointsPerBody: plan.points,
            startUnixNano: began,
            isWide: plan.isWide
        )
    }

    mutating func measure() throws -> Measured {
        defer { server.kill() }
        try server.waitUntilReady(port: Self.health)
        var measured = Measured(plan: plan, load: load)
        measured.base = server.memory("VmRSS")
        for _ in 0..<plan.connections {
            senders.append(
                plan.isGRPC ? try GRPCSender(port: Self.intake) : try HTTPSender(port: Self.intake)
            )
        }
        // Each series once: what is made for a series that is new is no cost of a point.
        try send(0..<plan.groups, round: 0)
        let first = load.totals
        try settle()
        let batches = try figure(Self.batches)
        let (cpu, start, before) = (server.cpuSeconds, ContinuousClock.now, sent)
        var round: UInt64 = 0
        while start.duration(to: .now) < .seconds(plan.seconds) {
            round += 1
            try send(0..<plan.bodies, round: round)
        }
        measured.seconds = (ContinuousClock.now - start).seconds
        try settle()
        let after = server.cpuSeconds
        measured.points = sent - before
        (measured.user, measured.system) = (after.user - cpu.user, after.system - cpu.system)
        (measured.resident, measured.peak) = (server.memory("VmRSS"), server.memory("VmHWM"))
        measured.yardstick = Yardstick(load.bodies.map(\.bytes), points: load.points)
        measured.batches = try figure(Self.batches) - batches
        measured.taken = try figure("phoenix_node_points_out_total{node=\"otlp\"")
        measured.sent = sent
        if plan.isServed {
            measured.endpoints = try Self.endpoints.enumerated().map { index, port in
                // The first endpoint shows whole lives; the others what was watched since the first point.
                let since = index == 0 ? ProcessLoad.Totals() : first
                return try Endpoint(
                    port: port,
                    cpu: load.totals.cpu - since.cpu,
                    disk: load.totals.disk - since.disk
                )
            }
        }
        return measured
    }

    /// Sends bodies, as many at a time as the connections may have under way.
    private mutating func send(_ bodies: Range<Int>, round: UInt64) throws {
        let now = UInt64(time(nil)) * 1_000_000_000 + round * UInt64(plan.bodies)
        var next = bodies.lowerBound
        while next < bodies.upperBound {
            let group = next..<min(next + senders.count * plan.inFlight, bodies.upperBound)
            for (index, body) in group.enumerated() {
                load.advance(body, to: now + UInt64(body), round: round)
                try senders[index % senders.count].send(load.bodies[body].bytes)
                sent += load.pointsPerBody
            }
            for sender in senders.prefix(group.count) { try sender.finish() }
            next = group.upperBound
        }
    }

    /// Waits until nothing is under way: the counters of the nodes stand still.
    private func settle() throws {
        var before = -1.0
        for _ in 0..<400 {
            usleep(25_000)
            let taken = try figure("phoenix_node_points_in_total")
            if try figure("phoenix_node_queue_batches") == 0, taken == before { return }
            before = taken
        }
        throw LoadError("the graph does not come to rest")
    }
    /// The sum of the engine's own samples that begin so.
    private func figure(_ prefix: String) throws -> Double {
        try Scrape(port: Self.health, keep: true).text.split(separator: "\n").filter { $0.hasPrefix(prefix) }
            .reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? .nan) }
    }
}

/// A 64-bit multiply-fold hash over the same bytes: what a figure is compared with, since machines differ.
struct Yardstick {
    private static let pieceBytes = 192 << 10

    var secondsPerMillionPoints = 0.0
    var gigabytesPerSecond = 0.0
    /// Of a piece that lies in the caches: how fast the machine computes now, whatever its memory.
    var cachedGigabytesPerSecond = 0.0

    init() {}
    /// Over the bodies as they lie one behind the other, in pieces of one size: small ones are no reason for a longer
    /// yardstick.
    init(_ bodies: [[UInt8]], points: Int) {
        let all = Array(bodies.joined())
        let best = Self.secondsToHash(all[...])
        secondsPerMillionPoints = best / Double(points) * 1e6
        gigabytesPerSecond = Double(all.count) / best / 1e9
        let piece = all.prefix(Self.pieceBytes)
        cachedGigabytesPerSecond = Double(piece.count) / Self.secondsToHash(piece, rounds: 1000) / 1e9
    }

    private static func secondsToHash(_ bytes: ArraySlice<UInt8>, rounds: Int = 10) -> Double {
        var (best, hash): (Double, UInt64) = (.infinity, 1)
        for _ in 0..<rounds {
            let start = ContinuousClock.now
            bytes.withUnsafeBytes { bytes in
                for offset in stride(from: 0, to: bytes.count, by: pieceBytes) {
                    let piece = bytes[offset..<min(offset + pieceBytes, bytes.count)]
                    hash ^= foldHash(UnsafeRawBufferPointer(rebasing: piece), seed: hash)
                }
            }
            best = min(best, (ContinuousClock.now - start).seconds)
        }
        // So that the hash is used, and thus computed.
        if hash == 0 { Load.say("") }
        return best
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
